/**
 * `$enter`, `$declare-eligible` and `$report-event`: keep contents at the site, put their commitments on the ledger, and hand them to
 * the sponsor through the door, in this order; `$submit-event` at the sponsor does the same to the regulators. What is begun is kept first: a gateway that was killed, or a member that did not answer, is gone on with.
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
import {
  commitmentOf,
  CONTENT_TYPE,
  contentOf,
  type EventPlace,
  heldContent,
  heldContents,
  patientOf,
} from './content.js';
import { criterionContents } from './eligibility.js';
import {
  areTaken,
  type Ask,
  commitmentsOf,
  type ContentPorts,
  eventCommitments,
  isEventContent,
  reportCommitments,
} from './hand-over.js';
import { demandTrial, isUseEnded, readLine } from './reading.js';
import { SAFETY_REPORT_SYSTEM } from './systems.js';

/** What entering needs of the gateway. */
export interface EnteringPorts extends Pick<ContentPorts, 'ledger' | 'facts' | 'keep'> {
  readonly ask: Ask;
  readonly pending: Pick<PendingWork, 'keep' | 'drop' | 'list'>;
}

/** What is asked of the contracts, by whom, about which contents. */
interface EntryAct {
  readonly transaction: string;
  readonly argument: string;
  readonly actor: Pick<Actor, 'user' | 'role' | 'purpose'>;
  readonly resources: readonly JsonObject[];
}

/** The same before it is kept. */
interface Begun {
  readonly transaction: string;
  readonly asked: object;
  readonly about: { readonly trial: string; readonly participant: string };
  readonly actor: Actor;
  readonly resources: readonly [JsonObject, ...JsonObject[]];
}

/** Contents on their way, by the commitment of the first. */
interface OpenEntry {
  readonly trial: string;
  readonly participant: string;
  /** To whom they are handed. */
  readonly to: readonly string[];
  /** Who it is, as long as the entry began before the record of the patient was erased. */
  readonly patient?: string | undefined;
  readonly commitments: readonly string[];
  /** Until the own copy is kept and the act on record; then the handing over alone is left. */
  readonly act?: EntryAct;
}

/** What became of an entry. */
export interface Entered {
  readonly commit: Commit;
  readonly commitments: readonly string[];
  /** Whether all took their copies; else they are asked again, ever more seldom. */
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
    return await this.#begin(
      { transaction: transactions.point, asked, about: { trial, participant }, actor, resources: [resource] },
      [sponsor],
    );
  }

  /** Reports an adverse event, or follows it up: the contract's request but for the commitment, and its content, decimals exact. Throws Refusal. */
  async report(
    { actor, sponsor, event }: { readonly actor: Actor; readonly sponsor: string; readonly event: JsonObject },
    request: EventPlace,
  ): Promise<Entered> {
    const resource = contentOf(request, event);
    demandValid(resource);
    const asked = { ...request, commitment: commitmentOf(resource) };
    return await this.#begin(
      { transaction: transactions.reportEvent, asked, about: request, actor, resources: [resource] },
      [sponsor],
    );
  }

  /** Reports an adverse event to the regulators: which state of it, and what they are told, decimals exact. Throws Refusal. */
  async submit(
    { actor, to, report }: { readonly actor: Actor; readonly to: readonly string[]; readonly report: JsonObject },
    place: EventPlace,
  ): Promise<Entered> {
    const resource = contentOf(place, report, SAFETY_REPORT_SYSTEM);
    demandValid(resource);
    const { trial, participant, event, n } = place;
    const asked = { trial, event, n, commitment: commitmentOf(resource) };
    const transaction = transactions.submitEvent;
    return await this.#begin({ transaction, asked, about: { trial, participant }, actor, resources: [resource] }, to);
  }

  /** Declares somebody eligible: a response with an item for each criterion, its decimals exact. Throws Refusal. */
  async declare(
    { actor, sponsor, response }: { readonly actor: Actor; readonly sponsor: string; readonly response: JsonObject },
    whose: { readonly trial: string; readonly participant: string },
  ): Promise<Entered> {
    demandValid(response);
    const [first, ...more] = criterionContents(whose, response);
    const criteria = [first, ...more].map(({ id, resource }) => ({ id, commitment: commitmentOf(resource) }));
    const resources = [first.resource, ...more.map(({ resource }) => resource)] as const;
    const asked = { ...whose, criteria };
    return await this.#begin({ transaction: transactions.declareEligible, asked, about: whose, actor, resources }, [
      sponsor,
    ]);
  }

  async #begin({ transaction, asked, about, actor, resources }: Begun, to: readonly string[]): Promise<Entered> {
    const { trial, participant } = about;
    const { user, role, purpose } = actor;
    const act = { transaction, argument: JSON.stringify(asked), actor: { user, role, purpose }, resources };
    await this.ports.ledger.evaluate(callOf(act));
    const patient = patientOf(this.ports.facts, { trial, participant });
    const [first, ...more] = resources;
    const id = commitmentOf(first);
    const commitments = [id, ...more.map(commitmentOf)];
    const open = { trial, participant, to, patient, commitments };
    return await this.#errands.under(id, { ...open, act }, async () => {
      const commit = await this.#record(id, open, act).catch((error: unknown) => {
        if (isDeclined(error)) this.#ended(id);
        throw error;
      });
      return { commit, commitments, isHandedOver: await this.#handOver(id, open, resources) };
    });
  }

  /** Goes on with what was begun until the signal aborts. */
  async goOn(signal: AbortSignal): Promise<void> {
    await this.#errands.goOn(signal, async (id, entry) => {
      try {
        return await this.#again(id, entry);
      } catch (error) {
        // Of a patient whose record was erased meanwhile nothing is kept.
        return isDeclined(error) && this.#ended(id);
      }
    });
  }

  async #again(id: string, { act, ...open }: OpenEntry): Promise<boolean> {
    if (act !== undefined && !(await this.#isOnRecord(open))) {
      try {
        await this.ports.ledger.evaluate(callOf(act));
        await this.#record(id, open, act);
      } catch (error) {
        if (!isDeclined(error)) throw error;
        if (!(await this.#isOnRecord(open))) return this.#ended(id);
      }
    }
    if (act !== undefined) await this.#keepCopies(open, act);
    return await this.#handOver(id, open, act?.resources);
  }

  /** An act that was sent before the kill may be on record by now. */
  async #isOnRecord({ trial, participant, commitments }: OpenEntry): Promise<boolean> {
    const { ledger } = this.ports;
    const line = commitmentsOf(await readLine(ledger, trial, participant));
    if (commitments.every((each) => line.includes(each))) return true;
    const view = await demandTrial({ ledger }, trial);
    const events = [...eventCommitments(view, participant), ...reportCommitments(view, participant)];
    return commitments.every((each) => events.includes(each));
  }

  /** The own copies, then the act. */
  async #record(id: string, open: OpenEntry, act: EntryAct): Promise<Commit> {
    await this.#keepCopies(open, act);
    const commit = await this.ports.ledger.submit(callOf(act));
    this.#errands.keep(id, open);
    return commit;
  }

  async #keepCopies({ patient }: OpenEntry, { resources }: EntryAct): Promise<void> {
    const { facts, keep } = this.ports;
    const lacked = resources.filter((resource) => heldContent(facts, commitmentOf(resource)) === undefined);
    if (lacked.length > 0) await keep(lacked.map((value) => ({ type: CONTENT_TYPE, value, patient })));
  }

  async #handOver(
    id: string,
    { trial, participant, to, commitments }: OpenEntry,
    resources: readonly JsonObject[] = heldContents(this.ports.facts, commitments),
  ): Promise<boolean> {
    const { ledger, ask } = this.ports;
    // Of a patient whose record was erased meanwhile nothing is kept to hand over.
    if (resources.length === 0) return this.#ended(id);
    const isSafety = resources.every(isEventContent);
    if (!isSafety && isUseEnded(await readLine(ledger, trial, participant))) return this.#ended(id);
    const words = resources.map((resource) => ({ trial, participant, resource }));
    let isTakenByAll = true;
    for (const member of to) {
      if (!(await areTaken(ask, member, words))) isTakenByAll = false;
    }
    return isTakenByAll && this.#ended(id);
  }

  #ended(id: string): true {
    this.#errands.drop(id);
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
