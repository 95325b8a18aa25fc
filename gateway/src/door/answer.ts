/** Answers a call that was let in: asks the record, attaches what each resource can be checked by, anchors a manifest. */
import type { ConsentDecision } from '../consent/decision.js';
import { provenanceOfId } from '../ehr/provenance-id.js';
import { bundleText, type BundleHead, type BundleParts, type EntryText } from '../fhir/bundle-text.js';
import { parseExactly, type JsonObject } from '../fhir/json.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import type { LateLog } from '../glass/late-log.js';
import type { KeyStore } from '../keys/key-store.js';
import type { Authorship, StoredVersion } from '../ports.js';
import { retold } from '../projection/stored.js';
import type { Admitted, DoorCall } from './admission.js';
import {
  agrees,
  evidenceExtension,
  withoutAdded,
  type Added,
  type Evidence,
  type ReadTransaction,
} from './evidence.js';
import { manifestOf, type Manifests } from './manifests.js';

/** What it takes to say how a stored value was made. */
export interface EvidencePorts {
  readonly member: string;
  readonly transaction: ReadTransaction;
  readonly version: (type: string, id: string, version: number) => StoredVersion | undefined;
  readonly keys: Pick<KeyStore, 'versionSecrets'>;
}

/** What the answer to an admitted caller is made from; nothing in it asks another member. */
export interface AnswerPorts extends EvidencePorts {
  /** The member's own FHIR interface, without its way to other members. */
  readonly fhir: (request: FhirRequest) => Promise<FhirResponse>;
  readonly decision: ConsentDecision;
  readonly manifests: Pick<Manifests, 'add'>;
  /** Where it is kept on disk what is delivered while the ledger is away. */
  readonly late: Pick<LateLog, 'delivered'>;
}

/** The door's answer, as text: always a Bundle; undefined where there is nothing to show. */
export async function answerCall(
  ports: AnswerPorts,
  { record, actor, frame }: Admitted,
  call: DoorCall,
): Promise<string | undefined> {
  const request: FhirRequest = { method: 'GET', path: call.path, query: uncounted(call), headers: {}, actor };
  const parts = partsOf(ports, await ports.decision.disclosing(frame, () => ports.fhir(request)));
  if (parts === undefined) return undefined;
  const proven = parts.entries.filter(({ stored }) => stored === undefined || !isDerived(stored));
  const entries = await Promise.all(proven.map((each) => evidencedText(ports, each)));
  const resources = entries.map(({ resource = 'null' }) => resource);
  if (record.late === undefined) ports.manifests.add(record.aid, resources);
  else ports.late.delivered(manifestOf(record.aid, resources));
  return bundleText(withoutTotal(parts.head), entries);
}

/** What is shown, as a Bundle in parts; undefined where that is nothing. */
function partsOf(ports: EvidencePorts, { status, resource, parts }: FhirResponse): BundleParts | undefined {
  if (status !== 200 || resource === undefined) return undefined;
  if (parts !== undefined) return parts;
  const text = typeof resource === 'string' ? resource : JSON.stringify(resource);
  const { resourceType, id, meta } = JSON.parse(text) as Whole;
  // It would go out with what it counts, and nothing could be checked of it.
  if (resourceType === 'Bundle') throw new Error('a door hands over Bundles in parts');
  const kept = ports.version(resourceType, id, Number(meta?.versionId ?? 0));
  const stored = kept && asShown(kept, text);
  return { head: { type: 'collection' }, entries: [{ resource: text, ...(stored === undefined ? {} : { stored }) }] };
}

/** A version as the asker sees it: a single read says no more than its text, which duties may have labelled. */
function asShown(stored: StoredVersion, text: string): StoredVersion {
  return text === stored.text
    ? stored
    : Object.assign(
        retold(stored, text, () => text),
        { isPart: true } as const,
      );
}

/** The query, a search's without counting what is not shown: to count is to decide about every match. */
function uncounted({ path, query }: DoorCall): URLSearchParams {
  if (path.includes('/')) return query;
  const asked = new URLSearchParams(query);
  asked.set('_total', 'none');
  return asked;
}

/** How many there are is not shown: it would count what is not permitted, or tell that nothing is left out. */
function withoutTotal({ type, link }: BundleHead): BundleHead {
  return link === undefined ? { type } : { type, link };
}

/** An entry as it goes out, with evidence where the text is the version's as it was written, but for what is put behind it. */
async function evidencedText(ports: EvidencePorts, entry: EntryText): Promise<EntryText> {
  const { resource, stored, more } = entry;
  if (stored === undefined || resource !== stored.text) return entry;
  const written: Written | undefined = stored.isPart === true ? writtenBefore(ports, stored) : { stored };
  if (written === undefined) return entry;
  const evidence = await evidenceFor(ports, () => parseExactly(written.stored.text) as JsonObject, written.stored);
  const { added } = written;
  if (evidence === undefined) return entry;
  return { ...entry, more: { ...more, extension: [evidenceExtension({ ...evidence, ...(added && { added }) })] } };
}

/** A version as it was written, and what is put behind that for who asks. */
interface Written {
  readonly stored: StoredVersion;
  readonly added?: Added;
}

/** The version that is shown with labels and notices behind its own; undefined where something is left out of it. */
function writtenBefore(ports: EvidencePorts, shown: StoredVersion): Written | undefined {
  const stored = ports.version(shown.type, shown.id, shown.version);
  if (stored === undefined || shown.lacks !== undefined) return undefined;
  const [more, less] = [shown, stored].map(({ text }) => parseExactly(text) as JsonObject) as [JsonObject, JsonObject];
  const added = {
    security: listed(more, 'security') - listed(less, 'security'),
    tag: listed(more, 'tag') - listed(less, 'tag'),
  };
  return JSON.stringify(withoutAdded(more, added)) === JSON.stringify(less) ? { stored, added } : undefined;
}

function listed({ meta }: JsonObject, name: 'security' | 'tag'): number {
  return ((meta as Record<string, readonly unknown[] | undefined> | undefined)?.[name] ?? []).length;
}

/** Provenance made as it is asked for: nothing could be checked of it, and who wrote a version goes with its evidence. */
function isDerived({ type, id }: StoredVersion): boolean {
  return type === 'Provenance' && provenanceOfId(id) !== undefined;
}

/** An entry with its evidence, where the resource is whole: the version as it was written, nothing redacted. */
export async function evidenced(ports: EvidencePorts, entry: JsonObject): Promise<JsonObject> {
  const resource = entry.resource as Whole | undefined;
  if (resource === undefined || resource.resourceType === 'OperationOutcome') return entry;
  const stored = ports.version(resource.resourceType, resource.id, Number(resource.meta?.versionId ?? 0));
  if (stored === undefined || !isWhole(resource, stored)) return entry;
  const evidence = await evidenceFor(ports, () => resource, stored);
  return evidence === undefined ? entry : { ...entry, extension: [evidenceExtension(evidence)] };
}

function isWhole(resource: JsonObject, { text }: StoredVersion): boolean {
  const shown = JSON.stringify(resource);
  return shown === text || shown === JSON.stringify(parseExactly(text));
}

type Whole = JsonObject & { resourceType: string; id: string; meta?: { versionId?: string } };

/** There is more than one pair of secrets only where an attempt to write was cut short: the block says which holds. */
async function evidenceFor(
  ports: EvidencePorts,
  resource: () => JsonObject,
  stored: StoredVersion,
): Promise<Evidence | undefined> {
  const { ledgerKey, txId, patient, by, beside } = stored;
  const candidates = ports.keys.versionSecrets(ledgerKey).map(({ key, salt }) => ({
    ledgerKey,
    txId,
    versionKey: Buffer.from(key).toString('base64url'),
    salt: Buffer.from(salt).toString('base64url'),
    ...(patient === undefined ? {} : { patient }),
    ...(by === undefined ? {} : { by: JSON.parse(by) as Authorship }),
    ...(beside === undefined ? {} : { beside }),
  }));
  if (candidates.length < 2) return candidates[0];
  const transaction = await ports.transaction(txId);
  return candidates.find((evidence) => agrees(resource(), evidence, ports.member, transaction));
}
