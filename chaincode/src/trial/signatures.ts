/** Statements of people: compact JWS whose payload is exactly what is done, so that none counts for anything else. */
import { canonical } from '../lib/canonical';
import { isSignedBy, parseJws } from '../lib/jws';
import type { Refusal } from '../lib/refusal';
import type { PublicJwk } from '../lib/schema';
import { type Signature, SIGNING_TOLERANCE_MS } from './acts';
import type { DelegateRecord } from './records';
import { refuse } from './refusals';
import type { Doer } from './rights';

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
