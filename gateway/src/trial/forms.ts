/**
 * Case report forms: FHIR Questionnaires (https://hl7.org/fhir/R4/questionnaire.html) whose hashes stand in the protocol, so
 * that another form is another version of it. The sponsor keeps them; a site asks the sponsor's door for what it lacks.
 */
import type { Protocol, TrialView } from '@salus/chaincode/trial/api';

import type { Heard } from '../door/server.js';
import type { JsonObject } from '../fhir/json.js';
import { operationOutcome, IssuesRefusal } from '../fhir/outcome.js';
import { demandResource, givenOf, partsOf } from '../fhir/parameters.js';
import { requireValid } from '../fhir/validate.js';
import { Refusal } from '../ledger/refusal.js';
import { answerIssues } from './answers.js';
import { commitmentOf, type ContentFacts, FORM_TYPE, heldForm } from './content.js';
import type { Ask, ContentPorts } from './hand-over.js';
import { formIssues } from './form-issues.js';
import { readTrial } from './reading.js';
import { shownVersion } from './research-study.js';

/** Path of a form below a door's base. */
export const FORM_PATH = '$trial-form';
/** Longest body that asks for one, bytes. */
const FORM_ASKED_BYTES = 4_096;
/** Before the hash: what a QuestionnaireResponse names as its questionnaire. */
const FORM_URL = 'urn:salus:questionnaire:';

/** A form of the schedule and the hash of its questionnaire. */
export type FormHash = NonNullable<Protocol['forms']>[number];

/** What forms need of the gateway. */
export type FormPorts = Pick<ContentPorts, 'member' | 'facts' | 'keep'> & { readonly ask: Ask };

/** A Questionnaire as hashes are made of it: without what it gets where it is kept. */
function plainForm(questionnaire: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(questionnaire).filter(([name]) => name !== 'id' && name !== 'meta'));
}

/** SHA-256 over the RFC 8785 form of a Questionnaire, lower-case hex. */
export function formHash(questionnaire: JsonObject): string {
  return commitmentOf(plainForm(questionnaire));
}

/** The canonical URL of the form of a hash. */
export function formUrl(hash: string): string {
  return `${FORM_URL}${hash}`;
}

/** Throws IssuesRefusal for a Questionnaire that answers cannot be checked by. */
function demandForm(resource: JsonObject): void {
  requireValid(resource);
  const issues = formIssues(resource);
  if (issues.length > 0) throw new IssuesRefusal('invalid-content', issues);
}

/** Forms by their names in the schedule, as `$usdm-import` is given them: `form` with the parts `id` and `questionnaire`. */
export function formsGiven(body: JsonObject): readonly (FormHash & { readonly resource: JsonObject })[] {
  return partsOf(body, 'form').map((parts) => {
    const resource = demandResource(parts, 'questionnaire', 'Questionnaire');
    demandForm(resource);
    return { id: givenOf(parts).text('id'), questionnaire: formHash(resource), resource };
  });
}

/** Keeps forms that some version of the protocol names; what is kept already is not kept twice. Throws Refusal. */
export async function keepForms(
  { facts, keep }: Pick<FormPorts, 'facts' | 'keep'>,
  { versions }: Pick<TrialView, 'versions'>,
  forms: readonly JsonObject[],
): Promise<void> {
  const named = new Set(versions.flatMap(({ protocol }) => hashesIn(protocol)));
  for (const form of forms) {
    demandForm(form);
    if (!named.has(formHash(form))) {
      throw new Refusal('conflict', 'unknown-form', 'no version of the protocol names a questionnaire of this hash');
    }
  }
  const lacked = forms.filter((form) => heldForm(facts, formHash(form)) === undefined);
  if (lacked.length > 0) await keep(lacked.map((form) => ({ type: FORM_TYPE, value: plainForm(form) })));
}

/** Hashes of the questionnaires of a protocol, by the names of their forms. */
export function questionnairesOf({ forms = [] }: Pick<Protocol, 'forms'>): ReadonlyMap<string, string> {
  return new Map(forms.map(({ id, questionnaire }) => [id, questionnaire]));
}

function hashesIn(protocol: Protocol): readonly string[] {
  return [...questionnairesOf(protocol).values()];
}

/**
 * A response to a form of the schedule as it is committed to: where the version in force has a questionnaire for it, it names
 * that, and is checked by it. Throws IssuesRefusal for answers that the form does not allow.
 */
export async function checkedResponse(
  ports: FormPorts,
  view: TrialView,
  { form, response }: { readonly form: string; readonly response: JsonObject },
): Promise<JsonObject> {
  const hash = questionnairesOf(shownVersion(view).protocol).get(form);
  if (hash === undefined) return response;
  const issues = answerIssues(await demandHeld(ports, view, hash), response);
  if (issues.length > 0) throw new IssuesRefusal('invalid-content', issues);
  return { ...response, questionnaire: formUrl(hash) };
}

async function demandHeld(ports: FormPorts, view: TrialView, hash: string): Promise<JsonObject> {
  const { trial, parties } = view.trial;
  const held = heldForm(ports.facts, hash);
  if (held !== undefined) return held;
  const asked =
    parties.sponsor === ports.member ? undefined : await askedFor(ports.ask, parties.sponsor, { trial, hash });
  if (asked === undefined || formHash(asked) !== hash) {
    throw new Refusal(
      'unavailable',
      'form-missing',
      'the questionnaire of this form is not here, and the sponsor does not send it',
    );
  }
  await keepForms(ports, view, [asked]);
  return asked;
}

async function askedFor(ask: Ask, sponsor: string, words: object): Promise<JsonObject | undefined> {
  try {
    return (await ask(sponsor, FORM_PATH, words)) as JsonObject | undefined;
  } catch {
    return undefined;
  }
}

/** What a door hears of forms: the sites of a trial get what it names. */
export function formsHeard({ ledger, facts }: Pick<ContentPorts, 'ledger' | 'facts'>): Readonly<Record<string, Heard>> {
  const hear = async (teller: string, body: string): Promise<object | undefined> => {
    try {
      const { trial, hash } = JSON.parse(body) as { readonly trial: string; readonly hash: string };
      const view = await readTrial(ledger, trial);
      if (view?.trial.parties.sites.includes(teller) !== true) return undefined;
      const isNamed = view.versions.some(({ protocol }) => hashesIn(protocol).includes(hash));
      return isNamed ? heldForm(facts, hash) : undefined;
    } catch {
      return undefined;
    }
  };
  return { [FORM_PATH]: { most: FORM_ASKED_BYTES, hear } };
}

/** The forms of the version that the ResearchStudy shows, as far as they are kept here; an OperationOutcome says what is not. */
export function questionnaires(view: TrialView, { facts }: { readonly facts: ContentFacts }): readonly object[] {
  const hashes = hashesIn(shownVersion(view).protocol);
  const held = hashes.flatMap((hash) => {
    const form = heldForm(facts, hash);
    return form === undefined ? [] : [{ ...form, id: hash }];
  });
  const missing = hashes.length - held.length;
  if (missing === 0) return held;
  const diagnostics = `${missing} questionnaires of this trial are not kept here`;
  return [...held, operationOutcome([{ severity: 'warning', code: 'incomplete', diagnostics }])];
}
