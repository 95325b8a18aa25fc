/** Values of answers: their type, and what may be chosen. Pure. */
import { isInValueSet, isValueSetKnown } from '../fhir/bindings.js';
import { type JsonObject, plainOf } from '../fhir/json.js';
import { canonicalForm } from '../identity/statements.js';
import { limitProblem } from './value-limits.js';
import { type Coding, codesOf, isSameCoding, type Question } from './questions.js';

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
  return choiceProblem(form, question, name, value) ?? limitProblem(question, value, exact);
}

function choiceProblem(form: JsonObject, question: Question, name: string, value: unknown): string | undefined {
  const { type, answerOption = [], answerValueSet } = question;
  const isListed = answerValueSet !== undefined || answerOption.length > 0;
  if (!isListed || (type === 'open-choice' && name === 'valueString')) return undefined;
  const isFound =
    name === 'valueCoding'
      ? isOffered(form, question, value as Coding)
      : answerOption.some((option) => canonicalForm({ of: option[name] }) === canonicalForm({ of: value }));
  return isFound ? undefined : 'the form does not offer this answer';
}

function isOffered(form: JsonObject, question: Question, value: Coding): boolean {
  const { answerValueSet = '' } = question;
  if (isValueSetKnown(answerValueSet)) return isInValueSet(value, answerValueSet);
  return (codesOf(form, question) ?? []).some((coding) => isSameCoding(coding, value));
}
