import type { Refusal } from '../lib/refusal';
import {
  type AnnounceErasure,
  type Condition,
  type ConditionRecord,
  type ErasureRecord,
  type EraseVersions,
  IDEMPOTENCY_DAYS,
  type IdempotencyRecord,
  isOver,
  MAX_ENTRIES,
  refuse,
  type SharedRequest,
  type VersionEntry,
  type WriteVersions,
} from './api';

/** What of a version's neighbourhood is there. */
export interface Presence {
  readonly entry: VersionEntry;
  /** The version itself. */
  readonly isThere: boolean;
  /** The version before; true for the first, which has none. */
  readonly hasPrevious: boolean;
}

/** The requests that a transaction writes for, each with its part of the entries. */
export function requestsOf(request: WriteVersions): readonly SharedRequest[] | Refusal {
  const { idempotencyKey, digest, entries, others = [] } = request;
  const own = others.reduce((left, other) => left - other.entries, entries.length);
  if (own < 1) return refuse('entries-missing', 'there are fewer entries than the requests say');
  const requests = [{ idempotencyKey, digest, entries: own }, ...others];
  if (new Set(requests.map((each) => each.idempotencyKey)).size === requests.length) return requests;
  return refuse('duplicate-entry', 'two requests have the same idempotency key');
}

/** Refuses a second use of an idempotency key: by the same request as done, by another as reused. */
export function firstUse(
  request: Pick<SharedRequest, 'digest'>,
  known: IdempotencyRecord | undefined,
): Refusal | undefined {
  if (known === undefined) return undefined;
  return known.digest === request.digest
    ? refuse('already-done', 'this request was written before: ehr:head tells by which transaction')
    : refuse('idempotency-key-reused', 'the idempotency key was used for another request: use a new one');
}

/** What a key still stands for; `tick` is the last one, however old: an old one only makes it stand longer. */
export function inForce(known: IdempotencyRecord | undefined, tick: string | undefined): IdempotencyRecord | undefined {
  return known !== undefined && tick !== undefined && isOver(known.at, tick) ? undefined : known;
}

/** Refuses to let go of a key that still stands for something. */
export function forget(known: IdempotencyRecord | undefined, tick: string | undefined): Refusal | undefined {
  if (inForce(known, tick) === undefined) return undefined;
  return refuse('still-remembered', `an idempotency key is remembered for ${IDEMPOTENCY_DAYS} days: wait for them`);
}

/** Refuses what builds on criteria by which another transaction created since the gateway looked. */
export function stillSo({ seen }: Condition, known: ConditionRecord | undefined): Refusal | undefined {
  if (known?.txId === seen) return undefined;
  return refuse('condition-changed', 'another request created by these criteria: look again');
}

/** Refuses two entries for one version. */
export function distinct(entries: readonly { readonly key: string; readonly version: number }[]): Refusal | undefined {
  const positions = new Set(entries.map(({ key, version }) => `${key}/${version}`));
  if (positions.size === entries.length) return undefined;
  return refuse('duplicate-entry', 'two entries are about the same version');
}

/** Appends, never overwrites: the version must be absent and the one before present. */
export function append({ entry, isThere, hasPrevious }: Presence): VersionEntry | Refusal {
  if (isThere) return refuse('version-conflict', 'this version is there already');
  if (!hasPrevious) return refuse('version-conflict', 'the version before is not there');
  return entry;
}

/** Announces an erasure. */
export function announce(
  request: AnnounceErasure,
  member: string,
  known: ErasureRecord | undefined,
  now: string,
): ErasureRecord | Refusal {
  if (known !== undefined) return refuse('erasure-exists', 'this erasureId is taken: draw a new one');
  return { ...request, member, announced: now };
}

/** Refuses a purge that its member did not announce, a part made before, and more keys than were announced in all. */
export function erase(
  request: EraseVersions,
  member: string,
  erasure: ErasureRecord | undefined,
  isDone: boolean,
): Refusal | undefined {
  if (erasure === undefined) return refuse('unknown-erasure', 'announce the erasure first: ehr:erase-announce');
  if (erasure.member !== member) return refuse('not-your-erasure', 'another member announced this erasure');
  if (isDone) return refuse('part-done', 'this part of the erasure was purged before: go on with the next');
  if (request.entries.length > erasure.keys - request.part * MAX_ENTRIES) {
    return refuse('too-many-keys', `the erasure was announced for ${erasure.keys} keys`);
  }
  return distinct(request.entries);
}
