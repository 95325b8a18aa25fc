/** What people ask of packs by HTTP that no EPCIS event says, read from JSON. Pure. */
import { type ActName, ACTS, type EndReason } from '@salus/chaincode/supply/api';

import { Refusal } from '../../ledger/refusal.js';
import { canonicalEpc } from '../gs1/epc.js';
import { type ActStep, placeOf, type QuarantineStep } from '../packs/steps.js';

/** Most packs and containers in one request. */
export const MAX_ASKED_EPCS = 1_000;

const REASONS: readonly string[] = [
  'destroyed',
  'stolen',
  'exported',
  'sample',
  'locked',
  'withdrawn',
  'to-be-destroyed',
] satisfies readonly EndReason[];
/** These go with an event: their other side is told what was shipped. */
const BY_EVENT: readonly string[] = ['ship', 'return'] satisfies readonly ActName[];

/** An act of the table. Throws Refusal invalid naming what is wrong. */
export function askedAct(body: unknown): ActStep {
  const given = bodyOf(body);
  const act = word(
    given,
    'act',
    Object.keys(ACTS).filter((name) => !BY_EVENT.includes(name)),
  ) as ActName;
  const [to, reason, supplied] = [given.to, given.reason, given.supplied];
  return {
    kind: 'act',
    act,
    epcs: epcsOf(given.epcs),
    place: placeOf(textOf(given.place ?? '', 'place')),
    ...(to === undefined ? {} : { to: textOf(to, 'to') }),
    ...(reason === undefined ? {} : { reason: word(given, 'reason', REASONS) as EndReason }),
    ...(supplied === undefined ? {} : { supplied: word(given, 'supplied', ['yes', 'no']) as 'yes' | 'no' }),
  };
}

/** A quarantine of packs and containers, or of a lot. Throws Refusal invalid naming what is wrong. */
export function askedQuarantine(body: unknown): QuarantineStep {
  const given = bodyOf(body);
  const standing = word(given, 'standing', ['held', 'released']) as QuarantineStep['standing'];
  const { lotId, gtin, lot } = given;
  if (lotId !== undefined) {
    return { kind: 'quarantine', standing, epcs: [], lot: { lotId: textOf(lotId, 'lotId') } };
  }
  if (gtin === undefined) return { kind: 'quarantine', standing, epcs: epcsOf(given.epcs) };
  const ofLot = { gtin: textOf(gtin, 'gtin'), batch: textOf(lot, 'lot') };
  return { kind: 'quarantine', standing, epcs: [], lot: ofLot };
}

/** A JSON object. Throws Refusal invalid. */
export function bodyOf(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body))
    return body as Readonly<Record<string, unknown>>;
  throw bad('send a JSON object with Content-Type: application/json');
}

/** Packs and containers, canonical. Throws Refusal invalid. */
export function epcsOf(value: unknown): readonly string[] {
  const isRight = Array.isArray(value) && value.length >= 1 && value.length <= MAX_ASKED_EPCS;
  if (!isRight) throw bad(`epcs lists 1 to ${MAX_ASKED_EPCS} packs or containers as EPC URN or GS1 Digital Link`);
  return value.map(epcOf);
}

/** A pack or container, canonical. Throws Refusal invalid. */
export function epcOf(value: unknown): string {
  const epc = typeof value === 'string' ? canonicalEpc(value) : undefined;
  if (epc === undefined) throw bad('name it as EPC URN or a GS1 Digital Link with a right check digit');
  return epc;
}

/** One of some words. Throws Refusal invalid. */
export function word(given: Readonly<Record<string, unknown>>, name: string, choices: readonly string[]): string {
  const value = given[name];
  if (typeof value === 'string' && choices.includes(value)) return value;
  throw bad(`${name} is one of: ${choices.join(', ')}`);
}

/** A text of a request. Throws Refusal invalid. */
export function textOf(value: unknown, name: string): string {
  if (typeof value === 'string' && value.length <= 200) return value;
  throw bad(`${name} is a text of at most 200 characters`);
}

function bad(detail: string): Refusal {
  return new Refusal('invalid', 'invalid-request', detail);
}
