/**
 * Whether a QuestionnaireResponse answers its Questionnaire (https://hl7.org/fhir/R4/questionnaireresponse.html#notes): every
 * item where the form has it, what is required there once it is completed, values of the type and within the limits. Pure.
 */
import type { JsonObject } from '../fhir/json.js';
import type { Issue } from '../fhir/outcome.js';
import { type Answered, isEnabled, itemsBelow, type Level, levelOf } from './enabled.js';
import { countProblem } from './occurrences.js';
import { fault, type Question, questionsOf } from './questions.js';
import { togetherProblem, valueProblem } from './values.js';

/** Most items of a response. */
export const MAX_ANSWERED_ITEMS = 2_000;
/** Of these, whatever is required is there. */
const COMPLETE: readonly unknown[] = ['completed', 'amended'];

/** What an answer is judged in. */
interface Judged {
  readonly form: JsonObject;
  readonly isComplete: boolean;
}

/** What is wrong with a response, decimals exact; empty when nothing is. Both are valid R4, the form with plain numbers. */
export function answerIssues(form: JsonObject, response: JsonObject): readonly Issue[] {
  const items = itemsOf(response);
  if (isLarger(items, MAX_ANSWERED_ITEMS)) {
    return [fault('QuestionnaireResponse.item', `a response has at most ${MAX_ANSWERED_ITEMS} items`, 'too-costly')];
  }
  const judged = { form, isComplete: COMPLETE.includes(response.status) };
  return levelIssues(judged, questionsOf(form), levelOf(items), 'QuestionnaireResponse');
}

function isLarger(items: readonly Answered[], most: number): boolean {
  let level = items;
  for (let count = 0; level.length > 0; level = level.flatMap(itemsBelow)) {
    count += level.length;
    if (count > most) return true;
  }
  return false;
}

function itemsOf({ item }: JsonObject): readonly Answered[] {
  return (item ?? []) as readonly Answered[];
}

function levelIssues(judged: Judged, questions: readonly Question[], level: Level, path: string): Issue[] {
  const { items } = level;
  const order = new Map(questions.map(({ linkId }, index) => [linkId, index]));
  const places = items.map(({ linkId = '' }) => order.get(linkId) ?? -1);
  const strange = places.flatMap((place, index) =>
    place < 0 ? [fault(`${path}.item[${index}]`, 'the form has no such item here')] : [],
  );
  const known = places.filter((place) => place >= 0);
  const isInOrder = known.every((place, index) => index === 0 || place >= (known[index - 1] ?? 0));
  const disorder = isInOrder ? [] : [fault(`${path}.item`, 'items stand in the order of the form')];
  const given = Map.groupBy(
    items.map((item, at) => ({ item, at, level, path: `${path}.item[${at}]` })),
    ({ item }) => item.linkId,
  );
  let at = 0;
  const own = questions.flatMap((question) => {
    const answered = given.get(question.linkId) ?? [];
    at = Math.max(at, answered[0]?.at ?? 0);
    const issues = questionIssues(judged, question, answered, { level, at, path });
    at = Math.max(at, (answered.at(-1)?.at ?? -1) + 1);
    return issues;
  });
  return [...strange, ...disorder, ...own];
}

/** An item of a response and where it stands. */
interface Given {
  readonly item: Answered;
  readonly at: number;
  readonly level: Level;
  readonly path: string;
}

function questionIssues(
  judged: Judged,
  question: Question,
  given: readonly Given[],
  { level, at, path }: { readonly level: Level; readonly at: number; readonly path: string },
): Issue[] {
  const { linkId, type, repeats = false } = question;
  if (!isEnabled(level, at, question)) {
    return given.map((each) => fault(each.path, 'this is not asked after what was answered elsewhere'));
  }
  const isGroup = type === 'group';
  if (given.length > 1 && !(isGroup && repeats)) return [fault(`${path}.item`, `${linkId} stands there once`)];
  const missing = presenceIssue(judged, question, given, path);
  if (missing !== undefined) return [missing];
  return given.flatMap((each) =>
    isGroup ? groupIssues(judged, question, each) : valuesIssues(judged, question, each),
  );
}

/** Why an item that is asked stands there too seldom or too often. */
function presenceIssue(
  { isComplete }: Judged,
  question: Question,
  given: readonly Given[],
  path: string,
): Issue | undefined {
  const { linkId, type, required = false } = question;
  const isGroup = type === 'group';
  const isAnswered = given.some(({ item }) => (isGroup ? itemsOf(item) : answersOf(item)).length > 0);
  if (required && isComplete && !isAnswered) return fault(`${path}.item`, `${linkId} is required`, 'required');
  const count = isGroup ? given.length : given.flatMap(({ item }) => answersOf(item)).length;
  const problem = countProblem(question, count, isComplete);
  return problem === undefined ? undefined : fault(`${path}.item`, `${linkId} stands there ${problem}`);
}

function answersOf({ answer = [] }: Answered): readonly JsonObject[] {
  return answer;
}

function groupIssues(judged: Judged, { item = [] }: Question, given: Given): Issue[] {
  const answered =
    answersOf(given.item).length > 0 ? [fault(`${given.path}.answer`, 'a group has no answer of its own')] : [];
  return [...answered, ...levelIssues(judged, item, levelOf(itemsOf(given.item), given), given.path)];
}

function valuesIssues(judged: Judged, question: Question, given: Given): Issue[] {
  const { item, path } = given;
  const answers = answersOf(item);
  if (itemsOf(item).length > 0) return [fault(`${path}.item`, 'what a question leads to stands below its answer')];
  if (question.type === 'display' && answers.length > 0) return [fault(`${path}.answer`, 'a display is not answered')];
  if (answers.length > 1 && question.repeats !== true) return [fault(`${path}.answer`, 'one answer is asked for')];
  const together = togetherProblem(question, answers);
  if (together !== undefined) return [fault(`${path}.answer`, together)];
  return answers.flatMap((answer, index) => {
    const own = `${path}.answer[${index}]`;
    const problem = valueProblem(judged.form, question, answer);
    const below = levelIssues(judged, question.item ?? [], levelOf(itemsOf(answer), given), own);
    return problem === undefined ? below : [fault(own, problem), ...below];
  });
}
