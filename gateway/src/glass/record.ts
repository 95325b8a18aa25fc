/** What a custodian keeps of broken glass in its own record: why, by whom, what the review found; and that the patient is told. */
import { createHash, randomUUID } from 'node:crypto';

import { GATEWAY_ACTOR } from '../ledger/vouched.js';
import type { Actor, RecordWriter, StoredVersion } from '../ports.js';
import type { Glass, GlassState } from './store.js';

/** Not a FHIR type, so no interaction reaches it. */
export const GLASS_TYPE = 'BrokenGlass';

/** Why glass is broken, coded. */
export const GLASS_REASONS = ['unconscious', 'life-threatening', 'urgent-treatment', 'cannot-consent'] as const;
/** Longest free text with it, characters. */
export const MAX_GLASS_TEXT = 1_000;

/** Where the reason, the review and the patient's notice are written: this member's own record. */
export interface GlassRecordPorts {
  readonly member: string;
  readonly writer: RecordWriter;
  readonly current: (type: string, id: string) => StoredVersion | undefined;
  readonly version: (type: string, id: string, version: number) => StoredVersion | undefined;
  /** FHIR instant. */
  readonly now: () => string;
}

/** Why, in code and words. */
export interface GlassReason {
  readonly reason: string;
  readonly text: string;
  readonly role: string;
  /** The request that the asking member signed, where it opened by that alone. */
  readonly signed?: string;
  /** When it opened, a FHIR instant, where that was while the ledger was away. */
  readonly openedLate?: string;
}

/** Id of an act outside the gateways: the access id itself stays between them. */
export const glassId = (aid: string): string => createHash('sha256').update(aid).digest('hex');

/** When an act came on the ledger, a FHIR instant; undefined where it is not there yet. */
export function recordedAt({ version }: Pick<GlassRecordPorts, 'version'>, aid: string): string | undefined {
  return version(GLASS_TYPE, glassId(aid), 1)?.lastUpdated;
}

/** Keeps why, and, where the record opens, tells the patient; in one transaction, on the ledger when it resolves. */
export async function keepGlass(
  ports: GlassRecordPorts,
  glass: Glass,
  why: GlassReason,
  state: GlassState,
): Promise<'committed' | 'unknown'> {
  const id = glassId(glass.aid);
  if (ports.current(GLASS_TYPE, id) !== undefined) return 'committed';
  const { patient, member, user, follows } = glass;
  const act = follows === undefined ? 'summary' : 'everything';
  const { reason, text, role, signed, openedLate } = why;
  const kept = {
    ...{ resourceType: GLASS_TYPE, id, at: openedLate ?? ports.now(), member, user, reason, text, role },
    ...(signed !== undefined && { signed }),
    ...{ act, state },
  };
  const entry = { type: GLASS_TYPE, id, expect: 0, text: JSON.stringify(kept), patient };
  const told = state === 'waiting' ? [] : [noticeOf(ports, glass, why, act)];
  return (await ports.writer.write(gatewayOf(ports), [entry, ...told])).state;
}

/** Keeps what the officer found, as the next version. */
export async function keepReview(
  { writer, current, now }: GlassRecordPorts,
  actor: Actor,
  { aid, patient }: Glass,
  found: { readonly outcome: string; readonly note: string },
): Promise<'committed' | 'unknown'> {
  const id = glassId(aid);
  const stored = current(GLASS_TYPE, id);
  const kept = stored === undefined ? { resourceType: GLASS_TYPE, id } : (JSON.parse(stored.text) as object);
  const review = { ...found, by: actor.user, role: actor.role, at: now() };
  const text = JSON.stringify({ ...kept, review });
  return (await writer.write(actor, [{ type: GLASS_TYPE, id, expect: stored?.version ?? 0, text, patient }])).state;
}

function gatewayOf({ member }: GlassRecordPorts): Actor {
  return { member, ...GATEWAY_ACTOR, scopes: [] };
}

/** A Communication to the patient, in the patient's own record. */
function noticeOf({ now }: GlassRecordPorts, glass: Glass, { reason, role, openedLate }: GlassReason, act: string) {
  const { patient, member, user } = glass;
  const id = randomUUID();
  const reference = `Patient/${patient}`;
  const when = openedLate === undefined ? '' : `, at ${openedLate}, while the ledger was away`;
  const contentString = `In an emergency (${reason}) a ${role} of ${member} (${user}) opened of your record: ${act}${when}.`;
  const text = JSON.stringify({
    resourceType: 'Communication',
    id,
    status: 'completed',
    category: [{ coding: [{ system: CATEGORY, code: 'notification' }] }],
    subject: { reference },
    sent: now(),
    recipient: [{ reference }],
    reasonCode: [{ coding: [{ system: REASON, code: 'BTG' }] }],
    payload: [{ contentString }],
  });
  return { type: 'Communication', id, expect: 0, text, patient };
}

const CATEGORY = 'http://terminology.hl7.org/CodeSystem/communication-category';
const REASON = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';
