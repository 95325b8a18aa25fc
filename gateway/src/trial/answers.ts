/**
 * Whether a QuestionnaireResponse answers its Questionnaire (https://hl7.org/fhir/R4/questionnaireresponse.html#notes): every
 * item where the form has it, what is required there once it is completed, values of the type and within the limits. Pure.
 */
import type { JsonObject } from '../fhir/json.js';
import type { Issue } from '../fhir/outcome.js';
import { type Answered, isEnabled } from './enabled.js';
import { fault, type Question, questionsOf } from './questions.js';
import { valueProblem } from './values.js';

/** Of these, whatever is required is there. */
const COMPLETE: readonly unknown[] = ['completed', 'amended'];

/** What an answer is judged in. */
interface Judged {
  readonly form: JsonObject;
  readonly response: JsonObject;
  readonly isComplete: boolean;
}

/** What is wrong with a response; empty when nothing is. Both are valid R4. */
export function answerIssues(form: JsonObject, response: JsonObject): readonly Issue[] {
  const judged = { form, response, isComplete: COMPLETE.includes(response.status) };
  return levelIssues(judged, questionsOf(form), itemsOf(response), 'QuestionnaireResponse');
}

function itemsOf({ item }: JsonObject): readonly Answered[] {
  return (item ?? []) as readonly Answered[];
}

function levelIssues(
  judged: Judged,
  questions: readonly Question[],
  items: readonly Answered[],
  path: string,
): Issue[] {
  const places = items.map(({ linkId }) => questions.findIndex((question) => question.linkId === linkId));
  const strange = places.flatMap((place, index) =>
    place < 0 ? [fault(`${path}.item[${index}]`, 'the form has no such item here')] : [],
  );
  const known = places.filter((place) => place >= 0);
  const isInOrder = known.every((place, index) => index === 0 || place >= (known[index - 1] ?? 0));
  const order = isInOrder ? [] : [fault(`${path}.item`, 'items stand in the order of the form')];
  const own = questions.flatMap((question) => {
    const given = items.flatMap((item, index) =>
      item.linkId === question.linkId ? [{ item, path: `${path}.item[${index}]` }] : [],
    );
    return questionIssues(judged, question, given, path);
  });
  return [...strange, ...order, ...own];
}

interface Given {
  readonly item: Answered;
  readonly path: string;
}

function questionIssues(judged: Judged, question: Question, given: readonly Given[], path: string): Issue[] {
  const { linkId, type, repeats = false } = question;
  if (!isEnabled(judged.response, question)) {
    return given.map((each) => fault(each.path, 'this is not asked after what was answered elsewhere'));
  }
  const isGroup = type === 'group';
  if (given.length > 1 && !(isGroup && repeats)) return [fault(`${path}.item`, `${linkId} stands there once`)];
  const isAnswered = given.some(({ item }) => (isGroup ? itemsOf(item) : answersOf(item)).length > 0);
  if (question.required === true && judged.isComplete && !isAnswered) {
    return [fault(`${path}.item`, `${linkId} is required`, 'required')];
  }
  return given.flatMap((each) =>
    isGroup ? groupIssues(judged, question, each) : valuesIssues(judged, question, each),
  );
}

function answersOf({ answer = [] }: Answered): readonly JsonObject[] {
  return answer;
}

function groupIssues(judged: Judged, { item = [] }: Question, { item: given, path }: Given): Issue[] {
  const answered = answersOf(given).length > 0 ? [fault(`${path}.answer`, 'a group has no answer of its own')] : [];
  return [...answered, ...levelIssues(judged, item, itemsOf(given), path)];
}

function valuesIssues(judged: Judged, question: Question, { item: given, path }: Given): Issue[] {
  const answers = answersOf(given);
  if (itemsOf(given).length > 0) return [fault(`${path}.item`, 'what a question leads to stands below its answer')];
  if (question.type === 'display' && answers.length > 0) return [fault(`${path}.answer`, 'a display is not answered')];
  if (answers.length > 1 && question.repeats !== true) return [fault(`${path}.answer`, 'one answer is asked for')];
  return answers.flatMap((answer, index) => {
    const own = `${path}.answer[${index}]`;
    const problem = valueProblem(judged.form, question, answer);
    const below = levelIssues(judged, question.item ?? [], itemsOf(answer), own);
    return problem === undefined ? below : [fault(own, problem), ...below];
  });
}
