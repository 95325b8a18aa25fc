/**
 * What this custodian's record says of who asks: which of its Practitioners, PractitionerRoles, CareTeams and
 * Organizations the person is or belongs to, and whether the person cares for a flagged patient.
 */
import {
  periodSpan,
  type AccessRequest,
  type CareConsent,
  type ConsentInForce,
  type Identifier,
  type Period,
} from '@salus/chaincode/consent/decide';

import type { JsonObject } from '../fhir/json.js';
import type { StoredVersion } from '../ports.js';
import { outlineOf } from '../projection/stored.js';
import { MEMBER, USER } from './person-systems.js';

/** Days for which who cared for a patient in a finished encounter may still see a flagged record. */
export const AFTERCARE_DAYS = 30;

const DAY_MS = 86_400_000;
const CONFIDENTIALITY = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
/** Confidentiality of a Patient that flags the whole record. */
const FLAGS = ['R', 'V'];
/** Encounter.status while somebody is, or is about to be, cared for. */
const OPEN = ['planned', 'arrived', 'triaged', 'in-progress', 'onleave'];

/** Where the custodian's record is looked at, undecided: only what `decide` is asked with comes of it. */
export interface RecordIndex {
  /** Base URL of what is kept here, with a slash at its end. */
  readonly base: string;
  current(type: string, id: string): StoredVersion | undefined;
  version(type: string, id: string, version: number): StoredVersion | undefined;
  /** Current resources of a type in a patient's compartment. */
  ofPatient(type: string, patient: string): readonly StoredVersion[];
  /** Current resources of a type that have the value by a search parameter, at most `limit` of them. */
  holding(type: string, parameter: string, value: string, limit?: number): readonly StoredVersion[];
  /** Current resources that attach the Binary. */
  attaching(id: string): readonly StoredVersion[];
}

/** What a decision needs to know beside the consents. */
export interface RelationshipPorts {
  readonly index: RecordIndex;
  /** FHIR instant. */
  readonly now: () => string;
}

interface Reference {
  readonly reference?: string;
  readonly identifier?: Identifier;
}

interface Participation {
  readonly individual?: Reference;
  readonly member?: Reference;
  readonly period?: Period;
}

/** The persons of this custodian's record. */
export class Relationships {
  constructor(private readonly ports: RelationshipPorts) {}

  /** The request with all that consents and the implicit policy ask of the person and the patient. */
  standing(request: AccessRequest, patient: string | undefined, consents: readonly ConsentInForce[]): AccessRequest {
    const flagged = patient !== undefined && request.member === request.custodian && this.#isFlagged(patient);
    if (!flagged && !consents.some(({ care }) => namesPersonOfRecord(care))) {
      return { ...request, references: [], identifiers: [] };
    }
    const person = this.#person(request);
    const teams = patient === undefined ? [] : this.#teams(patient, person);
    return {
      ...request,
      references: [...person.references, ...teams],
      identifiers: person.identifiers,
      flagged,
      careRelationship: flagged && (teams.length > 0 || this.#treats(patient, person)),
    };
  }

  /** Whether any patient here is flagged. */
  get flagsAnybody(): boolean {
    return FLAGS.some(
      (level) => this.ports.index.holding('Patient', '_security', `${CONFIDENTIALITY}|${level}`, 1).length > 0,
    );
  }

  #isFlagged(patient: string): boolean {
    const stored = this.ports.index.current('Patient', patient);
    return stored !== undefined && isMarked(stored);
  }

  #person(request: AccessRequest): Person {
    const { member, user, custodian } = request;
    const isOwn = member === custodian;
    const users = user === '' ? [] : [`${member}/${user}`, ...(isOwn ? [user] : [])];
    const known = users.flatMap((value) => this.#identified('Practitioner', USER, value));
    const own = isOwn && user !== '' ? [`Practitioner/${user}`] : [];
    const practitioners = [...new Set([...own, ...known.map(nameOf)])];
    const roles = practitioners.flatMap((each) => this.#find('PractitionerRole', 'practitioner', each));
    const active = roles.filter((role) => this.#isInForce(parsed(role) as { active?: boolean; period?: Period }));
    const organizations = this.#identified('Organization', MEMBER, member).map(nameOf);
    return {
      users,
      persons: [...practitioners, ...active.map(nameOf)],
      references: [...practitioners, ...active.map(nameOf), ...organizations],
      identifiers: [...known, ...active].flatMap(identifiersOf),
    };
  }

  #teams(patient: string, person: Person): readonly string[] {
    const teams = this.ports.index.ofPatient('CareTeam', patient);
    return teams.filter((team) => this.#isMember(team, person)).map(nameOf);
  }

  #isMember(team: StoredVersion, person: Person): boolean {
    const { status, period, participant = [] } = parsed(team) as Team;
    if (status !== 'active' || !this.#isInForce({ period })) return false;
    return participant.some((each) => this.#isInForce(each) && isPerson(each.member, person));
  }

  #treats(patient: string, person: Person): boolean {
    const encounters = this.ports.index.ofPatient('Encounter', patient);
    return encounters.some((stored) => {
      const { status = '', period, participant = [] } = parsed(stored) as Team;
      if (!OPEN.includes(status) && !(status === 'finished' && this.#isRecent(period))) return false;
      return participant.some(({ individual }) => isPerson(individual, person));
    });
  }

  #isRecent({ end }: Period = {}): boolean {
    const last = end === undefined ? undefined : periodSpan({ end })?.to;
    return last !== undefined && last >= Date.parse(this.ports.now()) - AFTERCARE_DAYS * DAY_MS;
  }

  #isInForce({ active, period }: { readonly active?: boolean; readonly period?: Period | undefined }): boolean {
    const now = Date.parse(this.ports.now());
    const span = periodSpan(period ?? {});
    return active !== false && span !== undefined && span.from <= now && now <= span.to;
  }

  #identified(type: string, system: string, value: string): readonly StoredVersion[] {
    return this.#find(type, 'identifier', `${system}|${value}`);
  }

  #find(type: string, parameter: string, value: string): readonly StoredVersion[] {
    return this.ports.index.holding(type, parameter, value);
  }
}

/** Patients that were looked at, each version once, and whether it flags the record. */
const marked = new WeakMap<StoredVersion, boolean>();

function isMarked(patient: StoredVersion): boolean {
  const known = marked.get(patient);
  if (known !== undefined) return known;
  const isMarked =
    outlineOf(patient).includes(CONFIDENTIALITY) && confidentialities(patient).some((each) => FLAGS.includes(each));
  marked.set(patient, isMarked);
  return isMarked;
}

function confidentialities(patient: StoredVersion): readonly string[] {
  const { meta } = parsed(patient) as { meta?: { security?: readonly { system?: string; code?: string }[] } };
  return (meta?.security ?? []).flatMap(({ system, code }) => (system === CONFIDENTIALITY ? [code ?? ''] : []));
}

interface Team {
  readonly status?: string;
  readonly period?: Period;
  readonly participant?: readonly Participation[];
}

interface Person {
  /** Values of urn:salus:user by which the person is named. */
  readonly users: readonly string[];
  /** References to the person, in whatever role. */
  readonly persons: readonly string[];
  /** The same, and the organizations the person speaks for. */
  readonly references: readonly string[];
  readonly identifiers: readonly Identifier[];
}

/** Known consents by whether the record must be looked at for them. */
const naming = new WeakMap<CareConsent, boolean>();

/** Whether a consent names an actor by anything but member, user or role of Salus. */
function namesPersonOfRecord(care: CareConsent): boolean {
  const known = naming.get(care);
  if (known !== undefined) return known;
  const text = JSON.stringify(care.provision ?? {});
  const isNamed =
    /"reference":"(Practitioner|PractitionerRole|CareTeam|Organization)\//.test(text) ||
    [...text.matchAll(/"identifier":\{[^}]*"system":"([^"]*)"/g)].some(
      ([, system]) => system?.startsWith('urn:salus:') !== true,
    );
  naming.set(care, isNamed);
  return isNamed;
}

function isPerson(reference: Reference | undefined, { persons, users }: Person): boolean {
  const { reference: literal, identifier } = reference ?? {};
  if (literal !== undefined && persons.includes(literal)) return true;
  return identifier?.system === USER && users.includes(identifier.value ?? '');
}

function identifiersOf(stored: StoredVersion): readonly Identifier[] {
  return (parsed(stored) as { identifier?: readonly Identifier[] }).identifier ?? [];
}

function nameOf({ type, id }: StoredVersion): string {
  return `${type}/${id}`;
}

function parsed(stored: StoredVersion): JsonObject {
  const text = outlineOf(stored);
  return text === '' ? {} : (JSON.parse(text) as JsonObject);
}
