/** Consent over FHIR (http://hl7.org/fhir/R4/consent.html): written to `care`, read from the projection. */
import { patientIn } from '@salus/chaincode/consent/decide';

import { parseBody, type JsonObject } from '../fhir/json.js';
import type { FhirRequest, FhirResponse, Interaction, Served, Stable, TypeHandler } from '../fhir/request.js';
import { withVersion } from '../fhir/meta.js';
import { operationOutcome } from '../fhir/outcome.js';
import { idempotencyOf, newId } from '../fhir/idempotency.js';
import { isRefusal, Refusal } from '../ledger/refusal.js';
import { requireScope } from '../identity/scopes.js';
import { withLocalReferences } from './local.js';
import { recordConsent, type ConsentSent, type RecordedConsent, type RecorderPorts } from './recorder.js';
import { joinedAll } from './rest.js';

/** What the Consent endpoints need beside the recorder. */
export interface ConsentPorts extends RecorderPorts {
  readonly baseUrl: string;
  /** Resolves when the projection has applied the block, or gives up. */
  readonly reached: (block: number) => Promise<boolean>;
  readonly stable: Stable;
}

/** How often a retry under a key looks for what its first try made, a block apart. */
const LOOKS = 8;

/** Versions of a consent are what patients say: each is said whole, about one consent, and none is removed. */
export const CONSENT_SERVED: Served = {
  interactions: ['create', 'read', 'update', 'vread', 'search-type', 'history-type', 'history-instance'],
  instead: 'POST a consent, or PUT it under its id; it is never removed: PUT it with status inactive',
};

/** The handler of the type Consent. */
export function consentHandler(ports: ConsentPorts): TypeHandler {
  return async (request, interaction, proceed) => {
    if (interaction === 'create' || interaction === 'update') return await write(ports, request, interaction);
    const response = await proceed(request);
    if (response.resource === undefined) return response;
    return { ...response, resource: joinedAll(ports, asObject(response.resource)) };
  };
}

async function write(ports: ConsentPorts, request: FhirRequest, interaction: Interaction): Promise<FhirResponse> {
  const sent = sentBy(ports, request, interaction);
  requireScope(request.actor, 'Consent', interaction === 'create' ? ['c'] : ['u'], patientIn(sent.resource));
  const recorded = await recordedOnce(ports, request, sent).catch(accepted);
  if ('status' in recorded) return recorded;
  await ports.reached(recorded.commit.block);
  return answer(ports, recorded, interaction === 'create' || recorded.version === 1 ? 201 : 200);
}

/**
 * The same request under the same key takes effect once, at whichever gateway: it names the same consent, so that the
 * ledger takes one of them, and the other is answered by what is there once the projection has it.
 */
async function recordedOnce(ports: ConsentPorts, request: FhirRequest, sent: ConsentSent): Promise<RecordedConsent> {
  for (let looks = 1; ; looks += 1) {
    try {
      return await recordConsent(ports, sent);
    } catch (error) {
      const mayBeOwn = idempotencyOf(request) !== undefined && isRefusal(error, 'version-conflict');
      if (!mayBeOwn || looks === LOOKS) throw error;
      await ports.reached(ports.projection.block + 1);
    }
  }
}

/** Not known yet whether it is on the ledger: it is carried on, and of a withdrawal the doors have heard. */
function accepted(error: unknown): FhirResponse {
  if (!(error instanceof Refusal) || error.code !== 'outcome-unknown') throw error;
  const diagnostics =
    'accepted: the ledger has not confirmed it yet. A withdrawal is obeyed already by every hospital that could be reached.';
  const issue = { severity: 'information', code: 'informational', diagnostics } as const;
  return { status: 202, headers: {}, resource: operationOutcome([issue], error.code) };
}

function sentBy(ports: ConsentPorts, request: FhirRequest, interaction: Interaction): ConsentSent {
  const statement = request.headers['x-statement'];
  const body = parseBody(request.body ?? '').plain as JsonObject;
  // What is signed is taken as it was signed.
  const resource = statement === undefined ? withLocalReferences(body, ports.baseUrl) : body;
  const id = interaction === 'update' ? request.path.split('/')[1] : undefined;
  if (id !== undefined && resource.id !== id) {
    throw new Refusal('invalid', 'invalid-content', 'Consent.id must be the id in the URL');
  }
  const version = matched(request);
  return {
    actor: request.actor,
    resource,
    ...(id === undefined ? { newId: newId(ports, request) } : { id }),
    ...(version === undefined ? {} : { expect: Number(version) }),
    ...(statement === undefined ? {} : { statement }),
  };
}

/** The version that `If-Match` names. */
function matched({ headers }: FhirRequest): string | undefined {
  return /^(?:W\/)?"(\d+)"$/.exec(headers['if-match'] ?? '')?.[1];
}

function answer(ports: ConsentPorts, { id, version, commit, resource }: RecordedConsent, status: number): FhirResponse {
  const stored = ports.current('Consent', id);
  const lastUpdated = stored?.version === version ? stored.lastUpdated : undefined;
  const text = JSON.stringify({ ...resource, resourceType: 'Consent', id });
  return {
    status,
    headers: {
      ETag: `W/"${version}"`,
      ...(lastUpdated === undefined ? {} : { 'Last-Modified': new Date(lastUpdated).toUTCString() }),
      Location: `${ports.baseUrl}/Consent/${id}/_history/${version}`,
      'X-Tx-Id': commit.txId,
      'X-Block': String(commit.block),
    },
    resource: lastUpdated === undefined ? text : withVersion(text, version, lastUpdated),
  };
}

function asObject(resource: JsonObject | string): JsonObject {
  return typeof resource === 'string' ? (JSON.parse(resource) as JsonObject) : resource;
}
