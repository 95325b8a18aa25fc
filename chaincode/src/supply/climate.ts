/** The cold chain: what readings break, by the limits that a lot was committed with. Pure. */
import { createHash } from 'node:crypto';
import { canonical } from '../lib/canonical';
import { isSignedBy, parseJws } from '../lib/jws';
import type { Refusal } from '../lib/refusal';
import { parseText } from '../lib/schema';
import {
  type Climate,
  commitmentOf,
  type DecideExcursion,
  type DecisionSignature,
  type Item,
  type LogClimate,
  type Logger,
  type Lot,
  parseBatch,
  type QuarantineRecord,
  type ReadingBatch,
  refuse,
  type RegisterLogger,
} from './api';
import { daysOf, type KineticDay, meanKineticOfDays, mergedDays, warmestWindow, windowEnding } from './kinetic-window';
import type { Party } from './lots';
import { heldBy } from './quarantine';
import { type Range, RANGES, type StorageLimits } from './storage';

/** Which limit was broken. */
export type Excursion = 'too-cold' | 'too-warm' | 'out-of-range-too-long' | 'mean-kinetic-temperature';

/** Highest mean kinetic temperature of a controlled room over 30 days (USP <1079.2>). */
const MOST_MEAN_KINETIC = 25_000;
/** How far a logger's clock may be ahead, milliseconds. */
const AHEAD_MS = 300_000;
const REGISTRARS = ['supply-operator', 'pharmacist', 'quality-officer', 'carrier', 'admin'];
const DECIDERS = ['quality-officer', 'regulator'];
const KEEPERS = ['supply-operator', 'pharmacist', 'quality-officer', 'carrier', 'device-gateway'];

/** A batch as a registered logger signed it. */
export interface SignedBatch extends ReadingBatch {
  readonly logger: Logger;
  /** SHA-256 of the JWS, hex. */
  readonly digest: string;
}

/** The batch in a JWS, by a logger that is registered. Throws the call's refusal for a payload that is no batch. */
export function batchOf(signed: string, logger: Logger | undefined): SignedBatch | Refusal {
  const jws = parseJws(signed);
  if (logger?.standing !== 'registered') return refuse('unknown-logger', 'no logger is registered under this key id');
  if (jws === undefined || !isSignedBy(jws, logger.jwk)) {
    return refuse('readings-not-signed', 'readings are a compact JWS (ES256) by the key of a registered logger');
  }
  return { ...parseText(parseBatch, jws.payload, 'signed'), logger, digest: sha256(signed) };
}

/** Registers a logger's key, or ends it. */
export function registerLogger(
  { jwk, standing }: RegisterLogger,
  { member, role }: Pick<Party, 'member' | 'role'>,
  known: Logger | undefined,
): Logger | Refusal {
  if (!REGISTRARS.includes(role)) return refuse('not-your-role', `only these roles register: ${REGISTRARS.join(', ')}`);
  const { kty, crv, x, y, kid } = jwk;
  const thumbprint = createHash('sha256').update(canonical({ crv, kty, x, y })).digest('base64url');
  if (kid !== thumbprint) return refuse('kid-not-thumbprint', 'the key id is the thumbprint of the key (RFC 7638)');
  if (known !== undefined && known.member !== member) return refuse('logger-taken', 'another member registered it');
  return { ...known, kid, member, jwk, standing };
}

/** What logging leads to: what is kept of the readings, and the quarantine where they broke a limit. */
export interface Judged {
  readonly climate: Climate;
  readonly logger: Logger;
  readonly quarantine?: QuarantineRecord;
}

/** What is known of an item whose climate is judged. */
export interface ClimateKnown {
  readonly item: Item;
  readonly lots: readonly Lot[];
  readonly before?: Climate | undefined;
  readonly held?: QuarantineRecord | undefined;
}

/** Judges a batch of readings by the strictest of the lots' limits; the holder alone brings them. */
export function judgeClimate(
  request: LogClimate,
  batch: SignedBatch,
  caller: { readonly member: string; readonly role: string },
  known: ClimateKnown,
  now: string,
): Judged | Refusal {
  const { item, before } = known;
  const { member } = caller;
  const limits = known.lots.flatMap(({ storage }) => (storage === undefined ? [] : [storage]));
  const until = new Date(Date.parse(batch.from) + batch.readings.length * batch.every * 60_000).toISOString();
  const problem = notForThem(request, caller, item, limits) ?? outOfTime(batch, until, before, now);
  if (problem !== undefined) return problem;
  const added = Math.max(...limits.map(({ kind }) => minutesOut(RANGES[kind], batch)));
  const own = daysOf(batch);
  const made = { by: member, at: now };
  const climate = { ...grown(item.id, before, { added, own, batch }), until, ...made };
  const logger: Logger = { ...batch.logger, until, last: batch.digest };
  const isNews = isWarmNews(before, own);
  const [excursion] = limits.flatMap((each) => excursionOf(each, batch.readings, climate, { added, isNews }) ?? []);
  return { climate, logger, ...quarantined(known, made, excursion) };
}

/** What was read of an item, with a batch more. */
function grown(
  item: string,
  before: Climate | undefined,
  { added, own, batch }: { readonly added: number; readonly own: readonly KineticDay[]; readonly batch: SignedBatch },
): Omit<Climate, 'until' | 'by' | 'at'> {
  const days = mergedDays(before?.days ?? [], own);
  return {
    item,
    minutesOut: (before?.minutesOut ?? 0) + added,
    meanKinetic: warmestWindow(days, batch.from.slice(0, 10)),
    days: windowEnding(days),
    chain: sha256((before?.chain ?? '') + batch.digest),
  };
}

/** A window that two persons released is not broken anew by cooler days, as long as it goes on. */
function isWarmNews(before: Climate | undefined, own: readonly KineticDay[]): boolean {
  return (before?.meanKinetic ?? 0) <= MOST_MEAN_KINETIC || meanKineticOfDays(own) > MOST_MEAN_KINETIC;
}

/** A hold by hand stays one beside the excursion: neither is released with the other. */
function quarantined(
  { item, held }: ClimateKnown,
  made: { readonly by: string; readonly at: string },
  excursion: Excursion | undefined,
): { readonly quarantine?: QuarantineRecord } {
  if (excursion === undefined || held?.excursion !== undefined || held?.standing === 'condemned') return {};
  const others = held === undefined ? {} : { also: [held.by, ...(held.also ?? [])] };
  return { quarantine: { id: item.id, standing: 'held', ...made, ...others, excursion } };
}

function notForThem(
  { salt }: LogClimate,
  { member, role }: { readonly member: string; readonly role: string },
  item: Item,
  limits: readonly StorageLimits[],
): Refusal | undefined {
  if (!KEEPERS.includes(role)) return refuse('not-your-role', `only these roles log: ${KEEPERS.join(', ')}`);
  if (item.holder !== commitmentOf(member, salt)) {
    return refuse('not-yours', 'the calling member does not hold it, or the salt is another');
  }
  if (limits.length > 0) return undefined;
  return refuse('no-storage-limits', 'its lots were committed without limits of storage');
}

/** Good readings count once: each batch begins where the last one of the item, and another one of the logger, ended. */
function outOfTime(
  { from, logger, digest }: SignedBatch,
  until: string,
  before: Climate | undefined,
  now: string,
): Refusal | undefined {
  const isKnown = from < (before?.until ?? '') || (digest !== logger.last && from < (logger.until ?? ''));
  if (isKnown) return refuse('readings-known', 'a batch begins where the last one of item and logger ended, or later');
  const isAhead = Date.parse(until) > Date.parse(now) + AHEAD_MS;
  return isAhead ? refuse('readings-ahead', 'the readings end in the future: set the clock of the logger') : undefined;
}

/** Signs for what becomes of an item in quarantine after an excursion: the second person's signature decides. */
export function decide(
  { decision, person, salt }: DecideExcursion,
  party: Party,
  known: { readonly item: Item | Refusal; readonly record?: QuarantineRecord | undefined },
  now: string,
): QuarantineRecord | Refusal {
  const { member } = party;
  const { record } = known;
  const problem = notTheirsToDecide(party, known.item, salt);
  if (problem !== undefined) return problem;
  if (record?.standing !== 'held' || record.excursion === undefined) {
    return refuse('no-excursion', 'no readings put it in quarantine, or it was decided');
  }
  const mine = { decision, member, person, at: now };
  const [first] = record.signatures ?? [];
  if (first === undefined || isSamePerson(first, mine)) return firstSignature(record, first, mine);
  return secondSignature(record, first, mine);
}

function secondSignature(
  record: QuarantineRecord,
  first: DecisionSignature,
  mine: DecisionSignature,
): QuarantineRecord | Refusal {
  const { decision } = mine;
  if (first.decision !== decision) return refuse('decision-differs', 'the other person signed for something else');
  if (decision === 'destroy') return { ...record, standing: 'condemned', signatures: [first, mine] };
  return heldBy(record, record.also ?? []) ?? { ...record, standing: 'released', signatures: [first, mine] };
}

function notTheirsToDecide(
  { member, role, isRegulator }: Party,
  item: Item | Refusal,
  salt: string | undefined,
): Refusal | undefined {
  if (!DECIDERS.includes(role)) return refuse('not-your-role', `only these decide: ${DECIDERS.join(', ')}`);
  if (item instanceof Error) return item;
  if (isRegulator || item.holder === commitmentOf(member, salt ?? '')) return undefined;
  return refuse('not-yours', 'whoever holds it decides, or the regulator');
}

/** Whoever signed first may change its mind, and is no second person. */
function firstSignature(
  record: QuarantineRecord,
  first: DecisionSignature | undefined,
  mine: DecisionSignature,
): QuarantineRecord | Refusal {
  if (first?.decision === mine.decision) return refuse('same-person', 'the second signature is another person’s');
  return { ...record, signatures: [mine] };
}

function isSamePerson(one: DecisionSignature, other: DecisionSignature): boolean {
  return one.member === other.member && one.person === other.person;
}

/** An item's minutes and days with those of the containers it was taken out of; undefined where those were never read. */
export function inherited(
  item: string,
  own: Climate | undefined,
  above: readonly Climate[],
  made: { readonly by: string; readonly at: string },
): Climate | undefined {
  const minutes = above.reduce((sum, { minutesOut: each }) => sum + each, 0);
  const added = above.flatMap((each) => each.days ?? []);
  if (minutes === 0 && added.length === 0) return undefined;
  const days = windowEnding(mergedDays(own?.days ?? [], added));
  // Heat that nobody released with the item's own: its next batch is judged as if nothing was.
  const meanKinetic = added.some(isWarm) ? undefined : own?.meanKinetic;
  return { item, ...own, minutesOut: (own?.minutesOut ?? 0) + minutes, meanKinetic, days, ...made };
}

function isWarm(day: KineticDay): boolean {
  return meanKineticOfDays([day]) > MOST_MEAN_KINETIC;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function minutesOut({ low, high }: Range, { readings, every }: ReadingBatch): number {
  return readings.filter((each) => each < low || each > high).length * every;
}

function excursionOf(
  { kind, allowance }: StorageLimits,
  readings: readonly number[],
  { minutesOut: minutes, meanKinetic = 0 }: Climate,
  { added, isNews }: { readonly added: number; readonly isNews: boolean },
): Excursion | undefined {
  const { least, most } = RANGES[kind];
  if (readings.some((each) => each < least)) return 'too-cold';
  if (readings.some((each) => each > most)) return 'too-warm';
  if (kind === 'controlled-room' && meanKinetic > MOST_MEAN_KINETIC && isNews) return 'mean-kinetic-temperature';
  // What two persons released breaks its limit anew only by further minutes.
  return added > 0 && minutes > allowance ? 'out-of-range-too-long' : undefined;
}
