import type { common } from '@hyperledger/fabric-protos';
import { keepConsenters } from './consenters.js';
import { keepRevocations } from './revocations.js';

/** The wanted configuration with what stands in the present one and is in no topology: revocations, known certificates. */
export function keepStanding(present: common.ConfigGroup, wanted: common.ConfigGroup): common.ConfigGroup {
  return keepConsenters(present, keepRevocations(present, wanted));
}
