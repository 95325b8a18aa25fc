/** Typed records over composite keys and collections, as RFC 8785 JSON. Beside the context the only user of the stub. */
import { canonical } from './canonical';
import type { SalusContext } from './context';
import { composeKey, keyOf, type Kind } from './kind';
import { saltOf } from './salt';

type Attributes = readonly string[];

/** The record, or undefined where there is none. */
export async function load<T>(ctx: SalusContext, kind: Kind<T>, ...attributes: Attributes): Promise<T | undefined> {
  const key = keyOf(kind, ...attributes);
  // Whoever loads it may not change it.
  return (await readOnce(ctx, kind.place === 'public' ? '' : collectionOf(kind, ctx.caller.member), key)) as
    T | undefined;
}

/** What transactions under way have read, parsed, by collection and key. */
const read = new WeakMap<object, Map<string, unknown>>();

/** A transaction sees nothing of its own writes: what it read once is what it would read again, at the price of a call. */
async function readOnce({ stub }: SalusContext, collection: string, key: string): Promise<unknown> {
  const own = read.get(stub) ?? new Map<string, unknown>();
  read.set(stub, own);
  const name = `${collection}/${key}`;
  if (own.has(name)) return own.get(name);
  const bytes = collection === '' ? await stub.getState(key) : await stub.getPrivateData(collection, key);
  const record = bytes.length === 0 ? undefined : (JSON.parse(Buffer.from(bytes).toString('utf8')) as unknown);
  own.set(name, record);
  return record;
}

/** Whether there is a private record, by its hash alone, so that no value is read. */
export function exists(ctx: SalusContext, kind: Kind<unknown>, ...attributes: Attributes): Promise<boolean> {
  return existsAt(ctx, ctx.caller.member, kind, ...attributes);
}

/** The same in another member's collection: hashes are at every peer. */
export async function existsAt(
  ctx: SalusContext,
  member: string,
  kind: Kind<unknown>,
  ...attributes: Attributes
): Promise<boolean> {
  const hash = await ctx.stub.getPrivateDataHash(collectionOf(kind, member), keyOf(kind, ...attributes));
  return hash.length > 0;
}

/** Writes a public record. */
export async function save<T extends object>(ctx: SalusContext, kind: Kind<T>, key: Attributes, record: T) {
  if (kind.place !== 'public') throw new Error(`a ${kind.name} is private: it is saved with a salt`);
  await ctx.stub.putState(keyOf(kind, ...key), Buffer.from(canonical(record)));
}

/** Writes a private record with a salt of its own, made of the request's. */
export async function saveSalted<T extends object>(
  ctx: SalusContext,
  kind: Kind<T>,
  attributes: Attributes,
  record: T,
  salt: string,
): Promise<void> {
  const own = saltOf(salt, keyOf(kind, ...attributes));
  await saveSealed(ctx, kind, attributes, { ...record, salt: own });
}

/** Writes a private record that brings its salt with it. */
export async function saveSealed<T extends object>(
  ctx: SalusContext,
  kind: Kind<T>,
  attributes: Attributes,
  record: T & { readonly salt: string },
): Promise<void> {
  const value = Buffer.from(canonical(record));
  await ctx.stub.putPrivateData(collectionOf(kind, ctx.caller.member), keyOf(kind, ...attributes), value);
}

/** Purges a private record with its history at every peer that holds it. */
export async function purge(ctx: SalusContext, kind: Kind<unknown>, ...attributes: Attributes): Promise<void> {
  await ctx.stub.purgePrivateData(collectionOf(kind, ctx.caller.member), keyOf(kind, ...attributes));
}

/** Deletes a private record: its key may be written anew. */
export async function remove(ctx: SalusContext, kind: Kind<unknown>, ...attributes: Attributes): Promise<void> {
  await ctx.stub.deletePrivateData(collectionOf(kind, ctx.caller.member), keyOf(kind, ...attributes));
}

/** Every record whose key begins with these attributes, for evaluates: a range is never read by a transaction. */
export async function list<T>(ctx: SalusContext, kind: Kind<T>, ...prefix: Attributes): Promise<readonly T[]> {
  composeKey(kind.name, prefix);
  const rows =
    kind.place === 'public'
      ? ctx.stub.getStateByPartialCompositeKey(kind.name, [...prefix])
      : ctx.stub.getPrivateDataByPartialCompositeKey(collectionOf(kind, ctx.caller.member), kind.name, [...prefix]);
  const found: T[] = [];
  for await (const row of rows) found.push(JSON.parse(Buffer.from(row.value).toString('utf8')) as T);
  return found;
}

function collectionOf(kind: Kind<unknown>, member: string): string {
  if (kind.place === 'public') throw new Error(`a ${kind.name} is public`);
  return kind.place.replace('{member}', member);
}
