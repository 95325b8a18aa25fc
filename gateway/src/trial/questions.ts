/** A Questionnaire's items as answers are judged by them (https://hl7.org/fhir/R4/questionnaire.html). Pure. */
import type { JsonObject } from '../fhir/json.js';
import type { Issue } from '../fhir/outcome.js';

/** Most items of a form. */
export const MAX_FORM_ITEMS = 1_000;
/** How deep groups and questions may lie in each other. */
export const MAX_FORM_DEPTH = 10;

/** What an answer is, where it may be chosen. */
export interface Coding {
  readonly system?: string;
  readonly code?: string;
}
/** Under what answer to another question this one is asked. */
export interface EnableWhen extends JsonObject {
  readonly question: string;
  readonly operator: string;
}
/** A group, a question or a display. */
export interface Question {
  readonly linkId: string;
  readonly type: string;
  readonly required?: boolean;
  readonly repeats?: boolean;
  readonly maxLength?: number;
  readonly answerOption?: readonly JsonObject[];
  readonly answerValueSet?: string;
  readonly enableWhen?: readonly EnableWhen[];
  readonly enableBehavior?: string;
  readonly extension?: readonly JsonObject[];
  readonly item?: readonly Question[];
}
interface ValueSet {
  readonly id?: string;
  readonly compose?: {
    readonly exclude?: readonly object[];
    readonly include?: readonly { readonly system?: string; readonly concept?: readonly Coding[] }[];
  };
}

/** Its items; a resource without any has none. */
export function questionsOf({ item }: JsonObject): readonly Question[] {
  return (item ?? []) as readonly Question[];
}

/** Why answers cannot be checked by a form: what it names and does not have, or beyond a limit. Empty when they can. */
export function formIssues(form: JsonObject): readonly Issue[] {
  const all = [...everyQuestion(questionsOf(form))];
  if (all.length > MAX_FORM_ITEMS || all.some(({ depth }) => depth > MAX_FORM_DEPTH)) {
    return [
      fault('Questionnaire.item', `a form has at most ${MAX_FORM_ITEMS} items, ${MAX_FORM_DEPTH} deep`, 'too-costly'),
    ];
  }
  const known = new Set(all.map(({ question }) => question.linkId));
  const twice = known.size === all.length ? [] : [fault('Questionnaire.item', 'a linkId stands twice')];
  return [...twice, ...all.flatMap(({ question, path }) => questionIssues(form, question, path, known))];
}

function questionIssues(form: JsonObject, question: Question, path: string, known: ReadonlySet<string>): Issue[] {
  const { answerValueSet, enableWhen = [] } = question;
  const unknown = enableWhen.some((when) => !known.has(when.question));
  return [
    ...(unknown ? [fault(`${path}.enableWhen`, 'the form has no such question')] : []),
    ...(answerValueSet !== undefined && codesOf(form, question) === undefined
      ? [fault(`${path}.answerValueSet`, 'name a contained ValueSet that lists its concepts: no other is looked up')]
      : []),
  ];
}

function* everyQuestion(
  items: readonly Question[],
  path = 'Questionnaire',
  depth = 1,
): Generator<{ readonly question: Question; readonly path: string; readonly depth: number }> {
  for (const [index, question] of items.entries()) {
    const own = `${path}.item[${index}]`;
    yield { question, path: own, depth };
    if (depth <= MAX_FORM_DEPTH) yield* everyQuestion(question.item ?? [], own, depth + 1);
  }
}

/** What may be chosen by code; undefined where the form does not list it. */
export function codesOf(form: JsonObject, { answerOption, answerValueSet }: Question): readonly Coding[] | undefined {
  if (answerValueSet !== undefined) return listedIn(form, answerValueSet);
  return answerOption?.flatMap(({ valueCoding }) => (valueCoding === undefined ? [] : [valueCoding as Coding]));
}

/** Codes of a contained ValueSet that lists them all. */
function listedIn({ contained = [] }: JsonObject, url: string): readonly Coding[] | undefined {
  const { compose } = (contained as readonly ValueSet[]).find(({ id }) => url === `#${id}`) ?? {};
  const { include = [], exclude } = compose ?? {};
  const isListed = include.length > 0 && include.every(({ concept }) => concept !== undefined);
  if (!isListed || exclude !== undefined) return undefined;
  return include.flatMap(({ system, concept = [] }) =>
    concept.map(({ code = '' }) => (system === undefined ? { code } : { system, code })),
  );
}

/** An error at an element. */
export function fault(expression: string, diagnostics: string, code = 'invariant'): Issue {
  return { severity: 'error', code, diagnostics, expression: [expression] };
}
