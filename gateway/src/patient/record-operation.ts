/**
 * `GET Patient/{id}/$export-record`, by the patient, a guardian or a privacy officer of the hospital that keeps the
 * record: what `$everything` shows them as a Bundle `collection`, each resource with what proves it on the ledger, signed
 * by the hospital (R4 bundle.html#signature). `salus verify-record` checks it.
 */
import type { ReadTransaction } from '../door/evidence.js';
import { evidenced, type EvidencePorts } from '../door/answer.js';
import { parseExactly, type JsonObject } from '../fhir/json.js';
import { outcomeOf } from '../fhir/outcome.js';
import { Pace } from '../fhir/pace.js';
import type { Fhir, FhirRequest, FhirResponse } from '../fhir/request.js';
import type { SigningKey } from '../identity/keys.js';
import { Refusal } from '../ledger/refusal.js';
import { recordRoot, signRecord } from './record-proof.js';

/** What an export is made with. */
export interface RecordExportPorts extends EvidencePorts {
  readonly channel: string;
  readonly transaction: ReadTransaction;
  readonly signingKey: SigningKey;
  /** FHIR instant. */
  readonly now: () => string;
}

const ROLES = ['patient', 'guardian', 'privacy-officer'];
const PATH = /^Patient\/([A-Za-z0-9.-]{1,64})\/\$export-record$/;
/** ASTM E1762: a signature that verifies what is signed. */
const VERIFICATION = { system: 'urn:iso-astm:E1762-95:2013', code: '1.2.840.10065.1.12.1.5' };

/** The FHIR interface with the operation in front of it. */
export function withRecordExport(fhir: Fhir, ports: RecordExportPorts): Fhir {
  return async (request) => {
    const id = PATH.exec(request.path)?.[1];
    if (id === undefined || request.method !== 'GET') return await fhir(request);
    const pace = new Pace();
    const response = await exported(fhir, ports, request, id).catch((error: unknown) => ({
      headers: {},
      ...outcomeOf(error),
    }));
    await pace.leave(response.status);
    return response;
  };
}

async function exported(fhir: Fhir, ports: RecordExportPorts, request: FhirRequest, id: string): Promise<FhirResponse> {
  if (!ROLES.includes(request.actor.role)) {
    throw new Refusal('forbidden', 'not-heard', `a record is exported for ${ROLES.join(', ')}`);
  }
  const shown = await fhir({ ...request, path: `Patient/${id}/$everything`, query: new URLSearchParams() });
  if (shown.status !== 200) return shown;
  const bundle = (typeof shown.resource === 'string' ? parseExactly(shown.resource) : shown.resource) as JsonObject;
  const all = await Promise.all(((bundle.entry ?? []) as readonly JsonObject[]).map((each) => evidenced(ports, each)));
  // What other hospitals keep they prove themselves; what is redacted nobody can.
  const entry = all
    .filter((each) => each.extension !== undefined)
    .map((each) => Object.fromEntries<JsonObject[string]>(Object.entries(each).filter(([name]) => name !== 'search')));
  return { status: 200, headers: {}, resource: await signedBundle(ports, id, entry) };
}

async function signedBundle(
  ports: RecordExportPorts,
  patient: string,
  entry: readonly JsonObject[],
): Promise<JsonObject> {
  const { channel, member, signingKey } = ports;
  const at = ports.now();
  const said = {
    v: 1,
    kind: 'record',
    channel,
    member,
    patient,
    count: entry.length,
    root: recordRoot(entry),
    at,
  } as const;
  const jws = await signRecord(said, signingKey);
  return {
    resourceType: 'Bundle',
    type: 'collection',
    timestamp: at,
    entry,
    signature: {
      type: [VERIFICATION],
      when: at,
      who: { identifier: { system: 'urn:salus:member', value: member } },
      sigFormat: 'application/jose',
      data: Buffer.from(jws).toString('base64'),
    },
  };
}
