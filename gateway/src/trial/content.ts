/**
 * Content of data points, of criteria of eligibility and of adverse events: a QuestionnaireResponse
 * (https://hl7.org/fhir/R4/questionnaireresponse.html) or an AdverseEvent
 * (https://hl7.org/fhir/R4/adverseevent.html) at the site, and its copy at the sponsor. The ledger has its
 * commitment, which is also how a copy is found: SHA-256 over the RFC 8785 form of the resource, in which lies a nonce of 256
 * random bits; decimals stand in it digit by digit as sent, as R4 asks (datatypes.html#decimal: their precision is kept).
 */
import { createHash, randomBytes } from 'node:crypto';

import { exactForm, type JsonObject, parseExactly } from '../fhir/json.js';
import type { Facts } from '../patient/lookup.js';
import type { LedgerWrite } from '../ports.js';
import type { Change } from '../projection/projector.js';
import { CRITERION_SYSTEM, DATA_POINT_SYSTEM, EVENT_SYSTEM, PARTICIPANT_SYSTEM } from './systems.js';

/** What a kept content is called in the member's own collection. */
export const CONTENT_TYPE = 'TrialContent';
/** What this member's record of who a participant is is called there. */
export const SUBJECT_TYPE = 'TrialSubject';
/** What a kept form is called there: the Questionnaire that responses are checked by. */
export const FORM_TYPE = 'TrialForm';
/** What a kept study definition is called there: a USDM file that versions of a protocol were registered from. */
export const DOCUMENT_TYPE = 'TrialDocument';
/** What a kept printed name of somebody who signs is called there. */
export const NAME_TYPE = 'TrialSigner';
/**
 * Contents by their commitments; printed names by trial and commitment; forms and study definitions by their hashes; Patients' ids
 * by the participants they are, and the other way round; and by the hash of a ledger key the list of what came from it, to forget
 * with it.
 */
export const CONTENT_SPACE = 'trial-content';
const PARTS_OF = 'of/';
const FORMS = 'form/';
const DOCUMENTS = 'document/';
const NAMES = 'name/';
/** Extension that keeps a commitment from being guessed. */
const NONCE = 'urn:salus:nonce';

/** Which data point a content is of, and by which of its acts. */
export interface Place {
  readonly trial: string;
  readonly participant: string;
  readonly visit: string;
  readonly form: string;
  readonly n: number;
}

/** Which step of which adverse event a content is of. */
export interface EventPlace {
  readonly trial: string;
  readonly participant: string;
  readonly event: string;
  readonly n: number;
}

/** Which criterion of eligibility a content answers, of whom. */
export interface CriterionPlace {
  readonly trial: string;
  readonly participant: string;
  readonly criterion: string;
}

/** What a content is of. */
type AnyPlace = Place | EventPlace | CriterionPlace;

/** One name for an act on a data point, for a step of an adverse event, or for a criterion of somebody's eligibility. */
export function placeName(place: AnyPlace): string {
  return [place.trial, place.participant, ...within(place)].join('/');
}

function within(place: AnyPlace): readonly (string | number)[] {
  if ('criterion' in place) return [place.criterion];
  return 'event' in place ? [place.event, place.n] : [place.visit, place.form, place.n];
}

function systemOf(place: AnyPlace): string {
  if ('criterion' in place) return CRITERION_SYSTEM;
  return 'event' in place ? EVENT_SYSTEM : DATA_POINT_SYSTEM;
}

/** What a resource gets where it is written, and is not committed to. */
const GIVEN_LATER = ['id', 'meta'];

/** The resource as it is committed to: it says whose it is, and nothing that names a person. */
export function contentOf(
  place: AnyPlace,
  { extension, ...answered }: JsonObject,
  system = systemOf(place),
): JsonObject {
  const given = Object.entries(answered).filter(([name]) => !GIVEN_LATER.includes(name));
  const nonce = { url: NONCE, valueString: randomBytes(32).toString('hex') };
  return {
    ...Object.fromEntries(given),
    extension: [...(Array.isArray(extension) ? (extension as readonly unknown[]) : []), nonce],
    identifier: { system, value: placeName(place) },
    subject: { identifier: { system: PARTICIPANT_SYSTEM, value: place.participant } },
  };
}

/** The commitment of a resource, decimals exact; lower-case hex. */
export function commitmentOf(resource: JsonObject): string {
  return createHash('sha256').update(exactForm(resource)).digest('hex');
}

/** A printed name, and the salt with which it is committed to. */
export interface PrintedName {
  readonly name: string;
  /** 256 random bits, hex. */
  readonly salt: string;
}

/** A participant of this site's, and who that is: kept under the patient's key, and gone with it. */
export interface TrialSubject {
  readonly trial: string;
  readonly participant: string;
}

/** A kept record as it was opened. */
interface Opened {
  readonly type: string;
  readonly text?: string | undefined;
  /** FHIR id of the Patient whom it is about. */
  readonly patient?: string | undefined;
}

type Fact = readonly [key: string, value: string];

/** How each kind of kept record is found. */
const factsOf: Readonly<Record<string, (text: string, patient: string) => readonly Fact[]>> = {
  [CONTENT_TYPE]: (text) => [[commitmentOf(parseExactly(text) as JsonObject), text]],
  [FORM_TYPE]: (text) => [[`${FORMS}${commitmentOf(JSON.parse(text) as JsonObject)}`, text]],
  [DOCUMENT_TYPE]: (text) => [[`${DOCUMENTS}${commitmentOf(JSON.parse(text) as JsonObject)}`, text]],
  [SUBJECT_TYPE]: subjectFacts,
  [NAME_TYPE]: (text) => {
    const { trial, name, salt } = JSON.parse(text) as PrintedName & { readonly trial: string };
    return [[`${NAMES}${trial}/${commitmentOf({ name, salt })}`, text]];
  },
};

/** The projection's changes for a kept content, form, study definition, subject or name; undefined for all else. */
export function contentChanges({ type, text, patient = '' }: Opened, ledgerKey: string): readonly Change[] | undefined {
  if (text === undefined || !Object.hasOwn(factsOf, type)) return undefined;
  const facts = factsOf[type]?.(text, patient) ?? [];
  const origin = createHash('sha256').update(ledgerKey).digest('hex');
  const all = [...facts, [origin, JSON.stringify(facts.map(([key]) => key))] as const];
  return all.map(([key, value]) => ({ kind: 'fact', space: CONTENT_SPACE, key, value }));
}

function subjectFacts(text: string, patient: string): readonly Fact[] {
  const { trial, participant } = JSON.parse(text) as TrialSubject;
  return [
    [subjectKey(trial, participant), patient],
    [`${PARTS_OF}${patient}/${trial}`, text],
  ];
}

function subjectKey(trial: string, participant: string): string {
  return `subject/${trial}/${participant}`;
}

/** What a purged record's facts come to. */
export function contentsForgotten({ key = '', keyHash }: LedgerWrite): readonly Change[] {
  const origin = keyHash ?? createHash('sha256').update(key).digest('hex');
  return [{ kind: 'forget', space: CONTENT_SPACE, key: origin }];
}

/** Where the projection keeps facts. */
export interface ContentFacts {
  fact(space: string, key: string): string | undefined;
}

/** The content that this member holds under a commitment, decimals exact. */
export function heldContent(facts: ContentFacts, commitment: string): JsonObject | undefined {
  const text = facts.fact(CONTENT_SPACE, commitment);
  return text === undefined ? undefined : (parseExactly(text) as JsonObject);
}

/** Those of several contents that this member holds. */
export function heldContents(facts: ContentFacts, commitments: readonly string[]): readonly JsonObject[] {
  return commitments.map((each) => heldContent(facts, each)).filter((each) => each !== undefined);
}

/** The form that this member keeps under a hash. */
export function heldForm(facts: ContentFacts, hash: string): JsonObject | undefined {
  return heldContent(facts, `${FORMS}${hash}`);
}

/** The study definition that this member keeps under a hash. */
export function heldDocument(facts: ContentFacts, hash: string): JsonObject | undefined {
  const text = facts.fact(CONTENT_SPACE, `${DOCUMENTS}${hash}`);
  return text === undefined ? undefined : (JSON.parse(text) as JsonObject);
}

/** The printed name that this member keeps under a commitment of a trial's. */
export function heldName(facts: ContentFacts, trial: string, commitment: string): PrintedName | undefined {
  const { name, salt } = heldContent(facts, `${NAMES}${trial}/${commitment}`) ?? {};
  return typeof name === 'string' && typeof salt === 'string' ? { name, salt } : undefined;
}

/** FHIR id of the Patient who a participant of this site's is. */
export function patientOf(facts: ContentFacts, { trial, participant }: TrialSubject): string | undefined {
  return facts.fact(CONTENT_SPACE, subjectKey(trial, participant));
}

/** Every participant of this site's, and who it is. */
export function allSubjects(facts: Pick<Facts, 'facts'>): readonly (TrialSubject & { readonly patient: string })[] {
  return facts.facts(CONTENT_SPACE, PARTS_OF).map(({ key, value }) => {
    return { ...(JSON.parse(value) as TrialSubject), patient: key.split('/')[1] ?? '' };
  });
}

/** As which participants a Patient kept here was claimed. */
export function subjectsOf(facts: Pick<Facts, 'facts'>, patient: string): readonly TrialSubject[] {
  return facts.facts(CONTENT_SPACE, `${PARTS_OF}${patient}/`).map(({ value }) => JSON.parse(value) as TrialSubject);
}
