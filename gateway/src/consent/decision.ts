/** The gateway's decisions: consent's `decide` and the role table, for every resource of every answer. */
import { AsyncLocalStorage } from 'node:async_hooks';

import { mayAskAtAll, type ConsentInForce, type Decision as Ruling } from '@salus/chaincode/consent/decide';
import { versionKey } from '@salus/chaincode/ehr/api';

import { codeOf } from '../ehr/translate.js';
import { HOLD_TYPE } from '../erasure/hold.js';
import { GLASS_TYPE } from '../glass/record.js';
import type { JsonObject } from '../fhir/json.js';
import type { Decision, Interaction } from '../fhir/request.js';
import {
  confinedTo,
  DIRECTORY,
  scopeMissing,
  scopesAllow,
  scopesCover,
  scopesReachAll,
  type ScopeLetter,
} from '../identity/scopes.js';
import type { KeyStore } from '../keys/key-store.js';
import { Refusal } from '../ledger/refusal.js';
import type { Actor, StoredVersion } from '../ports.js';
import { outlineOf } from '../projection/stored.js';
import { Asking, type AskingPorts } from './asking.js';
import { decidingOn, isWrittenBy } from './attached.js';
import { REOPENING_TYPE } from './closure.js';
import { concernedBy, labelledAsNow, textBehind, typesHeld } from './concerned.js';
import { honoured } from './honoured.js';
import { REST_TYPE } from './rest.js';
import { deniesResearch } from './research.js';
import { mayWrite } from './roles.js';
import type { ConsentShelf } from './shelf.js';
import type { TrustedConsents } from './trusted.js';

/** What a request is decided under when another member asks: the patient it may ask for, and the consents that count. */
export interface DisclosureFrame {
  /** FHIR id of the patient here. */
  readonly patient: string;
  /** FHIR types the access is for; empty = all. What was not asked for on the ledger does not come along. */
  readonly types: readonly string[];
  /** Lists of consents to decide on; a resource goes out only if every one of them permits it. */
  readonly readings: readonly (readonly ConsentInForce[])[];
}

/** What a request did: whose records it was shown. */
export interface Trail {
  readonly patients: Set<string>;
  /** Whether it looked for records without saying whose. */
  searched: boolean;
}

const LETTERS: Readonly<Record<Interaction, ScopeLetter>> = {
  read: 'r',
  vread: 'r',
  history: 'r',
  operation: 'r',
  search: 's',
  include: 'r',
  create: 'c',
  update: 'u',
  patch: 'u',
  delete: 'd',
};

/** What looks for records. */
const LOOKING: readonly Interaction[] = ['search', 'history', 'operation'];

/** What shows versions that are not in force any more. */
const EARLIER: readonly Interaction[] = ['history', 'vread'];

/** Scopes for either show a resource. */
const READING = ['r', 's'] as const;

const BREAK_GLASS = 'BTG';

const CLOSED: Ruling = { outcome: 'deny', obligations: [], rule: 'closed' };

/** What this gateway keeps for itself. */
const HIDDEN = [REST_TYPE, HOLD_TYPE, REOPENING_TYPE, GLASS_TYPE];

/** What this member knows of its patients and their consents, which is all that decides here. */
export interface DecisionPorts extends AskingPorts {
  readonly shelf: Pick<ConsentShelf, 'versions'>;
  readonly trusted: Pick<TrustedConsents, 'within' | 'toOthers' | 'deniesAnything'>;
  readonly keys: Pick<KeyStore, 'hmac' | 'isErasedKey'>;
  /** Whether this member's own person broke the glass before the patient's record lately. */
  readonly isBroken: (user: string, patient: string) => boolean;
}

/** Decides for one gateway. */
export class ConsentDecision implements Decision {
  readonly #frames = new AsyncLocalStorage<DisclosureFrame>();
  readonly #trails = new AsyncLocalStorage<Trail>();

  readonly #asking: Asking;

  constructor(private readonly ports: DecisionPorts) {
    this.#asking = new Asking(ports);
  }

  /** Runs work in which another member's request is decided under `frame`. */
  async disclosing<T>(frame: DisclosureFrame, work: () => Promise<T>): Promise<T> {
    return await this.#frames.run(frame, work);
  }

  /** Runs work and notes in `trail` whose records it was permitted to see. */
  async trailing<T>(trail: Trail, work: () => Promise<T>): Promise<T> {
    return await this.#trails.run(trail, work);
  }

  /** Whether a patient's consents deny another member's people what a trial collected. */
  readonly deniesResearch = (patient: string, member: string): boolean => deniesResearch(this.ports, patient, member);

  permit(actor: Actor, stored: StoredVersion, interaction: Interaction = 'read'): StoredVersion | undefined {
    if (HIDDEN.includes(stored.type)) return undefined;
    const concerned = this.#concerned(stored);
    if (concerned === undefined) return undefined;
    const shown =
      actor.member === this.ports.member
        ? this.#own(actor, stored, concerned, interaction)
        : this.#others(actor, stored, concerned, interaction);
    if (shown !== undefined) for (const patient of concerned) this.shown(patient);
    return shown;
  }

  /** Notes that something of a patient's record is shown that did not pass `permit`. */
  shown(patient: string): void {
    this.#trails.getStore()?.patients.add(patient);
  }

  opens(actor: Actor, patient: string): boolean {
    // What another member may see its frame says.
    if (actor.member !== this.ports.member) return true;
    const only = actor.patient ?? confinedTo(actor);
    if (only !== undefined && only !== patient) return false;
    if (!this.#isExplained(actor, patient)) return false;
    return this.#asking
      .readingsOf(patient)
      .every(
        (consents) =>
          mayAskAtAll(this.#asking.request(actor, patient, consents), consents, this.ports.now()).outcome === 'permit',
      );
  }

  unrestricted(actor: Actor, type: string): boolean {
    // A Binary is decided by what attaches it.
    const isOwn = actor.member === this.ports.member && actor.patient === undefined && type !== 'Binary';
    if (!isOwn || this.ports.trusted.deniesAnything || actor.purpose === BREAK_GLASS) return false;
    if (this.#asking.flagsAnybody) return false;
    if (!scopesReachAll(actor, type, 's')) return false;
    const { outcome, obligations } = this.#asking.decided(actor, { type, text: '' }, undefined, []);
    return outcome === 'permit' && obligations.length === 0;
  }

  allow(actor: Actor, type: string, interaction: Interaction): void {
    const letter = LETTERS[interaction];
    if (!scopesAllow(actor, type, letter)) throw scopeMissing(type, letter);
    const trail = this.#trails.getStore();
    if (trail !== undefined && LOOKING.includes(interaction) && !DIRECTORY.includes(type)) trail.searched = true;
    if ('cud'.includes(letter) && !mayWrite(actor.role, type)) {
      throw new Refusal('forbidden', 'role-may-not-write', `role ${actor.role} writes no ${type}`);
    }
  }

  #own(
    actor: Actor,
    stored: StoredVersion,
    concerned: readonly string[],
    interaction: Interaction,
  ): StoredVersion | undefined {
    const { type } = stored;
    const [patient] = concerned;
    if (!scopesCover(actor, type, LETTERS[interaction], patient, () => contentOf(stored))) return undefined;
    if (patient === undefined && DIRECTORY.includes(type)) return stored;
    // Whoever comes as a patient or guardian sees that one record, whatever another patient permits to all.
    if (actor.patient !== undefined && actor.patient !== patient) return undefined;
    const deciding = decidingOn(stored, this.ports.index);
    if (deciding !== undefined && !this.#isReached(actor, stored, deciding)) return undefined;
    return honouredIfAll(stored, [
      ...this.#within(actor, this.#judged(stored, interaction), concerned),
      ...(deciding ?? []).flatMap((each) => this.#within(actor, this.#judged(each, 'read'), this.#concerned(each))),
    ]);
  }

  /** Whether something through which a Binary is decided is within the scopes; before there is, whether it is the writer. */
  #isReached(actor: Actor, stored: StoredVersion, deciding: readonly StoredVersion[]): boolean {
    if (deciding.length === 0) return isWrittenBy(stored, actor);
    return deciding.some((each) =>
      READING.some((letter) =>
        scopesCover(actor, each.type, letter, this.#concerned(each)?.[0], () => contentOf(each)),
      ),
    );
  }

  /** What is decided of a version for this member's own person: by everybody whom it concerns. */
  #within(actor: Actor, known: StoredVersion, concerned: readonly string[] | undefined): readonly Ruling[] {
    if (concerned === undefined) return [CLOSED];
    const [patient] = concerned;
    if (patient === undefined && DIRECTORY.includes(known.type)) return [];
    const asked = patient === undefined ? [undefined] : concerned;
    if (!asked.every((each) => this.#isExplained(actor, each))) return [CLOSED];
    // Where nobody's consents can be asked, who may not see the types that a Bundle holds does not see it.
    const held = patient === undefined ? typesHeld(known) : [];
    return [
      ...asked.flatMap((each) =>
        this.#asking.readingsOf(each).map((consents) => this.#asking.decided(actor, known, each, consents)),
      ),
      ...held.map((each) => this.#asking.decided(actor, { type: each, text: '' }, undefined, [])),
    ];
  }

  #concerned(stored: StoredVersion): readonly string[] | undefined {
    return concernedBy(stored, this.ports.index, this.#wasErased);
  }

  readonly #wasErased = (type: string, id: string): boolean => {
    const { keys } = this.ports;
    return keys.isErasedKey(versionKey(codeOf(keys, type, id), 1));
  };

  /** The version with what it is judged by: of a deletion what was deleted, of an earlier version also the labels of now. */
  #judged(stored: StoredVersion, interaction: Interaction): StoredVersion {
    const { index } = this.ports;
    if (stored.deleted) return { ...stored, text: textBehind(stored, index) };
    return EARLIER.includes(interaction) ? labelledAsNow(stored, index) : stored;
  }

  /** In an emergency nothing is shown before the person said why. */
  #isExplained({ purpose, user }: Actor, patient: string | undefined): boolean {
    return purpose !== BREAK_GLASS || (patient !== undefined && this.ports.isBroken(user, patient));
  }

  /** For another member: the framed patient's records, and what describes the hospital, if every reading permits. */
  #others(
    actor: Actor,
    stored: StoredVersion,
    concerned: readonly string[],
    interaction: Interaction,
  ): StoredVersion | undefined {
    const frame = this.#frames.getStore();
    if (frame === undefined || stored.deleted) return undefined;
    const { types } = frame;
    if (types.length > 0 && !types.includes(stored.type)) return undefined;
    const deciding = decidingOn(stored, this.ports.index);
    if (deciding?.length === 0) return undefined;
    return honouredIfAll(stored, [
      ...this.#between(actor, this.#judged(stored, interaction), concerned, frame),
      ...(deciding ?? []).flatMap((each) =>
        this.#between(actor, this.#judged(each, 'read'), this.#concerned(each), frame),
      ),
    ]);
  }

  #between(
    actor: Actor,
    known: StoredVersion,
    concerned: readonly string[] | undefined,
    { patient, readings }: DisclosureFrame,
  ): readonly Ruling[] {
    // Consents lie in `care`, which who may ask holds already.
    if (known.type === 'Consent' || !isFramed(patient, known.type, concerned)) return [CLOSED];
    return readings.map((consents) => this.#asking.decided(actor, known, concerned?.[0], consents));
  }
}

/** A version's content; a deletion has none. */
function contentOf(stored: StoredVersion): JsonObject | undefined {
  const text = outlineOf(stored);
  return text === '' ? undefined : (JSON.parse(text) as JsonObject);
}

/** Whether it is data of the patient alone, or describes the hospital. */
function isFramed(patient: string, type: string, concerned: readonly string[] | undefined): boolean {
  if (concerned === undefined) return false;
  return concerned.length === 0 ? DIRECTORY.includes(type) : concerned.every((each) => each === patient);
}

/** The version as every decision lets it out; undefined where one denies, or none was made. */
function honouredIfAll(stored: StoredVersion, decisions: readonly Ruling[]): StoredVersion | undefined {
  if (decisions.length === 0 || decisions.some(({ outcome }) => outcome === 'deny')) return undefined;
  const all = decisions.flatMap(({ obligations }) => obligations);
  // Several decisions oblige to the same once.
  return honoured(stored, [...new Map(all.map((each) => [JSON.stringify(each), each])).values()]);
}
