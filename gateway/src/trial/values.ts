/** Values of answers: their type, and what may be chosen. Pure. */
import { type JsonObject, plainOf } from '../fhir/json.js';
import { canonicalForm } from '../identity/statements.js';
import { limitProblem } from './value-limits.js';
import { type Coding, extensionsOf, isInSet, isSameCoding, type Question } from './questions.js';
import { unitProblem } from './units.js';

const CHOSEN = ['valueCoding', 'valueString', 'valueInteger', 'valueDate', 'valueTime', 'valueReference'];
/** How the answers to each type of question are written (R4 valueset-item-type). */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  boolean: ['valueBoolean'],
  decimal: ['valueDecimal', 'valueInteger'],
  integer: ['valueInteger'],
  date: ['valueDate'],
  dateTime: ['valueDateTime', 'valueDate'],
  time: ['valueTime'],
  string: ['valueString'],
  text: ['valueString'],
  url: ['valueUri'],
  choice: CHOSEN,
  'open-choice': CHOSEN,
  attachment: ['valueAttachment'],
  reference: ['valueReference'],
  quantity: ['valueQuantity'],
};

/** What is wrong with one answer to a question, decimals exact; undefined where nothing is. */
export function valueProblem(form: JsonObject, question: Question, answer: JsonObject): string | undefined {
  const [name = '', exact] = Object.entries(answer).find(([key]) => key.startsWith('value')) ?? [];
  // Why there is none may stand in its place.
  if (name === '' && Array.isArray(answer.extension)) return undefined;
  const allowed = VALUES[question.type] ?? [];
  if (!allowed.includes(name)) return `an answer of type ${question.type} is ${allowed.join(' or ')}`;
  const value = plainOf(exact);
  return (
    choiceProblem(form, question, name, value) ??
    unitProblem(form, question, value) ??
    limitProblem(question, value, exact)
  );
}

function choiceProblem(form: JsonObject, question: Question, name: string, value: unknown): string | undefined {
  const { type, answerOption = [], answerValueSet } = question;
  const isListed = answerValueSet !== undefined || answerOption.length > 0;
  if (!isListed || (type === 'open-choice' && name === 'valueString')) return undefined;
  const isFound =
    answerValueSet === undefined
      ? answerOption.some((option) => isChosen(option, name, value))
      : name === 'valueCoding' && isInSet(form, answerValueSet, value as Coding);
  return isFound ? undefined : 'the form does not offer this answer';
}

/** What is wrong with several answers to one question: one of them is an option that excludes all others (`questionnaire-optionExclusive`). */
export function togetherProblem({ answerOption = [] }: Question, answers: readonly JsonObject[]): string | undefined {
  if (answers.length < 2) return undefined;
  const exclusive = answerOption.filter((option) =>
    extensionsOf(option, 'questionnaire-optionExclusive').some(({ valueBoolean }) => valueBoolean === true),
  );
  const given = answers.flatMap((answer) => Object.entries(answer).filter(([key]) => key.startsWith('value')));
  const isAmong = given.some(([name, exact]) => exclusive.some((option) => isChosen(option, name, plainOf(exact))));
  return isAmong ? 'one of these answers excludes all others' : undefined;
}

/** Codings are the same by code and system; all else as a whole. */
function isChosen(option: JsonObject, name: string, value: unknown): boolean {
  const offered = option[name];
  if (offered === undefined) return false;
  if (name === 'valueCoding') return isSameCoding(offered as Coding, value as Coding);
  return canonicalForm({ of: offered }) === canonicalForm({ of: value });
}
