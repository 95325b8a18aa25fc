/**
 * The test chaincode's one function: a list of operations, each a call of the stub, in one transaction. So a test says
 * what happens on the ledger where it stands, and nothing of it hides in a contract.
 */
import type { ChaincodeStub, Iterators } from 'fabric-shim';

/** An operation's name and arguments, all strings, as JSON carries them. */
export type Operation = readonly [name: string, ...args: string[]];

/** A response the operations ask for instead of 200 with their results. */
export class AskedResponse {
  constructor(
    readonly status: number,
    readonly message: string,
    readonly payload: Uint8Array,
  ) {}
}

type Run = (stub: ChaincodeStub, ...args: string[]) => unknown;

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

let invocations = 0;

const OPERATIONS: Readonly<Record<string, Run>> = {
  get: async (stub, key = '') => text(await stub.getState(key)),
  put: (stub, key = '', value = '') => stub.putState(key, Buffer.from(value)),
  del: (stub, key = '') => stub.deleteState(key),
  range: async (stub, start = '', end = '', limit = '') => rows(await stub.getStateByRange(start, end), limit),
  page: async (stub, start = '', end = '', size = '0', bookmark = '') => {
    const page = await stub.getStateByRangeWithPagination(start, end, Number(size), bookmark);
    return { rows: await rows(page.iterator), ...counted(page.metadata) };
  },
  composite: (stub, type = '', ...attributes) => stub.createCompositeKey(type, attributes),
  putComposite: (stub, value = '', type = '', ...attributes) =>
    stub.putState(stub.createCompositeKey(type, attributes), Buffer.from(value)),
  partial: async (stub, type = '', ...attributes) =>
    (await rows(await stub.getStateByPartialCompositeKey(type, attributes))).map(([key, value]) => [
      stub.splitCompositeKey(key).attributes,
      value,
    ]),
  history: async (stub, key = '') => modifications(await stub.getHistoryForKey(key)),
  query: async (stub, query = '') => rows(await stub.getQueryResult(query)),
  event: (stub, name = '', payload = '') => {
    stub.setEvent(name, Buffer.from(payload));
  },
  policy: (stub, key = '') => stub.setStateValidationParameter(key, Buffer.alloc(0)),
  call: (stub, chaincode = '', channel = '', ...args) => stub.invokeChaincode(chaincode, args, channel),
  privateGet: async (stub, collection = '', key = '') => text(await stub.getPrivateData(collection, key)),
  privateHash: async (stub, collection = '', key = '') => hex(await stub.getPrivateDataHash(collection, key)),
  privatePut: (stub, collection = '', key = '', value = '') => stub.putPrivateData(collection, key, Buffer.from(value)),
  privateDel: (stub, collection = '', key = '') => stub.deletePrivateData(collection, key),
  privatePurge: (stub, collection = '', key = '') => stub.purgePrivateData(collection, key),
  privateRange: async (stub, collection = '', start = '', end = '') =>
    rows(inner(await stub.getPrivateDataByRange(collection, start, end))),
  /** Stores a value of the transient map in a collection: what is secret never stands in an argument. */
  privateStore: (stub, collection = '', key = '', name = '') =>
    stub.putPrivateData(collection, key, stub.getTransient().get(name) ?? Buffer.alloc(0)),
  transient: (stub, name = '') => text(stub.getTransient().get(name) ?? Buffer.alloc(0)),
  creator: (stub) => stub.getCreator().mspid,
  mspId: (stub) => stub.getMspID(),
  timestamp: (stub) => stub.getDateTimestamp().toISOString(),
  process: () => process.pid,
  invocations: () => invocations,
  unequal: (stub, key = '') => stub.putState(key, Buffer.from(`${process.pid}-${process.hrtime.bigint()}`)),
  size: (_stub, length = '0') => 'x'.repeat(Number(length)),
  sleep: (_stub, milliseconds = '0') => new Promise((resolve) => setTimeout(resolve, Number(milliseconds))),
  throw: (_stub, message = '') => {
    throw new Error(message);
  },
  respond: (_stub, status = '200', message = '', payload = '') =>
    new AskedResponse(Number(status), message, Buffer.from(payload)),
};

/** Runs operations one after the other; their results, or the response one of them asked for. */
export async function runOperations(
  stub: ChaincodeStub,
  operations: readonly Operation[],
): Promise<unknown[] | AskedResponse> {
  invocations++;
  const results: unknown[] = [];
  for (const [name, ...args] of operations) {
    const run = OPERATIONS[name];
    if (!run) throw new Error(`the test chaincode has no operation ${name}`);
    const result = await run(stub, ...args);
    if (result instanceof AskedResponse) return result;
    // A write answers with an empty buffer: it has no result.
    results.push(result instanceof Uint8Array ? null : (result ?? null));
  }
  return results;
}

/** The shim wraps the iterator of a private range, whatever its types say. */
function inner(found: Iterators.StateQueryIterator): Iterators.StateQueryIterator {
  return (found as { iterator?: Iterators.StateQueryIterator }).iterator ?? found;
}

async function rows(iterator: Iterators.StateQueryIterator, limit = ''): Promise<[string, string][]> {
  const found: [string, string][] = [];
  const most = limit === '' ? Infinity : Number(limit);
  while (found.length < most) {
    const { value, done } = await iterator.next();
    if (done) return found;
    found.push([value.key, text(value.value)]);
  }
  await iterator.close();
  return found;
}

function counted(metadata: { fetchedRecordsCount: number; bookmark: string } | undefined): object {
  return { count: metadata?.fetchedRecordsCount ?? 0, bookmark: metadata?.bookmark ?? '' };
}

async function modifications(iterator: Iterators.HistoryQueryIterator): Promise<[string, boolean][]> {
  const found: [string, boolean][] = [];
  for (;;) {
    const { value, done } = await iterator.next();
    if (done) return found;
    found.push([text(value.value), value.isDelete]);
  }
}
