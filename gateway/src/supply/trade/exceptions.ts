/** Exceptions of shipments: reported by hand or by an incomplete receipt, told from door to door, resolved by both sides. */
import { randomBytes } from 'node:crypto';

import {
  commitmentOf,
  type EXCEPTION_KINDS,
  type RESOLUTIONS,
  type ShipmentException,
  transactions,
} from '@salus/chaincode/supply/api';

import type { Keep } from '../../ehr/keep.js';
import { Refusal } from '../../ledger/refusal.js';
import { actorBytes } from '../../ledger/vouched.js';
import type { Actor, Ledger } from '../../ports.js';
import { isHex } from '../packs/identity.js';
import type { ShelfPorts } from '../packs/shelf.js';
import { unlessDone } from '../packs/outcome.js';
import { PACK_SPACE, PACK_TYPES } from '../packs/stored.js';
import { publicRecord } from '../project.js';
import type { Telling } from './telling.js';

/** Path of what is told below a door's base. */
export const EXCEPTION_PATH = '$supply-exception';
/** Longest message about an exception, bytes. */
export const EXCEPTION_BYTES = 512 * 1024;
/** Milliseconds to wait until the projection shows what was written. */
const REACH_MS = 20_000;

/** How long what is told waits at the door for the block that proves it, milliseconds. */
const HEAR_MS = 3_000;

/** Class of an exception. */
export type ExceptionKind = (typeof EXCEPTION_KINDS)[number];

/** What is reported; none of it is on the ledger in clear. */
export interface ExceptionTerms {
  readonly kind: ExceptionKind;
  readonly epcs: readonly string[];
  readonly note: string;
  readonly shipmentId?: string | undefined;
}

/** An exception as each side keeps it. */
export interface KeptException extends ExceptionTerms {
  readonly exceptionId: string;
  readonly reporter: string;
  readonly respondent: string;
  /** Opens the respondent, and what is reported. */
  readonly salt: string;
}

/** What the other side answered. */
export interface KeptAnswer {
  readonly exceptionId: string;
  readonly salt: string;
  readonly answered: string;
}

/** An exception with what stands on the ledger. */
export interface ShownException extends Omit<KeptException, 'salt'> {
  readonly ledger?: Pick<ShipmentException, 'state' | 'reported' | 'answer' | 'proposal'> | undefined;
  /** What the other side answered. */
  readonly answered?: string | undefined;
}

/** How exceptions reach the ledger, the other side and this member's own record. */
export interface ExceptionPorts {
  readonly member: string;
  readonly ledger: Pick<Ledger, 'submit'>;
  readonly keep: Keep;
  readonly telling: Pick<Telling, 'tell'>;
  readonly projection: ShelfPorts['projection'] & { reached(block: number, timeoutMs: number): Promise<boolean> };
}

/** A member's exceptions. */
export class Exceptions {
  constructor(private readonly ports: ExceptionPorts) {}

  /** Every exception that this member reported or was told of, newest first. */
  list(): readonly ShownException[] {
    const all = this.ports.projection
      .facts(PACK_SPACE, 'exception/')
      .map(({ value }) => JSON.parse(value) as KeptException);
    return all
      .map((each) => this.#shown(each))
      .sort((a, b) => ((a.ledger?.reported ?? '') < (b.ledger?.reported ?? '') ? 1 : -1));
  }

  /** Reports to the other side: the exception's id. What was begun under this id before is gone on with. Throws Refusal. */
  async report(actor: Actor, respondent: string, terms: ExceptionTerms, exceptionId = random()): Promise<string> {
    const { member, keep, telling } = this.ports;
    if (respondent === member) throw new Refusal('invalid', 'invalid-request', 'name the other side of the shipment');
    const begun = this.#known(exceptionId);
    const kept = begun ?? { ...terms, exceptionId, reporter: member, respondent, salt: random() };
    // The other side is told what it must be able to open: what it is told is kept first.
    if (begun === undefined) await keep([{ type: PACK_TYPES.exception, value: kept }]);
    const { kind, salt } = kept;
    const request = { exceptionId, kind, respondent: commitmentOf(respondent, salt), terms: hashOf(kept) };
    let block: number | undefined;
    await unlessDone(begun !== undefined, 'exception-exists', async () => {
      block = await this.#submit(actor, transactions.report, request);
    });
    await telling.tell(exceptionId, { to: respondent, path: EXCEPTION_PATH, message: { exception: kept, block } });
    return exceptionId;
  }

  /** Answers what the other side reported. Throws Refusal. */
  async answer(actor: Actor, exceptionId: string, answer: string, answered: string): Promise<ShownException> {
    const { keep, telling } = this.ports;
    const exception = this.#find(exceptionId);
    const value: KeptAnswer = { exceptionId, salt: random(), answered };
    const terms = commitmentOf(answered, value.salt);
    const request = { exceptionId, salt: exception.salt, answer, terms };
    const block = await this.#submit(actor, transactions.answer, request);
    await keep([{ type: PACK_TYPES.answer, value }]);
    const { reporter } = exception;
    const message = { answer: value, block };
    await telling.tell(`${exceptionId}/answer`, { to: reporter, path: EXCEPTION_PATH, message });
    return this.#shown(exception);
  }

  /** Says how it ends: it has ended when the other side says the same. Throws Refusal. */
  async settle(actor: Actor, exceptionId: string, resolution: (typeof RESOLUTIONS)[number]): Promise<ShownException> {
    const exception = this.#find(exceptionId);
    const isReporter = exception.reporter === this.ports.member;
    const salt = isReporter ? {} : { salt: exception.salt };
    await this.#submit(actor, transactions.settle, { exceptionId, resolution, ...salt });
    return this.#shown(exception);
  }

  /** Takes in what another member's door tells, if the ledger says that it is so; undefined for anything else. */
  async hear(teller: string, body: string): Promise<object | undefined> {
    const { exception, answer, block } = parse(body);
    // The teller's peer may be a block ahead of the own one.
    if (block !== undefined) await this.ports.projection.reached(block, HEAR_MS);
    if (exception !== undefined && this.#isTheirs(exception, teller)) {
      await this.ports.keep([{ type: PACK_TYPES.exception, value: exception }]);
      return {};
    }
    if (answer === undefined) return undefined;
    const isRespondent = this.#known(answer.exceptionId)?.respondent === teller;
    const terms = this.#onLedger(answer.exceptionId)?.answer?.terms;
    if (!isRespondent || terms !== commitmentOf(answer.answered, answer.salt)) return undefined;
    await this.ports.keep([{ type: PACK_TYPES.answer, value: answer }]);
    return {};
  }

  #isTheirs(exception: KeptException, teller: string): boolean {
    const record = this.#onLedger(exception.exceptionId);
    const isNamed = exception.reporter === teller && exception.respondent === this.ports.member;
    const isOpened = record?.respondent === commitmentOf(this.ports.member, exception.salt);
    return isNamed && isOpened && record.reporter === teller && record.terms === hashOf(exception);
  }

  #find(exceptionId: string): KeptException {
    const known = this.#known(exceptionId);
    if (known === undefined) {
      throw new Refusal('not-found', 'unknown-exception', 'no exception of this id is known here');
    }
    return known;
  }

  #known(exceptionId: string): KeptException | undefined {
    const text = this.ports.projection.fact(PACK_SPACE, `exception/${exceptionId}`);
    return text === undefined ? undefined : (JSON.parse(text) as KeptException);
  }

  #shown({ exceptionId, kind, epcs, note, shipmentId, reporter, respondent }: KeptException): ShownException {
    const record = this.#onLedger(exceptionId);
    const ledger = record && {
      state: record.state,
      reported: record.reported,
      answer: record.answer,
      proposal: record.proposal,
    };
    const answered = this.ports.projection.fact(PACK_SPACE, `answer/${exceptionId}`);
    return { exceptionId, kind, epcs, note, shipmentId, reporter, respondent, ledger, answered };
  }

  #onLedger(exceptionId: string): ShipmentException | undefined {
    return publicRecord(this.ports.projection, `exception/${exceptionId}`) as ShipmentException | undefined;
  }

  async #submit(actor: Actor, transaction: string, request: object): Promise<number> {
    const argument = JSON.stringify(request);
    const commit = await this.ports.ledger.submit({ transaction, argument, transient: { actor: actorBytes(actor) } });
    await this.ports.projection.reached(commit.block, REACH_MS);
    return commit.block;
  }
}

/** What is reported as the ledger has it: under the exception's own salt. */
function hashOf({ kind, epcs, note, shipmentId, salt }: KeptException): string {
  return commitmentOf(JSON.stringify([kind, epcs, note, shipmentId ?? '']), salt);
}

function random(): string {
  return randomBytes(32).toString('hex');
}

/** What a door was told; `block` is the one that has it on the ledger. */
interface Told {
  readonly exception?: KeptException;
  readonly answer?: KeptAnswer;
  readonly block?: number;
}

function parse(body: string): Told {
  try {
    const { exception, answer, block } = JSON.parse(body) as {
      exception?: Partial<KeptException>;
      answer?: Partial<KeptAnswer>;
      block?: unknown;
    };
    const at = Number.isSafeInteger(block) ? { block: block as number } : {};
    if (exception !== undefined && isExceptionWhole(exception)) return { exception, ...at };
    const isWhole = [answer?.exceptionId, answer?.salt].every(isHex) && typeof answer?.answered === 'string';
    return isWhole ? { answer: answer as KeptAnswer, ...at } : {};
  } catch {
    return {};
  }
}

function isExceptionWhole(given: Partial<KeptException>): given is KeptException {
  const { exceptionId, salt, kind, epcs, note, reporter, respondent } = given;
  const areTexts = [kind, note, reporter, respondent].every((each) => typeof each === 'string');
  return (
    [exceptionId, salt].every(isHex) &&
    areTexts &&
    Array.isArray(epcs) &&
    epcs.every((each) => typeof each === 'string')
  );
}
