/** A regulator traces a product across all members in one query, under a case number: one bundle with proofs. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { type Capture, isIncluded, type StatusView, transactions } from '@salus/chaincode/supply/api';

import { Refusal } from '../../ledger/refusal.js';
import { actorBytes } from '../../ledger/vouched.js';
import type { Actor, Ledger } from '../../ports.js';
import { leafOf } from '../epcis/stored.js';
import { eventHash } from '../event/hash.js';
import { isMap } from '../event/json.js';
import { STANDARD, withContext } from '../event/namespaces.js';
import type { AskDoor } from '../packs/issuer.js';
import type { KnownItem } from '../packs/shelf.js';
import { statusOf } from '../packs/status.js';
import { PACK_TYPES } from '../packs/stored.js';
import { publicRecord } from '../project.js';
import {
  keptOf,
  TRACE_PATH,
  type TraceAnswer,
  tracedHere,
  type TracedEvent,
  type TracePorts,
  type TraceQuestion,
  traceTerms,
  type TraceWish,
} from './trace.js';

/** A door whose ledger is behind shows nothing yet: it is asked so often, with a pause between, milliseconds. */
const [TRIES, PAUSE_MS] = [6, 500];
/** Milliseconds to wait until the projection shows what was written. */
const REACH_MS = 20_000;

/** What one member said; an event that its proof does not lead to the ledger's root is named. */
export interface TracedMember extends Partial<TraceAnswer> {
  readonly member: string;
  readonly said: 'answered' | 'away';
  /** Positions of events that are not proven. */
  readonly unproven?: readonly number[];
}

/** The answer to a trace. */
export interface TraceBundle extends TraceWish {
  readonly traceId: string;
  /** The access record: in which block it lies. */
  readonly record: { readonly txId: string; readonly block: number };
  readonly made: string;
  /** The pack as the ledger has it, where one is traced and somebody knows it. */
  readonly ledger?: StatusView | undefined;
  readonly members: readonly TracedMember[];
}

/** How a trace is recorded, and whom it asks. */
export interface TracingPorts extends Omit<TracePorts, 'directory'> {
  readonly member: string;
  readonly ledger: Pick<Ledger, 'submit' | 'evaluate'>;
  readonly directory: { readonly names: readonly string[] };
  readonly ask: AskDoor;
  readonly lookUp: (gtin: string, serial: string) => Promise<KnownItem | undefined>;
  readonly reached: (block: number, timeoutMs: number) => Promise<boolean>;
  /** FHIR instant. */
  readonly now: () => string;
}

/** Records the request, then asks every member. Throws Refusal for who is no regulator. */
export async function traceEverywhere(ports: TracingPorts, actor: Actor, wish: TraceWish): Promise<TraceBundle> {
  const [traceId, salt] = [random(), random()];
  const question: TraceQuestion = { ...wish, traceId, salt };
  const commit = await ports.ledger.submit({
    transaction: transactions.trace,
    argument: JSON.stringify({ traceId, terms: traceTerms(wish, salt) }),
    transient: { actor: actorBytes(actor) },
  });
  const made = ports.now();
  await ports.reached(commit.block, REACH_MS);
  await ports.keep([{ type: PACK_TYPES.trace, value: keptOf(question, { by: ports.member, at: made }) }]);
  const members = await Promise.all(ports.directory.names.map((member) => askedOf(ports, member, question)));
  const known = wish.serial === undefined ? undefined : await ports.lookUp(wish.gtin, wish.serial).catch(nothing);
  const ledger = known && (await statusOf(ports.ledger, known));
  const record = { txId: commit.txId, block: commit.block };
  return { ...wish, traceId, record, made, ledger, members };
}

async function askedOf(ports: TracingPorts, member: string, question: TraceQuestion): Promise<TracedMember> {
  const answer = member === ports.member ? tracedHere(ports, question) : await saidBy(ports, member, question);
  if (answer === undefined) return { member, said: 'away' };
  const unproven = answer.events.flatMap((each, index) =>
    isWhole(each) && isProven(ports, each, member) ? [] : [index],
  );
  return { member, said: 'answered', ...answer, unproven };
}

async function saidBy(ports: TracingPorts, member: string, question: TraceQuestion): Promise<TraceAnswer | undefined> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    if (tries > 0) await sleep(PAUSE_MS);
    const said = (await ports.ask(member, TRACE_PATH, question).catch(nothing)) as Partial<TraceAnswer> | undefined;
    if (Array.isArray(said?.events) && Array.isArray(said.shipments)) return said as TraceAnswer;
  }
  return undefined;
}

function isWhole({ event, proof }: Partial<TracedEvent>): boolean {
  return isMap(event) && isMap(proof);
}

/** Whether the event is what its hash says, and the hash lies under the root that this member anchored. */
function isProven({ projection }: TracingPorts, { event, context, proof }: TracedEvent, member: string): boolean {
  const { hash, salt, index, count, path, anchor } = proof;
  const capture = publicRecord(projection, `capture/${String(anchor)}`) as Capture | undefined;
  const namespaces = withContext(withContext(STANDARD, context), event['@context']);
  if (capture?.member !== member || capture.count !== count || eventHash(event, namespaces) !== hash) return false;
  // What a door says is anybody's word: a proof of another shape proves nothing.
  const siblings = (Array.isArray(path) ? path : []).map((each) => Buffer.from(String(each), 'hex'));
  const leaf = leafOf({ hash, salt: String(salt) });
  return isIncluded(Buffer.from(capture.root, 'hex'), leaf, Number(index), capture.count, siblings);
}

function nothing(): undefined {
  return undefined;
}

function random(): string {
  return randomBytes(32).toString('hex');
}

/** What is asked for, checked. Throws Refusal invalid. */
export function traceWish(given: Readonly<Record<string, unknown>>): TraceWish {
  const { caseNumber, gtin, serial, lot } = given;
  const isCase = typeof caseNumber === 'string' && /^[\w./ -]{1,64}$/.test(caseNumber);
  if (!isCase) throw bad('caseNumber is 1 to 64 letters, digits, dots, slashes, spaces and hyphens');
  if (typeof gtin !== 'string' || !/^\d{14}$/.test(gtin)) throw bad('gtin is 14 digits');
  const [of] = [serial, lot].filter((each) => each !== undefined);
  const isOne = (serial === undefined) !== (lot === undefined);
  if (!isOne || typeof of !== 'string' || of.length < 1 || of.length > 20) {
    throw bad('give serial or lot, one of them, 1 to 20 characters');
  }
  return { caseNumber, gtin, ...(serial === undefined ? { lot: of } : { serial: of }) };
}

function bad(detail: string): Refusal {
  return new Refusal('invalid', 'invalid-request', detail);
}
