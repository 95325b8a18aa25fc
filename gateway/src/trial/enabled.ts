/** Which questions of a form are asked, by what was answered elsewhere (`enableWhen`, R4 questionnaire.html). Pure. */
import { type JsonObject, plainOf } from '../fhir/json.js';
import { type EnableWhen, type Question } from './questions.js';
import { compared } from './compared.js';

/** An item of a QuestionnaireResponse. */
export interface Answered extends JsonObject {
  readonly linkId?: string;
  readonly answer?: readonly JsonObject[];
  readonly item?: readonly Answered[];
}

/** Items beside each other, within the item that they belong to. */
export interface Level {
  readonly items: readonly Answered[];
  /** The item that they are below of, where it stands, and what is beside that; absent of the response's own items. */
  readonly within?: { readonly item: Answered; readonly at: number; readonly level: Level };
  /** Where each linkId stands in this level and below, by the place of this level's item; made when first asked for. */
  readonly places: Map<string, { readonly item: Answered; readonly at: number }[]>;
}

/** A level that nothing was looked up in yet. */
export function levelOf(items: readonly Answered[], within?: Level['within']): Level {
  return { items, places: new Map(), ...(within !== undefined && { within }) };
}

/** Operators that one answer must meet. */
const meets: Readonly<Record<string, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '>': (order) => order > 0,
  '<': (order) => order < 0,
  '>=': (order) => order >= 0,
  '<=': (order) => order <= 0,
};

/** Whether a question that belongs at this place of a level is asked; one without conditions always is. */
export function isEnabled(level: Level, at: number, { enableWhen = [], enableBehavior }: Question): boolean {
  if (enableWhen.length === 0) return true;
  const met = enableWhen.map((when) => isMet(when, nearest(level, at, when.question)?.answer ?? []));
  return enableBehavior === 'any' ? met.some(Boolean) : met.every(Boolean);
}

function isMet(when: EnableWhen, answers: readonly JsonObject[]): boolean {
  const [name = '', expected] = Object.entries(when).find(([key]) => key.startsWith('answer')) ?? [];
  if (when.operator === 'exists') return answers.length > 0 === expected;
  const value = name.replace('answer', 'value');
  const orders = answers.map((answer) => compared(plainOf(answer[value]), expected, value.startsWith('valueDate')));
  // R4's operator != asks that no answer is equal.
  if (when.operator === '!=') return !orders.includes(0);
  const isSo = meets[when.operator];
  return isSo !== undefined && orders.some((order) => order !== undefined && isSo(order));
}

/** The item that a condition means: an ancestor, else the last before, else the first after, in the innermost level that has any. */
function nearest(level: Level, at: number, linkId: string): Answered | undefined {
  const found = placesOf(level).get(linkId) ?? [];
  const before = found.findLast((each) => each.at < at);
  const own = before ?? found[0];
  if (own !== undefined || level.within === undefined) return own?.item;
  const { within } = level;
  return within.item.linkId === linkId ? within.item : nearest(within.level, within.at, linkId);
}

function placesOf({ items, places }: Level): Level['places'] {
  if (places.size === 0)
    items.forEach((item, at) => {
      note(places, item, at);
    });
  return places;
}

function note(places: Level['places'], item: Answered, at: number): void {
  const known = places.get(item.linkId ?? '');
  if (known === undefined) places.set(item.linkId ?? '', [{ item, at }]);
  else known.push({ item, at });
  for (const below of itemsBelow(item)) note(places, below, at);
}

/** Items of a group, and those below each answer to a question. */
export function itemsBelow({ item = [], answer = [] }: Answered): readonly Answered[] {
  return [...item, ...answer.flatMap((each) => (each.item ?? []) as readonly Answered[])];
}
