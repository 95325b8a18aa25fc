/** Whether answers can be checked by a Questionnaire (https://hl7.org/fhir/R4/questionnaire.html). Pure. */
import type { JsonObject } from '../fhir/json.js';
import type { Issue } from '../fhir/outcome.js';
import { occurrenceIssues } from './occurrences.js';
import { fault, isSetListed, type Question, questionsOf } from './questions.js';
import { unitSetsOf } from './units.js';
import { limitIssues } from './value-limits.js';

/** Most items of a form. */
export const MAX_FORM_ITEMS = 1_000;
/** How deep groups and questions may lie in each other. */
export const MAX_FORM_DEPTH = 10;

const UNLISTED =
  'name one that R4 lists whole for its own elements, or contain it with its concepts: the hash of a form holds no other';

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
    ...limitIssues(question, path),
    ...(unknown ? [fault(`${path}.enableWhen`, 'the form has no such question')] : []),
    ...occurrenceIssues(question, path),
    ...(answerValueSet === undefined || isSetListed(form, answerValueSet)
      ? []
      : [fault(`${path}.answerValueSet`, UNLISTED, 'not-supported')]),
    ...(unitSetsOf(question).every((url) => isSetListed(form, url))
      ? []
      : [fault(`${path}.extension`, UNLISTED, 'not-supported')]),
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
