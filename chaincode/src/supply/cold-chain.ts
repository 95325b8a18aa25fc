/** What the transactions of the cold chain take, and their records. Temperatures in thousandths of a degree Celsius. */
import {
  code,
  compactJwsOf,
  hex256,
  instant,
  integer,
  list,
  object,
  oneOf,
  optional,
  type Parser,
  publicJwk,
  type PublicJwk,
} from '../lib/schema';
import { MAX_READINGS } from './kinetic';
import type { KineticDay } from './kinetic-window';
import { origin } from './requests';
import type { Origin } from './requests';

/** Longest signed batch of readings, characters. */
export const MAX_BATCH_CHARACTERS = 480_000;

/** supply:logger: a member's data logger, by the public half of its key, may sign readings, or no longer. */
export interface RegisterLogger {
  /** `kid` is the key's thumbprint (RFC 7638): nothing of the logger's name or place. */
  readonly jwk: PublicJwk;
  readonly standing: 'registered' | 'ended';
}

/** Stored under logger/<kid>. */
export interface Logger extends RegisterLogger {
  readonly kid: string;
  readonly member: string;
  /** End of what it signed so far: FHIR instant. */
  readonly until?: string | undefined;
  /** SHA-256 of the last batch it signed. */
  readonly last?: string | undefined;
}

/** What a logger signs: readings equally spaced in time. */
export interface ReadingBatch {
  /** FHIR instant of the first reading. */
  readonly from: string;
  /** Minutes between two readings. */
  readonly every: number;
  readonly readings: readonly number[];
}

/** supply:climate: what a registered logger read of an item. */
export interface LogClimate {
  readonly item: string;
  /** Opens the item's holder. */
  readonly salt: string;
  readonly origin?: Origin | undefined;
  /** Compact JWS (ES256) over a ReadingBatch as JSON, `kid` the logger's. */
  readonly signed: string;
}

/** Stored under climate/<item>. */
export interface Climate {
  readonly item: string;
  /** Minutes outside the limits in all its life, those in containers it lay in included. */
  readonly minutesOut: number;
  /** Of the warmest window of 30 days that ended within the last batch; absent where it was in containers alone, or in a warm one since. */
  readonly meanKinetic?: number | undefined;
  /** The last 30 days of it, those in containers it lay in included. */
  readonly days?: readonly KineticDay[] | undefined;
  /** End of its last batch: FHIR instant. */
  readonly until?: string | undefined;
  /** Over all batches: SHA-256 of the chain before and the SHA-256 of the batch, hex. */
  readonly chain?: string | undefined;
  readonly by: string;
  readonly at: string;
}

/** What becomes of what broke its limits. */
export type Decision = 'release' | 'destroy';

/** supply:decide: one of two signatures over what becomes of an item that readings put in quarantine. */
export interface DecideExcursion {
  readonly item: string;
  readonly decision: Decision;
  /** Salted hash of the person, made by the gateway that vouches for it: two persons never have one. */
  readonly person: string;
  /** Opens the item's holder, where no regulator decides. */
  readonly salt?: string | undefined;
  /** Of a unit without a record. */
  readonly origin?: Origin | undefined;
}

/** A signature over a decision. */
export interface DecisionSignature {
  readonly decision: Decision;
  readonly member: string;
  readonly person: string;
  readonly at: string;
}

/** Parser of RegisterLogger. */
export const parseLogger: Parser<RegisterLogger> = object<RegisterLogger>({
  jwk: publicJwk,
  standing: oneOf('registered', 'ended'),
});

/** Parser of LogClimate. */
export const parseClimate: Parser<LogClimate> = object<LogClimate>({
  item: hex256,
  salt: hex256,
  origin: optional(origin),
  signed: compactJwsOf(MAX_BATCH_CHARACTERS),
});

/** Parser of ReadingBatch. */
export const parseBatch: Parser<ReadingBatch> = object<ReadingBatch>({
  from: instant,
  every: integer(1, 1_440),
  readings: list(integer(-200_000, 200_000), 1, MAX_READINGS),
});

/** Parser of a logger's key id in a JWS. */
export const parseKid: Parser<string> = code;

/** Parser of DecideExcursion. */
export const parseDecide: Parser<DecideExcursion> = object<DecideExcursion>({
  item: hex256,
  decision: oneOf('release', 'destroy'),
  person: hex256,
  salt: optional(hex256),
  origin: optional(origin),
});
