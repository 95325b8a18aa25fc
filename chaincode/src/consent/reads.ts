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

/** Every consent in force, in the order of their last change. None is left out. */
export async function consentsInForce(ctx: SalusContext, pid: string): Promise<readonly ConsentRecord[]> {
  const records: ConsentRecord[] = [];
  for (const { consentId, version } of (await consentList(ctx, pid))?.inForce ?? []) {
    const record = await consentVersion(ctx, consentId, version);
    if (record === undefined) throw new Error('a consent in force is not in the state');
    records.push(record);
  }
  return records;
}
