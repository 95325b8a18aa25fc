/** Checks a certificate of an erasure by a chain that was read: signed by the member it names, and done as it says. Pure. */
import { erasureKey, type ErasureRecord, MAX_ENTRIES } from '@salus/chaincode/ehr/api';
import { parseJws } from '@salus/chaincode/access/api';

import { saysWith } from '../identity/statements.js';
import { VALID } from '../ledger/blocks.js';
import type { LedgerTransaction, LedgerWrite } from '../ports.js';
import { rootOf, type CertificateClaims } from './certificate.js';

/** By what a certificate is checked. */
export interface ErasureWitness {
  readonly channel: string;
  /** The key that a member's key id names, or once named: a certificate outlives the key that signed it. */
  readonly keyOf: (member: string, kid: string) => object | undefined;
  /** By id, in the order of the blocks. */
  readonly transactions: ReadonlyMap<string, Pick<LedgerTransaction, 'code' | 'writes'>>;
}

/** What is wrong with a certificate, a sentence each; and what it says, where a member signed it. */
export interface CheckedCertificate {
  readonly claims?: CertificateClaims;
  readonly findings: readonly string[];
}

/** Checks a compact JWS. */
export function checkedCertificate(certificate: string, witness: ErasureWitness): CheckedCertificate {
  const claims = signedClaims(certificate, witness);
  if (claims === undefined) return { findings: ['no member signed this as a certificate of an erasure of its own'] };
  const findings = [
    ...(claims.channel === witness.channel ? [] : [`it is of channel ${claims.channel}, not of ${witness.channel}`]),
    ...(claims.root === rootOf(claims.keyHashes) ? [] : ['its root is not the one over its key hashes']),
    ...announcementFindings(claims, witness),
    ...purgeFindings(claims, witness),
  ];
  return { claims, findings };
}

/** What was signed, by a key of the member that it says it is of. */
function signedClaims(certificate: string, { keyOf }: ErasureWitness): CertificateClaims | undefined {
  const { header, payload } = parseJws(certificate) ?? {};
  const claims = payload === undefined ? undefined : parsed(payload);
  const kid = header?.kid;
  if (typeof kid !== 'string' || !isWhole(claims)) return undefined;
  const key = keyOf(claims.member, kid);
  return key !== undefined && saysWith(key, certificate) === payload ? claims : undefined;
}

/** Undefined for what is no JSON: a member may have signed anything. */
function parsed(text: string): Partial<CertificateClaims> | undefined {
  try {
    return JSON.parse(text) as Partial<CertificateClaims>;
  } catch {
    return undefined;
  }
}

function isWhole(claims: Partial<CertificateClaims> | undefined): claims is CertificateClaims {
  if (claims?.kind !== 'erasure') return false;
  if (![claims.member, claims.erasureId].every((each) => typeof each === 'string')) return false;
  const { keyHashes, purged } = claims;
  return [keyHashes, purged].every((list) => Array.isArray(list) && list.every((each) => typeof each === 'string'));
}

function announcementFindings(claims: CertificateClaims, witness: ErasureWitness): string[] {
  const { erasureId, announced, member, keyHashes, root } = claims;
  const value = writesOf(witness, announced).find(({ key }) => key === erasureKey(erasureId))?.value;
  if (value === undefined) return [`transaction ${announced} announces no erasure ${erasureId}`];
  const record = JSON.parse(Buffer.from(value).toString('utf8')) as ErasureRecord;
  const isSame = record.member === member && record.keys === keyHashes.length && record.root === root;
  return isSame ? [] : [`what was announced in transaction ${announced} is another erasure than it says`];
}

/** Every key is purged by the transaction whose part it is in, and written by none after that. */
function purgeFindings({ member, keyHashes, purged }: CertificateClaims, witness: ErasureWitness): string[] {
  const collection = `of-${member}`;
  const places = [...witness.transactions.keys()];
  const placeOf = new Map(places.map((txId, place) => [txId, place]));
  const purgedAt = new Map<string, number>();
  const sets = new Map<string, ReadonlySet<string>>();
  const purgesOf = (txId: string): ReadonlySet<string> => {
    const known = sets.get(txId);
    if (known !== undefined) return known;
    const purges = writesOf(witness, txId).filter((write) => write.isPurge && write.collection === collection);
    const found = new Set(purges.map(({ keyHash = '' }) => keyHash));
    sets.set(txId, found);
    return found;
  };
  const findings = keyHashes.flatMap((keyHash, index) => {
    const txId = purged[Math.floor(index / MAX_ENTRIES)] ?? '';
    purgedAt.set(keyHash, placeOf.get(txId) ?? 0);
    return purgesOf(txId).has(keyHash) ? [] : [`key ${keyHash} was not purged in ${txId}`];
  });
  const again = places.flatMap((txId, place) =>
    writesOf(witness, txId)
      .filter((write) => write.collection === collection && !write.isPurge && !write.isDelete)
      .filter(({ keyHash = '' }) => place > (purgedAt.get(keyHash) ?? places.length))
      .map(({ keyHash = '' }) => `key ${keyHash} was written again in ${txId}`),
  );
  return [...findings, ...again];
}

function writesOf({ transactions }: ErasureWitness, txId: string): readonly LedgerWrite[] {
  const found = transactions.get(txId);
  return found?.code === VALID ? found.writes : [];
}
