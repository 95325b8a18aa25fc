/** One chart across custodians: an answer about an own patient, joined by what the patient's links lead to. */
import { parseExactly, type JsonObject } from '../fhir/json.js';
import type { Chart, FhirRequest, FhirResponse } from '../fhir/request.js';
import type { PatientLinks, StandingLink } from '../patient/links.js';
import type { PatientLookup } from '../patient/lookup.js';
import { incompleteEntry, incompleteTag, missingEntry } from './note.js';
import type { RemoteReads } from './remote.js';
import { isCovered, isDecidedWithin, mayAsk, nextOf } from './searchsets.js';

/** Where a patient's links are found, and how the records they lead to are asked for. */
export interface JoinPorts {
  readonly lookup: PatientLookup;
  readonly links: PatientLinks;
  readonly remote: Pick<RemoteReads, 'byLink'>;
  /** Hears of a custodian that could not be asked. */
  readonly onMissing: (custodian: string, error: unknown) => void;
}

/**
 * The local answer, and after its last page what each linked patient's custodian permits the same asker to see. Each is
 * asked for access of its own; one that does not answer is an OperationOutcome entry.
 */
export async function joined(
  ports: JoinPorts,
  request: FhirRequest,
  local: FhirResponse,
  chart: Chart,
): Promise<FhirResponse> {
  const links = local.status === 200 ? followed(ports, request, chart.patient) : [];
  if (links.length === 0) return local;
  const bundle = bundleOf(local);
  if (nextOf(bundle) !== undefined) return local;
  const [type] = chart.types ?? [];
  const asked = type === undefined || isDecidedWithin(request, type, chart.patient) ? links : [];
  const added = await Promise.all(asked.map((link) => entriesBy(ports, request, chart, link)));
  const shown = added.flat().filter(isCovered(request.actor));
  const { status, headers } = local;
  return { status, headers, resource: JSON.stringify(withEntries(bundle, [...shown, incompleteEntry])) };
}

/** How many there are elsewhere nobody counts, so that the whole has no total. */
function withEntries(bundle: JsonObject, added: readonly object[]): JsonObject {
  const { tag = [], ...meta } = (bundle.meta ?? {}) as { tag?: readonly object[] };
  const entry = [...((bundle.entry ?? []) as readonly object[]), ...added];
  const kept = Object.fromEntries(Object.entries(bundle).filter(([name]) => name !== 'total'));
  return { ...kept, meta: { ...meta, tag: [...tag, incompleteTag] }, entry };
}

/** Links in force of an own patient whom the asker may ask for. */
function followed({ lookup, links }: JoinPorts, { actor }: FhirRequest, patient: string): readonly StandingLink[] {
  // In an emergency each hospital is told why before it shows anything: $break-glass asks there.
  if (actor.purpose === 'BTG' || !mayAsk(actor, patient) || !lookup.keeps(patient)) return [];
  const pid = lookup.pidOf(patient);
  return pid === undefined ? [] : links.inForce(pid);
}

async function entriesBy(
  ports: JoinPorts,
  request: FhirRequest,
  chart: Chart,
  link: StandingLink,
): Promise<readonly JsonObject[]> {
  const { custodian } = link.other;
  const patientId = ports.links.patientIdOf(link.other);
  if (patientId === undefined) return [];
  try {
    const query = new URLSearchParams(request.query);
    // It is a place in the own record alone.
    query.delete('_cursor');
    const asked = { linkId: link.linkId, pid: link.other.pid, custodian, patientId };
    return await ports.remote.byLink({ ...request, query }, asked, chart.types);
  } catch (error) {
    ports.onMissing(custodian, error);
    return [missingEntry(custodian)];
  }
}

function bundleOf({ resource }: FhirResponse): JsonObject {
  return (typeof resource === 'string' ? parseExactly(resource) : resource) as JsonObject;
}
