/**
 * Constraints that R4 puts on data types, and on resources where the validator does not find them broken
 * (datatypes.html, references.html, narrative.html). Pure; each looks at one value.
 */
import { spanOf } from '../projection/values/dates.js';
import type { JsonObject } from './json.js';
import { narrativeProblem } from './xhtml.js';

/** A constraint by its key, with what it asks for. */
export interface Broken {
  readonly key: string;
  readonly why: string;
}

/** Says what a value breaks; `root` is the resource that contains are looked for in. */
type Rule = (value: JsonObject, root: JsonObject) => Broken | undefined;

const rule =
  (key: string, why: string, holds: (value: JsonObject, root: JsonObject) => boolean): Rule =>
  (value, root) =>
    holds(value, root) ? undefined : { key, why };

const has = (value: JsonObject, name: string): boolean => name in value || `_${name}` in value;

const quantity = rule(
  'qty-3',
  'if a code for the unit is present, the system SHALL also be present',
  (value) => !has(value, 'code') || has(value, 'system'),
);

const RULES: Readonly<Record<string, Rule>> = {
  Period: rule('per-1', 'if present, start SHALL have a lower value than end', ({ start, end }) => {
    const [from, to] = [dateOf(start), dateOf(end)];
    return from === undefined || to === undefined || from.low <= to.high + slackOf(start, end);
  }),
  ContactPoint: rule(
    'cpt-2',
    'a system is required if a value is provided',
    (value) => !has(value, 'value') || has(value, 'system'),
  ),
  ...Object.fromEntries(['Quantity', 'Age', 'Duration', 'Distance', 'Count'].map((type) => [type, quantity])),
  Ratio: rule(
    'rat-1',
    'numerator and denominator SHALL both be present, or both are absent',
    (value) => has(value, 'numerator') === has(value, 'denominator'),
  ),
  Range: rule('rng-2', 'if present, low SHALL have a lower value than high', ({ low, high }) => {
    const [one, other] = [amountOf(low), amountOf(high)];
    return one.unit !== other.unit || !(one.value > other.value);
  }),
  Attachment: rule(
    'att-1',
    'if the Attachment has data, it SHALL have a contentType',
    (value) => !has(value, 'data') || has(value, 'contentType'),
  ),
  Reference: rule(
    'ref-1',
    'SHALL have a contained resource if a local reference is provided',
    ({ reference }, root) => {
      if (typeof reference !== 'string' || !reference.startsWith('#') || reference === '#') return true;
      return listOf(root.contained).some(({ id }) => `#${String(id)}` === reference);
    },
  ),
  Narrative: ({ div }) => (typeof div === 'string' ? narrativeProblem(div) : undefined),
  Organization: rule(
    'org-1',
    'the organization SHALL at least have a name or an identifier, and possibly more than one',
    (value) => has(value, 'name') || has(value, 'identifier'),
  ),
  Observation: rule(
    'obs-7',
    'if Observation.code is the same as an Observation.component.code then the value element SHALL NOT be present',
    (value) => {
      const own = codesOf(value.code);
      const isSame = listOf(value.component).some(({ code }) => codesOf(code).some((each) => own.includes(each)));
      return !isSame || !Object.keys(value).some((name) => /^_?value[A-Z]/.test(name));
    },
  ),
};

/** Whether a type has a rule at all. */
export function hasRule(type: string): boolean {
  return Object.hasOwn(RULES, type);
}

/** What a value of a type breaks; undefined where nothing. */
export function brokenBy(type: string, value: JsonObject, root: JsonObject): Broken | undefined {
  return (hasRule(type) ? RULES[type] : undefined)?.(value, root);
}

const DOM_3 = 'a contained resource SHALL be referred to from elsewhere in the resource, or refer to it';

/** What a resource's contained resources break as a whole (R4 domainresource.html, dom-3). */
export function brokenByContained(resource: JsonObject): Broken | undefined {
  const contained = listOf(resource.contained);
  if (contained.length === 0) return undefined;
  const named = new Set<string>();
  const own = Object.entries(resource).filter(([name]) => name !== 'contained');
  for (const [, value] of own) collect(value, named);
  for (const each of contained) collect(each, named);
  const isReferred = (each: JsonObject): boolean => named.has(`#${String(each.id)}`) || refersToContainer(each);
  return contained.every(isReferred) ? undefined : { key: 'dom-3', why: DOM_3 };
}

function refersToContainer(contained: JsonObject): boolean {
  const named = new Set<string>();
  collect(contained, named);
  return named.has('#');
}

/** Texts that may refer to what is contained. */
function collect(value: unknown, found: Set<string>): void {
  if (typeof value === 'string') {
    if (value.startsWith('#')) found.add(value);
  } else if (typeof value === 'object' && value !== null) {
    for (const each of Object.values(value)) collect(each, found);
  }
}

/** NaN where there is no number. */
function amountOf(quantity: unknown): { readonly value: number; readonly unit: string } {
  const { value, code, unit } = (quantity ?? {}) as JsonObject;
  return { value: typeof value === 'number' ? value : NaN, unit: JSON.stringify([code, unit]) };
}

/** Furthest that a zone is from UTC, milliseconds. */
const FURTHEST_ZONE = 14 * 3_600_000;

/** A date has no zone, a time has: where one stands against the other, the date may be of any zone. */
function slackOf(...dates: readonly unknown[]): number {
  const timed = dates.filter((each) => String(each).includes('T'));
  return timed.length === 1 ? FURTHEST_ZONE : 0;
}

function dateOf(value: unknown): ReturnType<typeof spanOf> {
  return typeof value === 'string' ? spanOf(value) : undefined;
}

function codesOf(concept: unknown): string[] {
  const codings = listOf((concept as JsonObject | null | undefined)?.coding);
  return codings.flatMap(({ system, code }) => (code === undefined ? [] : [JSON.stringify([system, code])]));
}

function listOf(value: unknown): JsonObject[] {
  if (!Array.isArray(value)) return [];
  return value.filter((each): each is JsonObject => typeof each === 'object' && each !== null);
}
