/** Keeps records of the member's own that are no FHIR resources: in its collection, encrypted, like everything else. */
import { randomUUID } from 'node:crypto';

import { Refusal } from '../ledger/refusal.js';
import { GATEWAY_ACTOR } from '../ledger/vouched.js';
import type { Actor, RecordWriter } from '../ports.js';

/** Milliseconds to wait until the projection shows what was written. */
const REACH_MS = 20_000;

/** Where records are written, and where they are seen afterwards. */
export interface KeepPorts {
  readonly settings: { readonly member: string };
  readonly writer: RecordWriter;
  readonly projection: { reached(block: number, timeoutMs: number): Promise<boolean> };
}

/** A record; of a patient, it lies under that patient's key and goes with the record of the patient. */
export interface KeptRecord {
  readonly type: string;
  readonly value: unknown;
  /** FHIR id of a Patient kept here. */
  readonly patient?: string | undefined;
}

/** Keeps records in one transaction, under ids of their own, until the projection shows them. Throws Refusal. */
export type Keep = (records: readonly KeptRecord[]) => Promise<void>;

/** The member's keeper of such records, in the gateway's own name. */
export function keeper({ settings, writer, projection }: KeepPorts): Keep {
  const gateway: Actor = { ...GATEWAY_ACTOR, member: settings.member, scopes: [] };
  return async (records) => {
    const writes = records.map(({ type, value, patient }) => {
      const own = { type, id: randomUUID(), expect: 0, text: JSON.stringify(value) };
      return patient === undefined ? own : { ...own, patient };
    });
    const outcome = await writer.write(gateway, writes);
    if (outcome.state !== 'committed')
      throw new Refusal('unavailable', 'unknown', 'it is not known whether it was kept');
    await projection.reached(outcome.commit.block, REACH_MS);
  };
}
