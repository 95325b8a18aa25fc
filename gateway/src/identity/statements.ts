/** Statements: what a person signs, as compact JWS (RFC 7515, ES256) over the RFC 8785 form of a resource. */
import canonicalize from 'canonicalize';
import { CompactSign, decodeProtectedHeader } from 'jose';

import { SIGNATURE, type SigningKey } from './keys.js';

/** What a statement is about; signed with it, beside the payload, which stays the resource. */
export interface StatementSubject {
  readonly channel: string;
  readonly consent: string;
  readonly version: number;
  /** The version it replaces; null for the first. */
  readonly replaces: number | null;
}

/** Signs a resource in its RFC 8785 form. */
export async function signStatement(resource: object, subject: StatementSubject, by: SigningKey): Promise<string> {
  return await signCanonical(resource, by, { salus: { ...subject } });
}

/** Signs the RFC 8785 form of what is said; `header` is signed with it. */
export async function signCanonical(
  content: object,
  by: SigningKey,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  return await new CompactSign(Buffer.from(canonicalForm(content)))
    .setProtectedHeader({ alg: SIGNATURE, kid: by.kid, ...header })
    .sign(by.key);
}

/** RFC 8785 form of a resource. */
export function canonicalForm(resource: object): string {
  const text = canonicalize(resource);
  if (text === undefined) throw new Error('the resource has no JSON form');
  return text;
}

/** The key id and subject a statement claims, unchecked; undefined when it is no statement. */
export function readStatement(
  statement: string,
): { readonly kid: string; readonly subject: StatementSubject } | undefined {
  try {
    const { alg, kid, salus } = decodeProtectedHeader(statement) as { alg?: string; kid?: string; salus?: unknown };
    if (alg !== SIGNATURE || kid === undefined || typeof salus !== 'object' || salus === null) return undefined;
    return { kid, subject: salus as StatementSubject };
  } catch {
    return undefined;
  }
}
