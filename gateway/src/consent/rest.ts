/**
 * What was split off a consent: kept with the custodian as a record of its own, joined again on read. Of two requests
 * for one version each keeps its own before the ledger takes one of them, so that it is found by what that one wrote.
 */
import { createHmac } from 'node:crypto';

import type { StoredConsent } from '@salus/chaincode/consent/api';
import { joinCareForm, type ConsentInForce, type Rest } from '@salus/chaincode/consent/decide';

import type { JsonObject } from '../fhir/json.js';
import { canonicalForm } from '../identity/statements.js';
import type { PatientLookup } from '../patient/lookup.js';
import type { Actor, RecordWriter, StoredVersion } from '../ports.js';
import type { ConsentShelf } from './shelf.js';
import type { TrustedConsents } from './trusted.js';

/** Not a FHIR type, so no interaction reaches it. */
export const REST_TYPE = 'ConsentRest';

/** Where the rest is written and found. */
export interface RestPorts {
  readonly writer: RecordWriter;
  readonly current: (type: string, id: string) => StoredVersion | undefined;
}

/** Where the version is found that a consent was read from. */
export interface JoinPorts extends RestPorts {
  readonly projection: { version(type: string, id: string, version: number): StoredVersion | undefined };
  readonly lookup: Pick<PatientLookup, 'pidOf'>;
  readonly shelf: Pick<ConsentShelf, 'version'>;
  readonly trusted: Pick<TrustedConsents, 'replacedBy'>;
}

/** A version as the ledger has it, or will have it where it takes it: `salt` is of that value, hex. */
export type Recorded = Pick<StoredConsent, 'consent' | 'salt'>;

/**
 * Binds the rest to one attempt at one version, and to the care form it was split off: HMAC-SHA256 of that form under
 * the salt of the ledger's value, hex. Whoever knows the salt can give the text to no other form.
 */
function restId({ consent, salt }: Recorded): string {
  return createHmac('sha256', Buffer.from(salt, 'hex')).update(canonicalForm(consent)).digest('hex');
}

/**
 * Keeps the rest of a version, where there is one. What is kept of a request that comes to nothing is joined with
 * nothing, and goes with the patient's record.
 */
export async function keepRest(
  ports: RestPorts,
  actor: Actor,
  { recorded, patient }: { readonly recorded: Recorded; readonly patient: string },
  rest: Rest,
): Promise<void> {
  if (rest.length === 0) return;
  const id = restId(recorded);
  const text = JSON.stringify({ resourceType: REST_TYPE, id, rest });
  await ports.writer.write(actor, [{ type: REST_TYPE, id, expect: 0, text, patient }]);
}

/** The rest of one version; empty where this member holds none. */
export function restOf(ports: Pick<RestPorts, 'current'>, recorded: Recorded): Rest {
  const stored = ports.current(REST_TYPE, restId(recorded));
  if (stored === undefined || stored.text === '') return [];
  return (JSON.parse(stored.text) as { rest: Rest }).rest;
}

/** Whether the same was split off, in whatever order it was written. */
export function areSame(one: Rest, other: Rest): boolean {
  const [form, otherForm] = [one, other].map((rest) =>
    canonicalForm(Object.fromEntries(rest.map((each) => [each.path, each.value]))),
  );
  return form === otherForm;
}

/** Tag of a consent that another one replaced; its code is the id of that one. */
export const REPLACED_BY = 'urn:salus:replaced-by';

/** Its own status stays what the patient said. */
function tagged({ trusted }: JoinPorts, consent: JsonObject, { pid, consentId }: StoredConsent): JsonObject {
  const by = trusted.replacedBy(pid, consentId);
  if (by === undefined) return consent;
  const meta = (consent.meta ?? {}) as { readonly tag?: readonly JsonObject[] };
  // Somebody may have sent it back as it was read.
  const others = (meta.tag ?? []).filter(({ system }) => system !== REPLACED_BY);
  return { ...consent, meta: { ...meta, tag: [...others, { system: REPLACED_BY, code: by }] } };
}

/** The version of the ledger that an answer shows. */
function recordOf({ projection, lookup, shelf }: JoinPorts, consent: JsonObject): StoredConsent | undefined {
  const { id = '', meta } = consent as { id?: string; meta?: { versionId?: string } };
  const version = Number(meta?.versionId ?? 0);
  const patient = projection.version('Consent', id, version)?.patient;
  const pid = patient === undefined ? undefined : lookup.pidOf(patient);
  return pid === undefined ? undefined : shelf.version(pid, id, version)?.record;
}

/** A consent as it was sent: its care form and the rest, if this member holds one. */
function joined(ports: JoinPorts, consent: JsonObject): JsonObject {
  const record = recordOf(ports, consent);
  if (record === undefined) return consent;
  const rest = restOf(ports, record);
  const whole = rest.length === 0 ? consent : joinCareForm(consent as unknown as ConsentInForce['care'], rest);
  return tagged(ports, whole, record);
}

/** The same for every Consent of an answer, a Bundle's entries included. */
export function joinedAll(ports: JoinPorts, resource: JsonObject): JsonObject {
  if (resource.resourceType === 'Consent') return joined(ports, resource);
  if (resource.resourceType !== 'Bundle' || !Array.isArray(resource.entry)) return resource;
  const entry = (resource.entry as readonly JsonObject[]).map((each) =>
    each.resource === undefined ? each : { ...each, resource: joinedAll(ports, each.resource as JsonObject) },
  );
  return { ...resource, entry };
}
