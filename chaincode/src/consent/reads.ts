import type { SalusContext } from '../lib/context';
import { load } from '../lib/record';
import type { ConsentList, ConsentRecord } from './api';
import { consentKind, consentListKind } from './state';

/** One version of a consent. */
export function consentVersion(ctx: SalusContext, id: string, version: number): Promise<ConsentRecord | undefined> {
  return load(ctx, consentKind, id, version.toString());
}

/** The list of what is in force; undefined before the first. */
export function consentList(ctx: SalusContext, pid: string): Promise<ConsentList | undefined> {
  return load(ctx, consentListKind, pid);
}

/** No FHIR id, so that no consent has it. */
const NOBODYS = '_';

/**
 * Every consent in force, in the order of their last change; none is left out. Reads `least` consents, of which those
 * that the patient has fewer are nobody's: how long it takes does not tell a patient without any, or no patient at all.
 */
export async function consentsInForce(ctx: SalusContext, pid: string, least = 0): Promise<readonly ConsentRecord[]> {
  const records: ConsentRecord[] = [];
  for (const { consentId, version } of (await consentList(ctx, pid))?.inForce ?? []) {
    const record = await consentVersion(ctx, consentId, version);
    if (record === undefined) throw new Error('a consent in force is not in the state');
    records.push(record);
  }
  for (let more = records.length; more < least; more += 1) await consentVersion(ctx, NOBODYS, more);
  return records;
}
