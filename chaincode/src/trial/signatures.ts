/** Statements of people: compact JWS whose payload is exactly what is done, so that none counts for anything else. */
import { canonical } from '../lib/canonical';
import { isSignedBy, parseJws } from '../lib/jws';
import type { Refusal } from '../lib/refusal';
import type { PublicJwk } from '../lib/schema';
import { type Signature, SIGNING_TOLERANCE_MS } from './acts';
import type { DelegateRecord } from './records';
import { refuse } from './refusals';
import type { Parties } from './protocol';
import { type Doer, playsPartOf } from './rights';

/** Whether this key signed exactly this. */
export function says(statement: string, jwk: PublicJwk, content: object): boolean {
  const jws = parseJws(statement);
  return jws !== undefined && isSignedBy(jws, jwk) && jws.payload === canonical(content);
}

/** Refuses somebody who is not on the delegation log of the calling member in the role claimed. */
export function delegation(delegate: DelegateRecord | undefined, { member, role }: Doer): Refusal | undefined {
  if (delegate?.member === member && delegate.role === role && delegate.ended === undefined) return undefined;
  return refuse('not-delegated', 'the key is not on the delegation log of the calling member in this role');
}

/** Who may sign an unlock beside the CRO: those who answer for the trial, not those whose data it is. */
const BESIDE_UNLOCK: readonly string[] = ['sponsor', 'board', 'regulator'];

/**
 * Refuses an unlock that is not signed by two people of two members: one on the delegation log of the calling member in the
 * role of the caller, the other in a role that answers for the trial, of a member that plays that part now as ever.
 */
export function unlockers(
  signatures: readonly Pick<Signature, 'kid'>[],
  signers: ReadonlyMap<string, DelegateRecord>,
  by: Doer,
  parties: Parties,
): Refusal | undefined {
  const delegates = signatures.map(({ kid }) => signers.get(kid));
  if (signatures.length !== 2 || new Set(delegates.map((each) => each?.member)).size !== 2) {
    return refuse('two-signatures', 'two people of two members sign');
  }
  const isOwn = delegates.some((each) => delegation(each, by) === undefined);
  if (isOwn && delegates.some((each) => isBeside(each, by, parties))) return undefined;
  const others = BESIDE_UNLOCK.join(', ');
  return refuse('not-delegated', `a ${by.role} of the calling member signs, and of another that is it: ${others}`);
}

function isBeside(delegate: DelegateRecord | undefined, by: Doer, parties: Parties): boolean {
  if (delegate === undefined || delegate.member === by.member) return false;
  const { member, role } = delegate;
  return BESIDE_UNLOCK.includes(role) && playsPartOf(role, member, parties);
}

/** Refuses a signature that is not over exactly this content, by a key whose delegation holds, made now. */
export function signed(
  { kid, signedAt, name, statement }: Signature,
  delegate: DelegateRecord | undefined,
  content: object,
  now: string,
): Refusal | undefined {
  const isOpen = delegate !== undefined && delegate.ended === undefined && delegate.jwk.kid === kid;
  if (!isOpen) return refuse('not-delegated', 'the signing key is not on the delegation log');
  const isNow = Math.abs(Date.parse(signedAt) - Date.parse(now)) <= SIGNING_TOLERANCE_MS;
  if (isNow && says(statement, delegate.jwk, { ...content, signedAt, name })) return undefined;
  return refuse('signature-invalid', 'it must be over exactly this content, its meaning, and the time now');
}
