/** Which look-up codes and secrets are allowed: pure. */
import { createHash } from 'node:crypto';
import type { ErasureRecord } from '../ehr/api';
import { merkleRoot } from '../lib/merkle';
import type { Refusal } from '../lib/refusal';
import {
  type ListCodes,
  type ListedCodes,
  type LookupSecret,
  type NewSecret,
  type PatientRecord,
  type Quarter,
  refuse,
} from './api';

/** The member that calls, whether it is a hospital by its registry entry in force, and the quarter of the last tick. */
export interface Lister {
  readonly member: string;
  readonly isHospital: boolean;
  readonly quarter: Quarter;
}

/** Lists codes made in this quarter, each under an id of its own. Refusals in order of precedence. */
export function mayList({ quarter, entries }: ListCodes, lister: Lister): Refusal | undefined {
  const problem = stranger(lister) ?? untimely(quarter, lister);
  if (problem !== undefined) return problem;
  const isTwice = new Set(entries.map(({ entryId }) => entryId)).size < entries.length;
  return isTwice ? refuse('entry-exists', 'two entries have one entryId: draw a new one') : undefined;
}

/** One patient's codes, of the calling custodian's patient. Refusals in order of precedence. */
export function listed(
  entry: ListedCodes,
  { member }: Lister,
  isKnown: boolean,
  patient: PatientRecord | undefined,
): ListedCodes | Refusal {
  if (isKnown) return refuse('entry-exists', 'this entryId is taken: draw a new one');
  if (patient !== undefined && Object.hasOwn(patient.custodians, member)) return entry;
  return refuse('unknown-patient', 'the calling member is no custodian of a patient with this pid');
}

/** Purges exactly the keys, in this order, that the calling member announced. */
export function announced(
  keys: readonly string[],
  member: string,
  erasure: ErasureRecord | undefined,
): Refusal | undefined {
  const hashes = keys.map((key) => createHash('sha256').update(key).digest());
  const root = merkleRoot(hashes).toString('hex');
  if (erasure?.member === member && erasure.keys === keys.length && erasure.root === root) return undefined;
  return refuse('not-announced', 'announce the erasure of these keys first, in this order: ehr:erase-announce');
}

/** The secret of the quarter. Refusals in order of precedence. */
export function newSecret(request: NewSecret, lister: Lister, isKnown: boolean): LookupSecret | Refusal {
  const problem = stranger(lister) ?? untimely(request.quarter, lister);
  if (problem !== undefined) return problem;
  if (isKnown) return refuse('secret-exists', 'the quarter has its secret: patient:secret reads it');
  return { secret: request.secret };
}

/** Ends the secret of a quarter that is over. Refusals in order of precedence. */
export function retired(quarter: Quarter, lister: Lister, isKnown: boolean): Refusal | undefined {
  const problem = stranger(lister);
  if (problem !== undefined) return problem;
  if (quarter >= lister.quarter) return refuse('quarter-not-in-force', 'this quarter is not over');
  return isKnown ? undefined : refuse('unknown-secret', 'the quarter has no secret');
}

function stranger({ isHospital }: Lister): Refusal | undefined {
  return isHospital ? undefined : refuse('not-a-hospital', 'only hospitals look patients up');
}

function untimely(quarter: Quarter, lister: Lister): Refusal | undefined {
  if (quarter === lister.quarter) return undefined;
  return refuse('quarter-not-in-force', 'codes and secrets are made for the quarter of the last tick');
}
