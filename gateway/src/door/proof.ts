/** X-Access-Proof: the asking gateway's signature over who asks for what under which access, for one request. */
import { randomUUID } from 'node:crypto';

import { parseJws } from '@salus/chaincode/access/api';
import type { JWK } from 'jose';

import { SIGNATURE, type SigningKey } from '../identity/keys.js';
import { saysWith, signCompact } from '../identity/statements.js';

/** Longest a proof may live, seconds. */
export const PROOF_LIFETIME_S = 60;
/** How far the signer's clock may be ahead, seconds. */
const TOLERANCE_S = 5;
const TYPE = 'salus-access+jwt';
/** Longest proof looked at. */
export const MAX_PROOF_CHARACTERS = 4_096;

/** What a proof says of one request. */
export interface ProofOf {
  readonly aid: string;
  readonly actor: { readonly user: string; readonly role: string };
  /** Method and full URL. */
  readonly htm: string;
  readonly htu: string;
  /** Member whose door it is for. */
  readonly aud: string;
}

/** A proof whose signature is verified; that its `jti` is used once, the door's memory says. */
export interface CheckedProof extends ProofOf {
  readonly jti: string;
  /** Earliest and latest that it can be used, seconds since 1970. */
  readonly from: number;
  readonly exp: number;
  /** Member whose key signed. */
  readonly member: string;
}

/** A member's public key by its id. */
export type FindKey = (kid: string) => { readonly member: string; readonly jwk: JWK } | undefined;

/** Signs a proof, good for 60 seconds from `now` (ms since 1970). */
export function signProof({ aid, actor, htm, htu, aud }: ProofOf, by: SigningKey, now: number): string {
  const iat = Math.floor(now / 1000);
  const claims = { aid, actor, htm, htu, aud, iat, exp: iat + PROOF_LIFETIME_S, jti: randomUUID() };
  return signCompact(JSON.stringify(claims), by, { typ: TYPE });
}

/** The proof if a member signed it and it is in force at `now` (ms since 1970); undefined otherwise. */
export function checkProof(text: string, findKey: FindKey, now: number): CheckedProof | undefined {
  if (text.length > MAX_PROOF_CHARACTERS) return undefined;
  try {
    const by = ownerOf(text, findKey, TYPE);
    const said = by && saysWith(by.jwk, text);
    if (by === undefined || said === undefined) return undefined;
    const claims = JSON.parse(said) as Partial<CheckedProof> & { iat?: number };
    return isWhole(claims) && isInForce(claims, now / 1000)
      ? { ...claims, from: claims.iat - TOLERANCE_S, member: by.member }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Whose key the header of a compact JWS names; undefined for another type than expected, or a header not understood. */
export function ownerOf(compact: string, findKey: FindKey, type: string | undefined): ReturnType<FindKey> {
  const { kid, typ, alg, crit } = parseJws(compact)?.header ?? {};
  if (typeof kid !== 'string' || typ !== type || alg !== SIGNATURE || crit !== undefined) return undefined;
  return findKey(kid);
}

type Claims = Omit<CheckedProof, 'member' | 'from'> & { readonly iat: number };

function isWhole(claims: Partial<Claims>): claims is Claims {
  const texts = [claims.aid, claims.htm, claims.htu, claims.aud, claims.jti, claims.actor?.user, claims.actor?.role];
  return texts.every((each) => typeof each === 'string') && [claims.iat, claims.exp].every(Number.isFinite);
}

function isInForce({ iat, exp }: Claims, now: number): boolean {
  return exp > now && exp - iat <= PROOF_LIFETIME_S && iat <= now + TOLERANCE_S;
}
