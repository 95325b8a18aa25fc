/** The gateway's decisions: consent's `decide` and the role table, for every resource of every answer. */
import { AsyncLocalStorage } from 'node:async_hooks';

import {
  decide,
  factsOf,
  mayAskAtAll,
  type AccessRequest,
  type ConsentInForce,
  type Decision as Ruling,
} from '@salus/chaincode/consent/decide';
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
import type { PatientLookup } from '../patient/lookup.js';
import type { Actor, StoredVersion } from '../ports.js';
import { outlineOf } from '../projection/stored.js';
import { REOPENING_TYPE } from './closure.js';
import { concernedBy, labelledAsNow, textBehind, typesHeld } from './concerned.js';
import { honoured } from './honoured.js';
import { referrersOf } from './related.js';
import { actsAsPatient } from './mandates.js';
import { Relationships, type RecordIndex } from './relationships.js';
import { REST_TYPE } from './rest.js';
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

const BREAK_GLASS = 'BTG';

/** What this gateway keeps for itself. */
const HIDDEN = [REST_TYPE, HOLD_TYPE, REOPENING_TYPE, GLASS_TYPE];

/** What this member knows of its patients and their consents, which is all that decides here. */
export interface DecisionPorts {
  readonly member: string;
  readonly lookup: PatientLookup;
  readonly shelf: ConsentShelf;
  readonly trusted: Pick<TrustedConsents, 'within'>;
  readonly index: RecordIndex;
  readonly keys: Pick<KeyStore, 'hmac' | 'isErasedKey'>;
  /** Whether this member's own person broke the glass before the patient's record lately. */
  readonly isBroken: (user: string, patient: string) => boolean;
  /** FHIR instant. */
  readonly now: () => string;
}

/** Decides for one gateway. */
export class ConsentDecision implements Decision {
  readonly #frames = new AsyncLocalStorage<DisclosureFrame>();
  readonly #trails = new AsyncLocalStorage<Trail>();

  readonly #relationships: Relationships;

  constructor(private readonly ports: DecisionPorts) {
    this.#relationships = new Relationships(ports);
  }

  /** Runs work in which another member's request is decided under `frame`. */
  async disclosing<T>(frame: DisclosureFrame, work: () => Promise<T>): Promise<T> {
    return await this.#frames.run(frame, work);
  }

  /** Runs work and notes in `trail` whose records it was permitted to see. */
  async trailing<T>(trail: Trail, work: () => Promise<T>): Promise<T> {
    return await this.#trails.run(trail, work);
  }

  permit(actor: Actor, stored: StoredVersion, interaction: Interaction = 'read'): StoredVersion | undefined {
    if (HIDDEN.includes(stored.type)) return undefined;
    const concerned = concernedBy(stored, this.ports.index, this.#wasErased);
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
    return this.#readingsOf(patient).every(
      (consents) =>
        mayAskAtAll(this.#request(actor, patient, consents), consents, this.ports.now()).outcome === 'permit',
    );
  }

  unrestricted(actor: Actor, type: string): boolean {
    const isOwn = actor.member === this.ports.member && actor.patient === undefined;
    if (!isOwn || this.ports.shelf.deniesAnything || actor.purpose === BREAK_GLASS) return false;
    if (this.#relationships.flagsAnybody) return false;
    if (!scopesReachAll(actor, type, 's')) return false;
    const { outcome, obligations } = this.#decided(actor, { type, text: '' }, undefined, []);
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
    const known = this.#judged(stored, interaction);
    const asked = patient === undefined ? [undefined] : concerned;
    if (!asked.every((each) => this.#isExplained(actor, each))) return undefined;
    // Where nobody's consents can be asked, who may not see the types that a Bundle holds does not see it.
    const held = patient === undefined ? typesHeld(known) : [];
    return honouredIfAll(stored, [
      ...asked.flatMap((each) => this.#readingsOf(each).map((consents) => this.#decided(actor, known, each, consents))),
      ...held.map((each) => this.#decided(actor, { type: each, text: '' }, undefined, [])),
    ]);
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
    // Consents lie in `care`, which who may ask holds already.
    if (frame === undefined || stored.deleted || stored.type === 'Consent') return undefined;
    if (!isFramed(frame, stored.type, concerned)) return undefined;
    const [patient] = concerned;
    const known = this.#judged(stored, interaction);
    return honouredIfAll(
      stored,
      frame.readings.map((consents) => this.#decided(actor, known, patient, consents)),
    );
  }

  #decided(
    actor: Actor,
    stored: Pick<StoredVersion, 'type' | 'text' | 'outline'> & { readonly id?: string },
    patient: string | undefined,
    consents: readonly ConsentInForce[],
  ) {
    const request = this.#request(actor, patient, consents);
    // Without a consent the type alone decides.
    const isRead = consents.length > 0 && outlineOf(stored) !== '';
    const resource = isRead ? (JSON.parse(outlineOf(stored)) as JsonObject) : {};
    const referrers = referrersOf(`${stored.type}/${stored.id ?? ''}`, consents, this.ports.index);
    return decide(request, factsOf({ ...resource, resourceType: stored.type }, referrers), consents, this.ports.now());
  }

  #request(actor: Actor, patient: string | undefined, consents: readonly ConsentInForce[]): AccessRequest {
    const request: AccessRequest = {
      custodian: this.ports.member,
      member: actor.member,
      user: actor.user,
      role: actor.role,
      purpose: actor.purpose,
      action: 'access',
      isPatient: actor.patient === patient && actsAsPatient(actor),
      ...representativeOf(actor),
    };
    return this.#relationships.standing(request, patient, consents);
  }

  /** The readings of a patient by FHIR id. */
  #readingsOf(patient: string | undefined): readonly (readonly ConsentInForce[])[] {
    const pid = patient === undefined ? undefined : this.ports.lookup.pidOf(patient);
    return pid === undefined ? [[]] : this.ports.trusted.within(pid);
  }
}

/** Whoever comes as guardian or delegate, and is none in force, is nobody whom any consent names. */
function representativeOf({ role, mandate }: Actor): Pick<AccessRequest, 'representative'> {
  return role === 'guardian' ? { representative: `RelatedPerson/${mandate?.person ?? ''}` } : {};
}

/** A version's content; a deletion has none. */
function contentOf(stored: StoredVersion): JsonObject | undefined {
  const text = outlineOf(stored);
  return text === '' ? undefined : (JSON.parse(text) as JsonObject);
}

/** Whether the access is for this type, and for data of this patient alone or what describes the hospital. */
function isFramed({ types, patient }: DisclosureFrame, type: string, concerned: readonly string[]): boolean {
  if (types.length > 0 && !types.includes(type)) return false;
  return concerned.length === 0 ? DIRECTORY.includes(type) : concerned.every((each) => each === patient);
}

/** The version as every decision lets it out; undefined where one denies, or none was made. */
function honouredIfAll(stored: StoredVersion, decisions: readonly Ruling[]): StoredVersion | undefined {
  if (decisions.length === 0 || decisions.some(({ outcome }) => outcome === 'deny')) return undefined;
  const all = decisions.flatMap(({ obligations }) => obligations);
  // Several decisions oblige to the same once.
  return honoured(stored, [...new Map(all.map((each) => [JSON.stringify(each), each])).values()]);
}
