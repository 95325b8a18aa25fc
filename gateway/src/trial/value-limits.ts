/**
 * What a question asks of the values of its answers: `maxLength`, and R4's extensions `minLength`, `regex`, `minValue`, `maxValue`,
 * `maxDecimalPlaces`, `mimeType`, `maxSize`, `questionnaire-referenceResource`
 * (https://hl7.org/fhir/R4/extensibility-registry.html). Pure.
 */
import { RE2JS } from 're2js';

import type { Issue } from '../fhir/outcome.js';
import { compared } from './compared.js';
import { extensionsOf, fault, type Question } from './questions.js';
import { sizeProblem, targetProblem, typeProblem } from './value-kinds.js';

/** Longest answer that is held against a pattern, in characters. */
export const MAX_MATCHED_LENGTH = 1_000;
/** Largest pattern, in instructions of RE2's machine: an answer takes time in proportion to both. */
export const MAX_PATTERN_SIZE = 500;
/** Longest pattern that is compiled at all, in characters: how large its machine is shows only afterwards. */
export const MAX_PATTERN_LENGTH = 1_000;

/** How limits are written that an answer is not compared with; the others are values of whichever type the answers are. */
const WRITTEN: Readonly<Record<string, string>> = {
  minLength: 'valueInteger',
  regex: 'valueString',
  maxDecimalPlaces: 'valueInteger',
  mimeType: 'valueCode',
  maxSize: 'valueDecimal',
  'questionnaire-minOccurs': 'valueInteger',
  'questionnaire-maxOccurs': 'valueInteger',
  'questionnaire-unitOption': 'valueCoding',
  'questionnaire-unitValueSet': 'valueCanonical',
  'questionnaire-referenceResource': 'valueCode',
};

/** A value in the forms that limits look at. */
interface Valued {
  /** With plain numbers. */
  readonly value: unknown;
  /** A text, or the digits of a number as sent; undefined for what is neither. */
  readonly text: string | undefined;
  /** The same of a number alone, or of a quantity's. */
  readonly digits: string | undefined;
  readonly isDate: boolean;
}

type Check = (limit: unknown, answer: Valued) => string | undefined;

const CHECKS: Readonly<Record<string, Check>> = {
  maxLength: (most, { text }) => (lengthOf(text) > Number(most) ? `at most ${String(most)} characters` : undefined),
  minLength: (least, { text }) =>
    text !== undefined && lengthOf(text) < Number(least) ? `at least ${String(least)} characters` : undefined,
  regex: (pattern, { text }) => (text === undefined ? undefined : patternProblem(String(pattern), text)),
  minValue: (least, { value, isDate }) =>
    (compared(value, least, isDate) ?? 0) < 0 ? `at least ${JSON.stringify(least)}` : undefined,
  maxValue: (most, { value, isDate }) =>
    (compared(value, most, isDate) ?? 0) > 0 ? `at most ${JSON.stringify(most)}` : undefined,
  maxDecimalPlaces: (most, { digits }) =>
    decimalPlaces(digits) > Number(most) ? `at most ${String(most)} decimal places` : undefined,
  maxSize: (most, { value }) => sizeProblem(Number(most), value),
};

/** What is wrong with a value of the right type; `exact` is the same with its decimals as sent. Undefined where nothing is. */
export function limitProblem(question: Question, value: unknown, exact: unknown): string | undefined {
  const digits = digitsOf(value, exact);
  const number = typeof value === 'number' ? digits : undefined;
  const answer = {
    value,
    text: typeof value === 'string' ? value : number,
    digits,
    isDate: question.type.startsWith('date'),
  };
  for (const [name, check] of Object.entries(CHECKS)) {
    for (const limit of limitsOf(question, name)) {
      const problem = check(limit, answer);
      if (problem !== undefined) return problem;
    }
  }
  const allowed = (name: string): readonly unknown[] => limitsOf(question, name);
  return typeProblem(allowed('mimeType'), value) ?? targetProblem(allowed('questionnaire-referenceResource'), value);
}

/** Why answers cannot be held against the limits of a question; empty when they can. */
export function limitIssues(question: Question, path: string): readonly Issue[] {
  const wrong = Object.entries(WRITTEN).flatMap(([name, type]) =>
    extensionsOf(question, name).some((each) => each[type] === undefined)
      ? [fault(`${path}.extension`, `${name} is given as ${type}`)]
      : [],
  );
  const patterns = limitsOf(question, 'regex').filter((pattern) => compiled(String(pattern)) === undefined);
  const unread = patterns.map(() =>
    fault(
      `${path}.extension`,
      `regex is a pattern that RE2 reads, of at most ${MAX_PATTERN_LENGTH} characters and ${MAX_PATTERN_SIZE} instructions`,
    ),
  );
  return [...wrong, ...unread];
}

/** The values of one limit: an element, or each extension of its name. */
function limitsOf(question: Question, name: string): readonly unknown[] {
  if (name === 'maxLength') return question.maxLength === undefined ? [] : [question.maxLength];
  return extensionsOf(question, name).flatMap((each) =>
    Object.entries(each).flatMap(([key, value]) => (key.startsWith('value') ? [value] : [])),
  );
}

function lengthOf(text = ''): number {
  return Array.from(text).length;
}

function digitsOf(value: unknown, exact: unknown): string | undefined {
  if (typeof value === 'number') return JSON.stringify(exact);
  const quantity = (value as { readonly value?: unknown } | null | undefined)?.value;
  return typeof quantity === 'number' ? JSON.stringify((exact as { readonly value: unknown }).value) : undefined;
}

/** Digits after the point, the exponent counted in. */
function decimalPlaces(digits = ''): number {
  const [, fraction = '', exponent = '0'] = /^-?\d+(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(digits) ?? [];
  return Math.max(0, fraction.length - Number(exponent));
}

/** A form in force may be older than these limits: what cannot be read holds nobody's answers up, and is not checked. */
function patternProblem(pattern: string, text: string): string | undefined {
  const read = compiled(pattern);
  if (read === undefined) return undefined;
  if (lengthOf(text) > MAX_MATCHED_LENGTH)
    return `an answer that a pattern is for has at most ${MAX_MATCHED_LENGTH} characters`;
  return read.matches(text) ? undefined : `as the pattern says: ${pattern}`;
}

/** What may be so many times too large by its characters is not compiled: that takes seconds. */
const ROUGHLY = 4;
/** Patterns kept compiled at most. */
const MOST_READY = 1_000;
/** By their text, undefined for what cannot be read: the same few forms are answered again and again. */
const READY = new Map<string, RE2JS | undefined>();

/** In linear time whatever the pattern: it comes from another member, and what it is held against from people. */
function compiled(pattern: string): RE2JS | undefined {
  if (lengthOf(pattern) > MAX_PATTERN_LENGTH) return undefined;
  if (READY.has(pattern)) return READY.get(pattern);
  if (READY.size >= MOST_READY) READY.clear();
  const made = roughSize(pattern) > ROUGHLY * MAX_PATTERN_SIZE ? undefined : compiledAnew(pattern);
  READY.set(pattern, made);
  return made;
}

/** Characters of a pattern with its repetitions written out: a few of them may be one instruction. */
function roughSize(pattern: string): number {
  const plain = pattern.replaceAll(/\\[^]/g, 'x').replaceAll(/\[[^\]]*\]/g, 'x');
  // The sizes of the groups that are open, and of what a repetition would repeat.
  const open: number[] = [];
  let [sum, last] = [0, 0];
  for (const [token, least, most] of plain.matchAll(/\{(\d+)(?:,(\d*))?\}|[^]/g)) {
    const before = sum - last;
    if (token === '(') {
      open.push(sum);
      [sum, last] = [0, 0];
    } else if (token === ')') {
      last = sum + 1;
      sum = (open.pop() ?? 0) + last;
    } else if (least !== undefined) {
      last *= Math.max(Number(least), Number(most ?? 0), 1);
      sum = before + last;
    } else {
      last = 1;
      sum += 1;
    }
  }
  return open.reduce((all, each) => all + each, sum);
}

function compiledAnew(pattern: string): RE2JS | undefined {
  try {
    const made = RE2JS.compile(pattern);
    return made.programSize() > MAX_PATTERN_SIZE ? undefined : made;
  } catch {
    return undefined;
  }
}
