/** Events as a member keeps them: in its own collection, encrypted, and in its projection's facts. */
import { createHash } from 'node:crypto';

import type { Change } from '../../projection/projector.js';
import type { JsonMap } from '../event/json.js';
import { type Namespaces, STANDARD, withContext } from '../event/namespaces.js';
import type { Effect } from '../packs/stored.js';
import type { MasterElement } from './master-data.js';

/** Space of the projection's facts about events. */
export const EVENT_SPACE = 'epcis';
/** What the version of an event in the member's own collection is called. */
export const EVENT_TYPE = 'EpcisEvent';
/** What the version of a capture's job is called. */
export const JOB_TYPE = 'EpcisCapture';

/** What the version of a capture's master data is called. */
export const MASTER_TYPE = 'EpcisMasterData';
/** What the version of a named query is called. */
export const QUERY_TYPE = 'EpcisQuery';

/** A named query; without its parameters it was deleted. */
export interface NamedQuery {
  readonly name: string;
  readonly createdAt: string;
  readonly query?: JsonMap;
}

/** An event with what was noted at its capture; all of it is content, none of it public. */
export interface StoredEvent {
  /** With eventID and recordTime. */
  readonly event: JsonMap;
  /** Context of its document. */
  readonly context: unknown;
  /** CBV 2.0 event hash. */
  readonly hash: string;
  /** Goes with the hash under the capture's root, 32 random bytes in hex. */
  readonly salt: string;
  readonly captureID: string;
  /** Place in its capture. */
  readonly position: number;
}

/** What lies under a capture's root of an event: by its hash alone, whoever guesses an event could tell that it was captured. */
export function leafOf({ hash, salt }: Pick<StoredEvent, 'hash' | 'salt'>): Buffer {
  return Buffer.concat([Buffer.from(hash), Buffer.from(salt, 'hex')]);
}

/** What an event is stored under: its id, and whether it declares an error, so that no id is captured twice. */
export function identityOf({ event }: Pick<StoredEvent, 'event'>): string {
  return identityAs(String(event.eventID), event.errorDeclaration !== undefined);
}

/** The same of an event by its id. */
export function identityAs(eventID: string, isDeclaration: boolean): string {
  return createHash('sha256')
    .update(`${isDeclaration ? 'error ' : ''}${eventID}`)
    .digest('hex');
}

/** A stored event with the prefixes its names are read by. */
export interface ReadableEvent extends StoredEvent {
  readonly key: string;
  readonly namespaces: Namespaces;
}

/** A capture's job (EPCIS 2.0 section 8.2). */
export interface CaptureJob {
  readonly captureID: string;
  readonly createdAt: string;
  readonly finishedAt?: string;
  readonly running: boolean;
  readonly success: boolean;
  readonly captureErrorBehaviour: 'rollback' | 'proceed';
  readonly errors: readonly JsonMap[];
  /** Merkle root over the salted hashes of its events, in order, as anchored on the ledger under `anchor`. */
  readonly merkleRoot?: string;
  readonly anchor?: string;
  /** What its events did on the ledger, none where they only tell. */
  readonly effects?: readonly Effect[];
}

/** The projection's changes for a version of one of these types; undefined for all others. */
export function epcisChanges(type: string, id: string, text: string | undefined): readonly Change[] | undefined {
  if (text === undefined || !Object.hasOwn(FACTS, type)) return undefined;
  return FACTS[type]?.(id, text).map(([key, value]) => ({
    kind: 'fact',
    space: EVENT_SPACE,
    key,
    ...(value === undefined ? {} : { value }),
  }));
}

/** Facts by which events are found without looking at any other: each has the key of one. */
export const found = {
  /** By what `identityOf` says. */
  identity: (identity: string): string => `id/${identity}`,
  /** Of a capture, in its order. */
  capture: (captureID: string): string => `of/${captureID}/`,
};

/** Key of an event's fact: later ones come behind earlier ones. */
function eventKey({ event, captureID, position }: StoredEvent): string {
  return `event/${String(event.recordTime)}/${captureID}/${placeOf(position)}`;
}

/** When the event of a key was recorded; empty in a key of none. */
export function recordTimeIn(key: string): string {
  return key.split('/')[1] ?? '';
}

function placeOf(position: number): string {
  return String(position).padStart(6, '0');
}

/** Key of what is known of an id, followed by the vocabulary: no URI holds a space. */
export function masterKey(id: string): string {
  return `master/${id} `;
}

type Facts = (id: string, text: string) => readonly (readonly [key: string, value?: string])[];

const FACTS: Readonly<Record<string, Facts>> = {
  // What a later capture says of an element takes the place of what an earlier one said.
  [MASTER_TYPE]: (_id, text) =>
    (JSON.parse(text) as readonly MasterElement[]).map((each) => [
      masterKey(each.id) + each.type,
      JSON.stringify(each),
    ]),
  [JOB_TYPE]: (id, text) => [[`job/${id}`, text]],
  [QUERY_TYPE]: (_id, text) => {
    const { name, query } = JSON.parse(text) as NamedQuery;
    return [query === undefined ? [`query/${name}`] : [`query/${name}`, text]];
  },
  [EVENT_TYPE]: (_id, text) => {
    const stored = JSON.parse(text) as StoredEvent;
    const key = eventKey(stored);
    return [
      [key, text],
      [found.identity(identityOf(stored)), key],
      [found.capture(stored.captureID) + placeOf(stored.position), key],
    ];
  },
};

/** Reads a fact back. */
export function readable(key: string, value: string): ReadableEvent {
  const stored = JSON.parse(value) as StoredEvent;
  return { ...stored, key, namespaces: withContext(withContext(STANDARD, stored.context), stored.event['@context']) };
}
