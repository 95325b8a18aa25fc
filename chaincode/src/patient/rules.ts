import { custodianStaff } from '../access/roles';
import type { Refusal } from '../lib/refusal';
import { type PatientKey, type PatientRecord, refuse, type RegisterKey, type RegisterPatient } from './api';

/** The member that calls and the role of the person it vouches for. */
export interface Registrar {
  readonly member: string;
  readonly role: string;
  /** The member is a hospital by its registry entry in force. */
  readonly isHospital: boolean;
}

/** Registers a patient under a random id, with the calling hospital as custodian. Refusals in order of precedence. */
export function register(
  request: RegisterPatient,
  registrar: Registrar,
  isKnown: boolean,
  now: string,
): PatientRecord | Refusal {
  const problem = unfit(registrar);
  if (problem !== undefined) return problem;
  if (isKnown) return refuse('already-registered', 'this pid is registered: draw a new one');
  const { pid, patientId } = request;
  return { pid, custodians: { [registrar.member]: { patientId } }, registered: now };
}

/** The key in the custodian's wallet that is registered along with a patient; undefined where it brings none. */
export function walletKey({ pid, jwk }: RegisterPatient, member: string, now: string): PatientKey | undefined {
  return jwk && { pid, custodian: member, jwk, holder: 'custodian', state: 'active', changed: now };
}

/** The key in the custodian's wallet that a key of the patient's own replaces: revoked for good. */
export function replacedKey(known: PatientKey | undefined, now: string): PatientKey | Refusal {
  if (known?.holder === 'custodian' && known.state === 'active') return { ...known, state: 'revoked', changed: now };
  return refuse('unknown-key', "replaces must name the active key in the custodian's wallet");
}

/** Registers a key that counts at the calling custodian, or revokes it for good. Refusals in order of precedence. */
export function setKey(
  request: RegisterKey,
  registrar: Registrar,
  patient: PatientRecord | undefined,
  known: PatientKey | undefined,
  now: string,
): PatientKey | Refusal {
  const problem = unfit(registrar);
  if (problem !== undefined) return problem;
  if (patient === undefined || !Object.hasOwn(patient.custodians, registrar.member)) {
    return refuse('unknown-patient', 'the calling member is no custodian of a patient with this pid');
  }
  const misuse = keyProblem(request, known);
  if (misuse !== undefined) return misuse;
  const { pid, jwk, holder, state, until } = request;
  const stored = known ?? { jwk, holder, ...(until === undefined ? {} : { until }) };
  return { ...stored, pid, custodian: registrar.member, state, changed: now };
}

function keyProblem({ state, evenUnknown = false }: RegisterKey, known: PatientKey | undefined): Refusal | undefined {
  if (known?.state === 'revoked') return refuse('key-revoked', 'a key with this kid was revoked: register another');
  if (state === 'active' && known !== undefined) return refuse('key-exists', 'a key with this kid is registered');
  if (state === 'active' || known !== undefined || evenUnknown) return undefined;
  return refuse('unknown-key', 'no key with this kid is registered');
}

function unfit(registrar: Registrar): Refusal | undefined {
  if (!registrar.isHospital) return refuse('not-a-hospital', 'only a hospital registers patients and their keys');
  if ((custodianStaff as readonly string[]).includes(registrar.role)) return undefined;
  return refuse('not-staff', `only these roles register patients and their keys: ${custodianStaff.join(', ')}`);
}
