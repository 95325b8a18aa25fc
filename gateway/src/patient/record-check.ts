/** Checks an exported record: signed by the hospital it names, whole, and each resource as it is on the ledger. */
import { agrees, evidenceOf, type ReadTransaction } from '../door/evidence.js';
import type { JsonObject } from '../fhir/json.js';
import type { PublicJwk } from '../settings.js';
import { recordRoot, signedRecord, type RecordClaims } from './record-proof.js';

/** By what a record is checked: members' keys in force, and the blocks of a peer of one's own. */
export interface RecordWitness {
  readonly ownerOf: (
    kid: string,
  ) => { readonly member: string; readonly jwk: Pick<PublicJwk, 'kty' | 'crv' | 'x' | 'y'> } | undefined;
  readonly transaction: ReadTransaction;
}

/** What is wrong with a record, a sentence each; and what was signed, where a member in force signed it. */
export interface CheckedRecord {
  readonly claims?: RecordClaims;
  readonly entries: readonly JsonObject[];
  readonly findings: readonly string[];
}

/** Checks a Bundle, decimals exact. */
export async function checkedRecord(bundle: JsonObject, witness: RecordWitness): Promise<CheckedRecord> {
  const entries = (bundle.entry ?? []) as readonly JsonObject[];
  const claims = await signedClaims(bundle, witness);
  if (claims === undefined) return { entries, findings: ['no member in force signed this record'] };
  const { member: signer } = claims;
  const isWhole = claims.count === entries.length && claims.root === recordRoot(entries);
  const findings = isWhole
    ? []
    : [`it is not the record that ${signer} signed: something was changed, added or left out`];
  for (const entry of entries) {
    if (!(await isOnLedger(entry, signer, witness))) findings.push(`${nameOf(entry)} is not on the ledger`);
  }
  return { claims, entries, findings };
}

/** What the member in force signed whose record it says it is. */
async function signedClaims({ signature }: JsonObject, { ownerOf }: RecordWitness): Promise<RecordClaims | undefined> {
  const { data = '' } = (signature ?? {}) as { readonly data?: string };
  const signed = await signedRecord(Buffer.from(data, 'base64').toString('utf8'), (kid) => ownerOf(kid)?.jwk);
  return signed !== undefined && signed.claims.member === ownerOf(signed.kid)?.member ? signed.claims : undefined;
}

async function isOnLedger(entry: JsonObject, member: string, { transaction }: RecordWitness): Promise<boolean> {
  const evidence = evidenceOf(entry);
  const resource = entry.resource as JsonObject | undefined;
  if (evidence === undefined || resource === undefined) return false;
  return agrees(resource, evidence, member, await transaction(evidence.txId));
}

function nameOf({ resource }: JsonObject): string {
  const { resourceType, id } = (resource ?? {}) as { readonly resourceType?: string; readonly id?: string };
  return `${resourceType ?? 'a resource'}/${id ?? ''}`;
}
