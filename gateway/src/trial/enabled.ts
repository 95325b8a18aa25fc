/** Which questions of a form are asked, by what was answered elsewhere (`enableWhen`, R4 questionnaire.html). Pure. */
import type { JsonObject } from '../fhir/json.js';
import { type EnableWhen, type Question } from './questions.js';
import { compared } from './values.js';

/** An item of a QuestionnaireResponse. */
export interface Answered extends JsonObject {
  readonly linkId?: string;
  readonly answer?: readonly JsonObject[];
  readonly item?: readonly Answered[];
}

/** Operators that one answer must meet. */
const meets: Readonly<Record<string, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '>': (order) => order > 0,
  '<': (order) => order < 0,
  '>=': (order) => order >= 0,
  '<=': (order) => order <= 0,
};

/** Whether a question is asked in a response; one without conditions always is. */
export function isEnabled(response: JsonObject, { enableWhen = [], enableBehavior }: Question): boolean {
  if (enableWhen.length === 0) return true;
  const met = enableWhen.map((when) => isMet(when, [...answersTo(response, when.question)]));
  return enableBehavior === 'any' ? met.some(Boolean) : met.every(Boolean);
}

function isMet(when: EnableWhen, answers: readonly JsonObject[]): boolean {
  const [name = '', expected] = Object.entries(when).find(([key]) => key.startsWith('answer')) ?? [];
  if (when.operator === 'exists') return answers.length > 0 === expected;
  const orders = answers.map((answer) => compared(answer[name.replace('answer', 'value')], expected));
  // R4's operator != asks that no answer is equal.
  if (when.operator === '!=') return !orders.includes(0);
  const isSo = meets[when.operator];
  return isSo !== undefined && orders.some((order) => order !== undefined && isSo(order));
}

function* answersTo(level: JsonObject, linkId: string): Generator<JsonObject> {
  for (const item of (level.item ?? []) as readonly Answered[]) {
    if (item.linkId === linkId) yield* item.answer ?? [];
    yield* answersTo(item, linkId);
    for (const answer of item.answer ?? []) yield* answersTo(answer, linkId);
  }
}
