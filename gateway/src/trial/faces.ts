/**
 * Searches of what the ledger has of a trial, by `study` and where it is of one participant by `participant`: ResearchSubject,
 * AdverseEvent, AuditEvent, Questionnaire, Provenance of what was signed; Consent, Provenance, QuestionnaireResponse, AdverseEvent with its content. Contents
 * are shown where they are kept, to the people of the participant's site and of the sponsor who work with them; what the sponsor
 * reported of adverse events also to regulators, where it was handed over.
 */
import type { ParticipantView, Parties, TrialView } from '@salus/chaincode/trial/api';

import type { JsonObject } from '../fhir/json.js';
import { operationOutcome } from '../fhir/outcome.js';
import type { Decision, FhirRequest, FhirResponse } from '../fhir/request.js';
import { Refusal } from '../ledger/refusal.js';
import type { Actor, Ledger } from '../ports.js';
import { heldContent, patientOf } from './content.js';
import { questionnaires } from './forms.js';
import { commitmentsOf, eventCommitments, reportCommitments } from './hand-over.js';
import { readKits } from './kits.js';
import { auditEvents, provenances, researchConsents, studyProvenances } from './line-resources.js';
import { type NamePorts, type Names, namesUnder } from './names.js';
import { isUseEnded, placeOf, readLine, readTrial, worksIn } from './reading.js';
import { statementsAbout, statementsOf } from './signed.js';
import { adverseEvents, idOf, researchSubjects } from './study-resources.js';

/** What the searches need of the gateway. */
export interface FacePorts extends NamePorts {
  readonly ledger: Pick<Ledger, 'evaluate'>;
  readonly decision: Pick<Decision, 'allow'>;
  /** Puts on a patient's list what was shown of the patient. */
  readonly shown: (patient: string) => void;
}

type OfStudy = (view: TrialView, ports: FacePorts, actor: Actor) => readonly object[] | Promise<readonly object[]>;
type OfParticipant = (
  line: ParticipantView,
  asked: { readonly ports: FacePorts; readonly view: TrialView; readonly actor: Actor; readonly participant: string },
) => readonly object[] | Promise<readonly object[]>;

const ofStudy: Readonly<Record<string, OfStudy>> = {
  ResearchSubject: researchSubjects,
  AdverseEvent: async (view, { ledger }) => adverseEvents(view, await readKits(ledger, view.trial.trial)),
  AuditEvent: auditEvents,
  Questionnaire: questionnaires,
  Provenance: async (view, ports, actor) => studyProvenances(view, await names(ports, view, actor, statementsOf(view))),
};
const ofParticipant: Readonly<Record<string, OfParticipant>> = {
  Consent: (line, { participant }) => researchConsents(line, participant),
  Provenance: async (line, { ports, view, actor, participant }) =>
    provenances(line, participant, await names(ports, view, actor, statementsAbout(line))),
  QuestionnaireResponse: entries,
  AdverseEvent: reports,
};

/** Printed names of who signed, for those who act in the trial; nobody else is shown one. */
async function names(ports: FacePorts, view: TrialView, actor: Actor, statements: readonly string[]): Promise<Names> {
  return worksIn(ports.member, view, actor) ? await namesUnder(ports, view, statements) : new Map();
}

/** Who works with contents, at the participant's site and at the sponsor. */
const readers = { site: ['investigator', 'coordinator'], sponsor: ['sponsor', 'monitor'] } as const;

/** A search of one trial; undefined where it is none, or the study is none of the ledger's. Throws Refusal. */
export async function derivedFrom(
  ports: FacePorts,
  { method, path, query, actor }: FhirRequest,
): Promise<FhirResponse | undefined> {
  const [study, ...more] = query.getAll('study');
  const isServed = Object.hasOwn(ofStudy, path) || Object.hasOwn(ofParticipant, path);
  if (method !== 'GET' || !isServed || study === undefined || more.length > 0) return undefined;
  ports.decision.allow(actor, 'ResearchStudy', 'operation');
  const view = await readTrial(ports.ledger, study.replace(/^ResearchStudy\//, ''));
  if (view === undefined) return undefined;
  const found = await foundOf(ports, path, view, { actor, query });
  return { status: 200, headers: {}, resource: searchset(found) };
}

/** Of one participant where it is named, and else of the whole study where that is searched. */
async function foundOf(
  ports: FacePorts,
  type: string,
  view: TrialView,
  asked: Pick<FhirRequest, 'actor' | 'query'>,
): Promise<readonly object[]> {
  const isOfOne = asked.query.has('participant') && Object.hasOwn(ofParticipant, type);
  const ofAll = isOfOne ? undefined : ofStudy[type];
  return (await ofAll?.(view, ports, asked.actor)) ?? (await aboutOne(ports, type, view, asked));
}

async function aboutOne(
  ports: FacePorts,
  type: string,
  view: TrialView,
  { actor, query }: Pick<FhirRequest, 'actor' | 'query'>,
): Promise<readonly object[]> {
  const participant = query.get('participant');
  if (participant === null)
    throw new Refusal('invalid', 'structure', `a search of ${type} by study names a participant`);
  const line = await readLine(ports.ledger, view.trial.trial, participant);
  return (await ofParticipant[type]?.(line, { ports, view, actor, participant })) ?? [];
}

/** The contents of a participant's eligibility and data points; a site has the one before an enrolment. */
function entries(line: ParticipantView, asked: Parameters<OfParticipant>[1]): readonly object[] {
  const { ports, view, actor } = asked;
  ports.decision.allow(actor, 'QuestionnaireResponse', 'search');
  demandReader(ports.member, view, withDeclarer(line), actor);
  if (isUseEnded(line, placeOf(ports.member, view))) {
    return [said('suppressed', 'the participant wants no further use: contents are kept and not shown')];
  }
  return contents(asked, commitmentsOf(line));
}

/** The line with the site that declared the participant eligible. */
function withDeclarer(line: ParticipantView): Parameters<typeof demandReader>[2] {
  const [declared] = line.eligibility;
  return declared === undefined ? line : { ...line, site: declared.by.member };
}

/** The contents of a participant's adverse events, each step as the site reported it, and of the sponsor's reports of them. */
function reports(line: ParticipantView, asked: Parameters<OfParticipant>[1]): readonly object[] {
  const { ports, view, actor, participant } = asked;
  ports.decision.allow(actor, 'AdverseEvent', 'search');
  const reported = reportCommitments(view, participant);
  if (isRegulator(ports.member, view, actor)) return contents(asked, reported);
  const isOwn = eventCommitments(view, participant, ports.member).length > 0;
  demandReader(ports.member, view, isOwn ? { ...line, site: ports.member } : line, actor);
  const isSponsor = view.trial.parties.sponsor === ports.member;
  return contents(asked, [...eventCommitments(view, participant), ...(isSponsor ? reported : [])]);
}

/** Whether somebody reads here what the sponsor reported to a regulator of the trial. */
export function isRegulator(member: string, { trial }: TrialView, { role }: Pick<Actor, 'role'>): boolean {
  return role === 'regulator' && trial.parties.regulators.includes(member);
}

/** Those that are kept here; an OperationOutcome says how many the ledger has a commitment of beyond them. */
function contents(
  { ports, view, participant }: Parameters<OfParticipant>[1],
  commitments: readonly string[],
): readonly object[] {
  const { trial } = view.trial;
  const held = commitments.flatMap((commitment) => {
    const resource = heldContent(ports.facts, commitment);
    return resource === undefined ? [] : [{ ...resource, id: idOf(trial, commitment) }];
  });
  if (held.length > 0) noteShown(ports, trial, [participant]);
  const missing = commitments.length - held.length;
  if (missing === 0) return held;
  return [...held, said('incomplete', `${missing} contents of this participant are committed to and not kept here`)];
}

/** Contents of participants are shown: at their site, which alone knows who they are, that stands on their lists. */
export function noteShown(
  { facts, shown }: Pick<FacePorts, 'facts' | 'shown'>,
  trial: string,
  participants: readonly string[],
): void {
  for (const participant of participants) {
    const patient = patientOf(facts, { trial, participant });
    if (patient !== undefined) shown(patient);
  }
}

function said(code: 'suppressed' | 'incomplete', diagnostics: string): object {
  return operationOutcome([{ severity: 'warning', code, diagnostics }]);
}

/** Somebody who takes part, and before an enrolment the site that has something of them. */
type OfWhom = Pick<ParticipantView, 'participant'> & { readonly site?: string };

/** Whether somebody works with this participant's contents here. */
export function isReader(member: string, { trial }: TrialView, line: OfWhom, { role }: Pick<Actor, 'role'>): boolean {
  const site = line.participant?.site ?? line.site;
  return isStaff({ member, role }, { ...trial.parties, sites: site === undefined ? [] : [site] });
}

/** Throws Refusal for anybody who does not. */
export function demandReader(member: string, view: TrialView, line: OfWhom, actor: Pick<Actor, 'role'>): void {
  if (isReader(member, view, line, actor)) return;
  const detail =
    'contents are read by investigator and coordinator of the site, and by sponsor and monitor at the sponsor';
  throw new Refusal('forbidden', 'not-a-party', detail);
}

/** Throws Refusal for anybody but the staff of a site or of the sponsor who work with forms and contents. */
export function demandStaff({ member }: Pick<FacePorts, 'member'>, { trial }: TrialView, { role }: Actor): void {
  if (isStaff({ member, role }, trial.parties)) return;
  throw new Refusal('forbidden', 'not-a-party', 'only staff of a site or of the sponsor do');
}

/** Whether somebody works with contents at one of these sites, or at the sponsor. */
function isStaff(
  { member, role }: Pick<Actor, 'member' | 'role'>,
  { sites, sponsor }: Pick<Parties, 'sites' | 'sponsor'>,
): boolean {
  const isAtSite = sites.includes(member) && readers.site.some((each) => each === role);
  return isAtSite || (sponsor === member && readers.sponsor.some((each) => each === role));
}

/** A searchset of resources that are all there is. */
function searchset(resources: readonly object[]): JsonObject {
  const isOutcome = (resource: object): boolean => (resource as JsonObject).resourceType === 'OperationOutcome';
  const entry = resources.map((resource) => ({
    resource,
    search: { mode: isOutcome(resource) ? 'outcome' : 'match' },
  }));
  const total = resources.filter((resource) => !isOutcome(resource)).length;
  return { resourceType: 'Bundle', type: 'searchset', total, ...(entry.length > 0 && { entry }) };
}
