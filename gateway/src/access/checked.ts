/** Checks what a custodian handed over against the ledger, resource by resource, and marks where it came from. */
import { agrees, evidenceOf, type ReadTransaction } from '../door/evidence.js';
import type { JsonObject } from '../fhir/json.js';
import { incompleteTag, marked, missingEntry, sourceOf, uncheckedEntry } from './note.js';

/** How a transaction is read back from the own peer, and who hears of a custodian that does not agree with it. */
export interface CheckPorts {
  readonly transaction: ReadTransaction;
  readonly baseUrl: string;
  readonly onMissing: (custodian: string, error: unknown) => void;
}

/** A resource that is not whole carries this tag of its custodian; nothing can be checked of it. */
const NOT_WHOLE = ['REDACTED', 'SUBSETTED', 'NORDSCLCD'];

/** The Bundle with every resource marked, and without those that do not agree with the block. */
export async function checkedBundle(ports: CheckPorts, custodian: string, bundle: JsonObject): Promise<JsonObject> {
  const entries = (bundle.entry ?? []) as readonly JsonObject[];
  const checked = await Promise.all(
    entries.map((entry) => checkedEntry(ports.transaction, custodian, entry, ports.baseUrl)),
  );
  const good = checked.filter((entry) => entry !== undefined);
  if (good.length === checked.length) return { ...bundle, entry: good };
  ports.onMissing(custodian, new Error(`${checked.length - good.length} resources do not agree with the ledger`));
  return { ...bundle, entry: [...good, missingEntry(custodian)] };
}

/** The Bundle with every resource marked, while the ledger to check it by is away, which it says. */
export function uncheckedBundle(
  { baseUrl }: Pick<CheckPorts, 'baseUrl'>,
  custodian: string,
  bundle: JsonObject,
): Promise<JsonObject> {
  const entries = (bundle.entry ?? []) as readonly JsonObject[];
  const entry = [...entries.map((each) => markedEntry(each, custodian, baseUrl)), uncheckedEntry(custodian)];
  return Promise.resolve({ ...bundle, entry });
}

async function checkedEntry(
  read: ReadTransaction,
  custodian: string,
  entry: JsonObject,
  baseUrl: string,
): Promise<JsonObject | undefined> {
  const resource = entry.resource as JsonObject | undefined;
  if (resource === undefined || resource.resourceType === 'OperationOutcome') return entry;
  return (await holds(read, custodian, entry, resource)) ? markedEntry(entry, custodian, baseUrl) : undefined;
}

function markedEntry(entry: JsonObject, custodian: string, baseUrl: string): JsonObject {
  const resource = entry.resource as JsonObject | undefined;
  if (resource === undefined || resource.resourceType === 'OperationOutcome') return entry;
  const { resourceType, id } = resource as { resourceType: string; id: string };
  const { search } = entry;
  return {
    fullUrl: `${baseUrl}/${resourceType}/${id}`,
    resource: marked(resource, sourceOf(custodian), [incompleteTag]),
    ...(search === undefined ? {} : { search }),
  };
}

async function holds(
  read: ReadTransaction,
  custodian: string,
  entry: JsonObject,
  resource: JsonObject,
): Promise<boolean> {
  const evidence = evidenceOf(entry);
  if (evidence === undefined) return isNotWhole(resource);
  return agrees(resource, evidence, custodian, await read(evidence.txId));
}

function isNotWhole({ meta }: JsonObject): boolean {
  const { security = [], tag = [] } = (meta ?? {}) as {
    security?: readonly { code?: string }[];
    tag?: readonly { code?: string }[];
  };
  return [...security, ...tag].some(({ code }) => NOT_WHOLE.includes(code ?? ''));
}
