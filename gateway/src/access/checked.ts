/** Checks what a custodian handed over against the ledger, resource by resource, and marks where it came from. */
import { agrees, evidenceOf, type ReadTransaction } from '../door/evidence.js';
import type { JsonObject } from '../fhir/json.js';
import { withoutVersion } from './histories.js';
import { isNamedBy } from './searchsets.js';
import { disagreeing, incompleteTag, marked, missingEntry, sourceOf, uncheckedEntry } from './note.js';

/** How a transaction is read back from the own peer, and who hears of a custodian that does not agree with it. */
export interface CheckPorts {
  readonly transaction: ReadTransaction;
  readonly baseUrl: string;
  readonly onMissing: (custodian: string, error: unknown) => void;
}

/** The Bundle with every resource marked, and without those that do not agree with the block or with the path asked for. */
export async function checkedBundle(
  ports: CheckPorts,
  custodian: string,
  bundle: JsonObject,
  path: string,
): Promise<JsonObject> {
  const isNamed = isNamedBy(path);
  const entries = (bundle.entry ?? []) as readonly JsonObject[];
  const checked = await Promise.all(entries.map((entry) => checkedEntry(ports, custodian, entry, isNamed)));
  const good = checked.filter((entry) => entry !== undefined);
  const wrong = entries.filter((_, at) => checked[at] === undefined);
  if (wrong.length === 0) return { ...bundle, entry: good };
  ports.onMissing(custodian, new Error(`${wrong.length} resources do not agree with the ledger`));
  if (bundle.type !== 'history') return { ...bundle, entry: [...good, missingEntry(custodian)] };
  // Each version of a history has its place, and what is told of it stands there.
  const told = (at: number): JsonObject => withoutVersion(entries[at] ?? {}, disagreeing(custodian));
  return { ...bundle, entry: checked.map((entry, at) => entry ?? told(at)) };
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
  { transaction: read, baseUrl }: CheckPorts,
  custodian: string,
  entry: JsonObject,
  isNamed: (resource: JsonObject) => boolean,
): Promise<JsonObject | undefined> {
  const resource = entry.resource as JsonObject | undefined;
  if (resource === undefined || resource.resourceType === 'OperationOutcome') return entry;
  const evidence = evidenceOf(entry);
  // Whatever it is called, a part or anything else: nothing is shown that is not proven.
  if (evidence === undefined || !isNamed(resource)) return undefined;
  const holds = agrees(resource, evidence, custodian, await read(evidence.txId));
  return holds ? markedEntry(entry, custodian, baseUrl) : undefined;
}

function markedEntry(entry: JsonObject, custodian: string, baseUrl: string): JsonObject {
  const resource = entry.resource as JsonObject | undefined;
  if (resource === undefined || resource.resourceType === 'OperationOutcome') return entry;
  const { resourceType, id } = resource as { resourceType: string; id: string };
  const { search, request, response } = entry;
  return {
    fullUrl: `${baseUrl}/${resourceType}/${id}`,
    resource: marked(resource, sourceOf(custodian), [incompleteTag]),
    ...(search === undefined ? {} : { search }),
    ...(request === undefined ? {} : { request, response }),
  };
}
