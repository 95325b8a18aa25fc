/** What was split off a consent: kept with the custodian as a version of its own, joined again on read. */
import { joinCareForm, type ConsentInForce, type Rest } from '@salus/chaincode/consent/decide';

import type { JsonObject } from '../fhir/json.js';
import type { Actor, RecordWriter, StoredVersion } from '../ports.js';

/** Not a FHIR type, so no interaction reaches it. */
export const REST_TYPE = 'ConsentRest';

/** Where the rest is written and found. */
export interface RestPorts {
  readonly writer: RecordWriter;
  readonly current: (type: string, id: string) => StoredVersion | undefined;
}

const restId = (consentId: string, version: number): string => `${consentId}.${version}`;

/** Keeps the rest of one version, in place of what was kept of a try that came to nothing; none where there is none. */
export async function keepRest(
  ports: RestPorts,
  actor: Actor,
  of: { readonly consentId: string; readonly version: number; readonly patient: string },
  rest: Rest,
): Promise<void> {
  if (rest.length === 0) return;
  const id = restId(of.consentId, of.version);
  const kept = ports.current(REST_TYPE, id);
  if (JSON.stringify(restOf(ports, of.consentId, of.version)) === JSON.stringify(rest)) return;
  const text = JSON.stringify({ resourceType: REST_TYPE, id, rest });
  await ports.writer.write(actor, [{ type: REST_TYPE, id, expect: kept?.version ?? 0, text, patient: of.patient }]);
}

/** The rest of one version; empty where this member holds none. */
export function restOf(ports: Pick<RestPorts, 'current'>, consentId: string, version: number): Rest {
  const stored = ports.current(REST_TYPE, restId(consentId, version));
  if (stored === undefined || stored.text === '') return [];
  return (JSON.parse(stored.text) as { rest: Rest }).rest;
}

/** A consent as it was sent: its care form and the rest, if this member holds one. */
function joined(ports: RestPorts, consent: JsonObject): JsonObject {
  const { id, meta } = consent as { id?: string; meta?: { versionId?: string } };
  const rest = restOf(ports, id ?? '', Number(meta?.versionId ?? 0));
  return rest.length === 0 ? consent : joinCareForm(consent as unknown as ConsentInForce['care'], rest);
}

/** The same for every Consent of an answer, a Bundle's entries included. */
export function joinedAll(ports: RestPorts, resource: JsonObject): JsonObject {
  if (resource.resourceType === 'Consent') return joined(ports, resource);
  if (resource.resourceType !== 'Bundle' || !Array.isArray(resource.entry)) return resource;
  const entry = (resource.entry as readonly JsonObject[]).map((each) =>
    each.resource === undefined ? each : { ...each, resource: joinedAll(ports, each.resource as JsonObject) },
  );
  return { ...resource, entry };
}
