/** What the projection makes of access records in `care`: one fact each, by patient, and whose it is by its id. */
import type { AccessRecord } from '@salus/chaincode/access/api';
import { parseKey } from '@salus/chaincode/registry/api';

import type { Facts } from '../patient/lookup.js';
import type { LedgerTransaction, LedgerWrite } from '../ports.js';
import type { Change } from '../projection/projector.js';

/** Facts of access records: `<pid>/<aid>` to a ProjectedAccess. */
export const ACCESS_SPACE = 'access';
/** Pids by aid. */
const PID_SPACE = 'access-pid';
const CARE = 'care';

/** An access record and when its block came. */
export interface ProjectedAccess {
  readonly record: AccessRecord;
  /** FHIR instant of the transaction. */
  readonly requested: string;
}

/** Facts of one committed write. */
export function accessProjector(write: LedgerWrite, { timestamp }: LedgerTransaction): readonly Change[] {
  if (write.collection !== CARE || write.key === undefined || write.value === undefined) return [];
  if (parseKey(write.key)?.name !== 'access') return [];
  const record = JSON.parse(Buffer.from(write.value).toString('utf8')) as AccessRecord;
  const value: ProjectedAccess = { record, requested: timestamp };
  const { pid, aid } = record;
  return [
    { kind: 'fact', space: ACCESS_SPACE, key: `${pid}/${aid}`, value: JSON.stringify(value) },
    { kind: 'fact', space: PID_SPACE, key: aid, value: pid },
  ];
}

/** The access of this id, once the own peer has committed it as valid and the projection has applied its block. */
export function projectedAccess(facts: Pick<Facts, 'fact'>, aid: string): AccessRecord | undefined {
  const pid = facts.fact(PID_SPACE, aid);
  const found = pid === undefined ? undefined : facts.fact(ACCESS_SPACE, `${pid}/${aid}`);
  return found === undefined ? undefined : (JSON.parse(found) as ProjectedAccess).record;
}
