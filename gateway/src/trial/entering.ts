/**
 * `$enter` and `$report-event`: keep a content at the site, put its commitment on the ledger, and hand it to the sponsor through the
 * door, in this order. What is begun is kept first: a gateway that was killed, or a sponsor that did not answer, is gone on with.
 */
import { transactions } from '@salus/chaincode/trial/api';

import { Errands } from '../errands.js';
import { type JsonObject, plainOf } from '../fhir/json.js';
import type { Given } from '../fhir/parameters.js';
import { requireValid } from '../fhir/validate.js';
import type { PendingWork } from '../keys/pending-work.js';
import { isDeclined } from '../ledger/refusal.js';
import { actorBytes } from '../ledger/vouched.js';
import type { Actor, Commit, LedgerCall } from '../ports.js';
import { commitmentOf, CONTENT_TYPE, contentOf, type EventPlace, heldContent, patientOf } from './content.js';
import { type Ask, commitmentsOf, type ContentPorts, eventCommitments, isEventContent, isTaken } from './hand-over.js';
import { demandTrial, isUseEnded, readLine } from './reading.js';

/** What entering needs of the gateway. */
export interface EnteringPorts extends Pick<ContentPorts, 'ledger' | 'facts' | 'keep'> {
  readonly ask: Ask;
  readonly pending: Pick<PendingWork, 'keep' | 'drop' | 'list'>;
}

/** What is asked of the contracts, by whom, about which content. */
interface EntryAct {
  readonly transaction: string;
  readonly argument: string;
  readonly actor: Pick<Actor, 'user' | 'role' | 'purpose'>;
  readonly resource: JsonObject;
}

/** The same before it is kept. */
interface Begun {
  readonly transaction: string;
  readonly asked: { readonly trial: string; readonly participant: string; readonly commitment: string };
  readonly actor: Actor;
  readonly resource: JsonObject;
}

/** A content on its way, by its commitment. */
interface OpenEntry {
  readonly trial: string;
  readonly participant: string;
  readonly sponsor: string;
  /** Who it is, as long as the entry began before the record of the patient was erased. */
  readonly patient?: string | undefined;
  /** Until the own copy is kept and the act on record; then the handing over alone is left. */
  readonly act?: EntryAct;
}

/** What became of an entry. */
export interface Entered {
  readonly commit: Commit;
  readonly commitment: string;
  /** Whether the sponsor took its copy; else it is asked again, ever more seldom. */
  readonly isHandedOver: boolean;
}

/** One gateway's entries. */
export class Entering {
  readonly #errands: Errands<OpenEntry>;

  constructor(private readonly ports: EnteringPorts) {
    this.#errands = new Errands(ports.pending, 'trial-entry/');
  }

  /** Enters or corrects a data point; the response with its decimals exact. Throws Refusal; what the contract refuses beforehand is kept nowhere. */
  async enter(
    { actor, sponsor, response }: { readonly actor: Actor; readonly sponsor: string; readonly response: JsonObject },
    trial: string,
    given: Given,
  ): Promise<Entered> {
    const n = given.number('n');
    const [participant, visit, form] = [given.text('participant'), given.text('visit'), given.text('form')] as const;
    const resource = contentOf({ trial, participant, visit, form, n }, response);
    demandValid(resource);
    const commitment = commitmentOf(resource);
    const what =
      n === 1 ? { act: 'enter', consent: given.number('consent') } : { act: 'correct', reason: given.text('reason') };
    const asked = { trial, participant, visit, form, n, ...what, delegate: given.text('delegate'), commitment };
    return await this.#begin({ transaction: transactions.point, asked, actor, resource }, sponsor);
  }

  /** Reports an adverse event, or follows it up: the contract's request but for the commitment, and its content, decimals exact. Throws Refusal. */
  async report(
    { actor, sponsor, event }: { readonly actor: Actor; readonly sponsor: string; readonly event: JsonObject },
    request: EventPlace,
  ): Promise<Entered> {
    const resource = contentOf(request, event);
    demandValid(resource);
    const asked = { ...request, commitment: commitmentOf(resource) };
    return await this.#begin({ transaction: transactions.reportEvent, asked, actor, resource }, sponsor);
  }

  async #begin({ transaction, asked, actor, resource }: Begun, sponsor: string): Promise<Entered> {
    const { trial, participant, commitment } = asked;
    const { user, role, purpose } = actor;
    const act = { transaction, argument: JSON.stringify(asked), actor: { user, role, purpose }, resource };
    await this.ports.ledger.evaluate(callOf(act));
    const open = { trial, participant, sponsor, patient: patientOf(this.ports.facts, { trial, participant }) };
    return await this.#errands.under(commitment, { ...open, act }, async () => {
      const commit = await this.#record(commitment, open, act).catch((error: unknown) => {
        if (isDeclined(error)) this.#ended(commitment);
        throw error;
      });
      return { commit, commitment, isHandedOver: await this.#handOver(commitment, open, resource) };
    });
  }

  /** Goes on with what was begun until the signal aborts. */
  async goOn(signal: AbortSignal): Promise<void> {
    await this.#errands.goOn(signal, async (commitment, entry) => {
      try {
        return await this.#again(commitment, entry);
      } catch (error) {
        // Of a patient whose record was erased meanwhile nothing is kept.
        return isDeclined(error) && this.#ended(commitment);
      }
    });
  }

  async #again(commitment: string, { act, ...open }: OpenEntry): Promise<boolean> {
    if (act !== undefined && !(await this.#isOnRecord(commitment, open))) {
      try {
        await this.ports.ledger.evaluate(callOf(act));
        await this.#record(commitment, open, act);
      } catch (error) {
        if (!isDeclined(error)) throw error;
        if (!(await this.#isOnRecord(commitment, open))) return this.#ended(commitment);
      }
    }
    if (act !== undefined) await this.#keepCopy(commitment, open, act);
    return await this.#handOver(commitment, open, act?.resource);
  }

  /** An act that was sent before the kill may be on record by now. */
  async #isOnRecord(commitment: string, { trial, participant }: OpenEntry): Promise<boolean> {
    const { ledger } = this.ports;
    if (commitmentsOf(await readLine(ledger, trial, participant)).includes(commitment)) return true;
    return eventCommitments(await demandTrial({ ledger }, trial), participant).includes(commitment);
  }

  /** The own copy, then the act. */
  async #record(commitment: string, open: OpenEntry, act: EntryAct): Promise<Commit> {
    await this.#keepCopy(commitment, open, act);
    const commit = await this.ports.ledger.submit(callOf(act));
    this.#errands.keep(commitment, open);
    return commit;
  }

  async #keepCopy(commitment: string, open: OpenEntry, { resource }: EntryAct): Promise<void> {
    const { facts, keep } = this.ports;
    if (heldContent(facts, commitment) !== undefined) return;
    await keep([{ type: CONTENT_TYPE, value: resource, patient: open.patient }]);
  }

  async #handOver(
    commitment: string,
    { trial, participant, sponsor }: OpenEntry,
    resource = heldContent(this.ports.facts, commitment),
  ): Promise<boolean> {
    // Of a patient whose record was erased meanwhile nothing is kept to hand over.
    if (resource === undefined) return this.#ended(commitment);
    const isEvent = isEventContent(resource);
    if (!isEvent && isUseEnded(await readLine(this.ports.ledger, trial, participant))) return this.#ended(commitment);
    if (!(await isTaken(this.ports.ask, sponsor, { trial, participant, resource }))) return false;
    return this.#ended(commitment);
  }

  #ended(commitment: string): true {
    this.#errands.drop(commitment);
    return true;
  }
}

/** Throws IssuesRefusal for what is no valid R4. */
function demandValid(resource: JsonObject): void {
  requireValid(plainOf(resource) as JsonObject);
}

function callOf({ transaction, argument, actor }: EntryAct): LedgerCall {
  return { transaction, argument, transient: { actor: actorBytes(actor) } };
}
