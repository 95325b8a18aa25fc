import { AccessContract } from './access/contract';
import { ClockContract } from './clock/contract';
import { ConsentContract } from './consent/contract';
import { EhrContract } from './ehr/contract';
import { PatientContract } from './patient/contract';
import { RegistryContract } from './registry/contract';
import { SupplyContract } from './supply/contract';
import { TrialContract } from './trial/contract';

/** The domains. */
export const contracts = [
  RegistryContract,
  ClockContract,
  PatientContract,
  ConsentContract,
  AccessContract,
  EhrContract,
  TrialContract,
  SupplyContract,
];
