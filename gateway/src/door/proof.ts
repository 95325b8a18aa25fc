/** X-Access-Proof: the asking gateway's signature over who asks for what under which access, for one request. */
import { randomUUID } from 'node:crypto';

import { compactVerify, decodeProtectedHeader, SignJWT, type JWK } from 'jose';

import { asKey, SIGNATURE, type SigningKey } from '../identity/keys.js';

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
  /** Seconds since 1970. */
  readonly exp: number;
  /** Member whose key signed. */
  readonly member: string;
}

/** A member's public key by its id. */
export type FindKey = (kid: string) => { readonly member: string; readonly jwk: JWK } | undefined;

/** Signs a proof, good for 60 seconds from `now` (ms since 1970). */
export async function signProof(proof: ProofOf, by: SigningKey, now: number): Promise<string> {
  const issued = Math.floor(now / 1000);
  return await new SignJWT({ aid: proof.aid, actor: proof.actor, htm: proof.htm, htu: proof.htu })
    .setProtectedHeader({ alg: SIGNATURE, kid: by.kid, typ: TYPE })
    .setAudience(proof.aud)
    .setIssuedAt(issued)
    .setExpirationTime(issued + PROOF_LIFETIME_S)
    .setJti(randomUUID())
    .sign(by.key);
}

/** The proof if a member signed it and it is in force at `now` (ms since 1970); undefined otherwise. */
export async function checkProof(text: string, findKey: FindKey, now: number): Promise<CheckedProof | undefined> {
  if (text.length > MAX_PROOF_CHARACTERS) return undefined;
  try {
    const { kid = '', typ } = decodeProtectedHeader(text);
    const found = findKey(kid);
    if (found === undefined || typ !== TYPE) return undefined;
    const { payload } = await compactVerify(text, await asKey(found.jwk), { algorithms: [SIGNATURE] });
    const claims = JSON.parse(Buffer.from(payload).toString('utf8')) as Partial<CheckedProof> & { iat?: number };
    return isWhole(claims) && isInForce(claims, now / 1000) ? { ...claims, member: found.member } : undefined;
  } catch {
    return undefined;
  }
}

type Claims = Omit<CheckedProof, 'member'> & { readonly iat: number };

function isWhole(claims: Partial<Claims>): claims is Claims {
  const texts = [claims.aid, claims.htm, claims.htu, claims.aud, claims.jti, claims.actor?.user, claims.actor?.role];
  return texts.every((each) => typeof each === 'string') && [claims.iat, claims.exp].every(Number.isFinite);
}

function isInForce({ iat, exp }: Claims, now: number): boolean {
  return exp > now && exp - iat <= PROOF_LIFETIME_S && iat <= now + TOLERANCE_S;
}
