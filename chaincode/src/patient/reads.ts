import type { SalusContext } from '../lib/context';
import { load } from '../lib/record';
import type { PatientKey, PatientLink, PatientRecord } from './api';
import { patientKeyKind, patientKind, patientLinkKind } from './state';

/** The patient's custodians; undefined for an id nobody registered. */
export function patientOf(ctx: SalusContext, pid: string): Promise<PatientRecord | undefined> {
  return load(ctx, patientKind, pid);
}

/** The keys with this id that the patient's custodians registered, in the custodians' order. */
export async function keysOf(ctx: SalusContext, patient: PatientRecord, kid: string): Promise<readonly PatientKey[]> {
  const keys: PatientKey[] = [];
  for (const custodian of Object.keys(patient.custodians).sort()) {
    const key = await load(ctx, patientKeyKind, patient.pid, custodian, kid);
    if (key !== undefined) keys.push(key);
  }
  return keys;
}

/** A link of two patients, whatever its state. */
export function linkOf(ctx: SalusContext, linkId: string): Promise<PatientLink | undefined> {
  return load(ctx, patientLinkKind, linkId);
}
