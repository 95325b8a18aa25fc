/** Values of answers: their type, what may be chosen, and the limits that a question sets. Pure. */
import type { JsonObject } from '../fhir/json.js';
import { canonicalForm } from '../identity/statements.js';
import { type Coding, codesOf, type Question } from './questions.js';

const EXTENSION = 'http://hl7.org/fhir/StructureDefinition/';

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

/** What is wrong with one answer to a question; undefined where nothing is. */
export function valueProblem(form: JsonObject, question: Question, answer: JsonObject): string | undefined {
  const [name = '', value] = Object.entries(answer).find(([key]) => key.startsWith('value')) ?? [];
  // Why there is none may stand in its place.
  if (name === '' && Array.isArray(answer.extension)) return undefined;
  const allowed = VALUES[question.type] ?? [];
  if (!allowed.includes(name)) return `an answer of type ${question.type} is ${allowed.join(' or ')}`;
  return choiceProblem(form, question, name, value) ?? limitProblem(question, value);
}

function choiceProblem(form: JsonObject, question: Question, name: string, value: unknown): string | undefined {
  const { type, answerOption = [], answerValueSet } = question;
  const isListed = answerValueSet !== undefined || answerOption.length > 0;
  if (!isListed || (type === 'open-choice' && name === 'valueString')) return undefined;
  const isFound =
    name === 'valueCoding'
      ? (codesOf(form, question) ?? []).some((coding) => isSameCoding(coding, value as Coding))
      : answerOption.some((option) => canonicalForm({ of: option[name] }) === canonicalForm({ of: value }));
  return isFound ? undefined : 'the form does not offer this answer';
}

function isSameCoding(one: Coding, other: Coding): boolean {
  return one.code === other.code && one.system === other.system;
}

function limitProblem(question: Question, value: unknown): string | undefined {
  const { maxLength = Infinity } = question;
  if (typeof value === 'string' && Array.from(value).length > maxLength) return `at most ${maxLength} characters`;
  const [least, most] = [limit(question, 'minValue'), limit(question, 'maxValue')];
  const isDate = question.type.startsWith('date');
  if (least !== undefined && (compared(value, least, isDate) ?? 0) < 0) return `at least ${JSON.stringify(least)}`;
  if (most !== undefined && (compared(value, most, isDate) ?? 0) > 0) return `at most ${JSON.stringify(most)}`;
  return undefined;
}

/** The value of one of FHIR's extensions of questions. */
function limit({ extension = [] }: Question, name: string): unknown {
  const found = extension.find(({ url }) => url === `${EXTENSION}${name}`) ?? {};
  return Object.entries(found).find(([key]) => key.startsWith('value'))?.[1];
}

/** Below, at or above 0 as `a` is less than, equal to or more than `b`; undefined for what has no order. */
export function compared(a: unknown, b: unknown, isDate = false): number | undefined {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return isDate ? comparedDates(a, b) : comparedTexts(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  return comparedObjects(a as JsonObject | undefined, b as JsonObject | undefined);
}

function comparedTexts(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** Instants by when they are; dates as far as both tell, and without an order where one tells more (R4 datatypes.html#date). */
function comparedDates(a: string, b: string): number | undefined {
  if (a.includes('T') && b.includes('T')) return Date.parse(a) - Date.parse(b);
  const length = Math.min(a.length, b.length, 'YYYY-MM-DD'.length);
  const order = comparedTexts(a.slice(0, length), b.slice(0, length));
  return order === 0 && a.length !== b.length ? undefined : order;
}

/** Codings are equal or not; quantities are ordered where their units are the same. */
function comparedObjects(a: JsonObject | undefined, b: JsonObject | undefined): number | undefined {
  if (a === undefined || b === undefined) return undefined;
  if (a.value === undefined) return isSameCoding(a, b) && a.code !== undefined ? 0 : undefined;
  const isSameUnit = a.system === b.system && (a.code ?? a.unit) === (b.code ?? b.unit);
  return isSameUnit ? compared(a.value, b.value) : undefined;
}
