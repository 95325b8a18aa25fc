/** What a posted SearchParameter asks for, and whether it can be had (R4 searchparameter.html, search.html). */
import { createHash } from 'node:crypto';

import type { JsonObject } from '../../fhir/json.js';
import { ElementTable, type StructureDefinition } from '../compile/elements.js';
import { firstElements, parseExpression, type Path, UnsupportedExpression } from '../compile/expression.js';
import { impliedSystems } from '../compile/implied-systems.js';
import type { ParameterEntry } from '../compile/parameters.js';
import type { WrittenValueSets } from '../compile/value-sets.js';
import { generatedDefinitions, generatedSearch, isResourceType } from '../generated.js';
import { converters, isConvertible, type SearchKind } from '../values/converters.js';
import { type IndexRows, VARIANTS } from '../values/rows.js';
import { collect, typesAt } from './reach.js';

/** What posted search parameters may cost; more is refused with the limit. */
export const POSTED_LIMITS = {
  /** In effect at one member. */
  parameters: 50,
  /** Types of one. */
  bases: 10,
  /** Of one's expression. */
  characters: 1_000,
} as const;

/** What of a SearchParameter is used. */
export interface Definition {
  readonly url: string;
  readonly code: string;
  readonly kind: string;
  readonly base: readonly string[];
  readonly expression: string;
  readonly targets?: readonly string[];
}

/** Why it cannot be had, and by which element of the SearchParameter. */
export interface Problem {
  readonly element: string;
  readonly why: string;
}

/** A posted parameter of one type. */
export interface PostedParameter {
  readonly type: string;
  readonly code: string;
  readonly entry: ParameterEntry;
  readonly paths: readonly Path[];
}

const KINDS = ['token', 'string', 'reference', 'date', 'number', 'quantity', 'uri'];

/** What says in a search whose record it is about, which is decided before anything is looked for. */
const RESERVED = ['patient', 'subject'];

/** The definition in a SearchParameter that R4 allows. */
export function definitionOf({ url, code, type, base, expression, target }: JsonObject): Definition {
  return {
    ...{ url: String(url), code: String(code), kind: String(type), base: base as readonly string[] },
    expression: typeof expression === 'string' ? expression.trim() : '',
    ...(target === undefined ? {} : { targets: target as readonly string[] }),
  };
}

/** What is the first thing wrong with it; undefined where it can be had. */
export function problemOf(definition: Definition): Problem | undefined {
  for (const [element, check] of CHECKS) {
    const why = check(definition);
    if (why !== undefined) return { element, why };
  }
  return undefined;
}

type Check = (definition: Definition) => string | undefined;

const CHECKS: readonly (readonly [string, Check])[] = [
  ['type', ({ kind }) => (KINDS.includes(kind) ? undefined : `a posted parameter is one of ${KINDS.join(', ')}`)],
  [
    'code',
    ({ code }) =>
      /^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(code)
        ? undefined
        : 'the code starts with a letter and has at most 64 letters, digits, - and _',
  ],
  ['code', ({ code }) => (RESERVED.includes(code) ? `'${code}' says whose record a search is about` : undefined)],
  ['base', ({ base }) => (base.every(isResourceType) ? undefined : 'the base names types of R4 one by one')],
  [
    'base',
    ({ base }) =>
      base.length > POSTED_LIMITS.bases ? `a parameter has at most ${POSTED_LIMITS.bases} types` : undefined,
  ],
  [
    'code',
    ({ code, base }) => {
      const type = base.find((each) => Object.hasOwn(generatedSearch().parameters[each] ?? {}, code));
      return type === undefined ? undefined : `R4 has a search parameter '${code}' of ${type}: choose another code`;
    },
  ],
  [
    'target',
    ({ kind, targets }) =>
      kind === 'reference' && targets === undefined ? 'a reference says which types it may lead to' : undefined,
  ],
  ['expression', ({ expression }) => (expression === '' ? 'there is no expression' : undefined)],
  [
    'expression',
    ({ expression }) =>
      expression.length > POSTED_LIMITS.characters
        ? `an expression has at most ${POSTED_LIMITS.characters} characters`
        : undefined,
  ],
  ['expression', unreadable],
];

function unreadable(definition: Definition): string | undefined {
  try {
    compiled(definition);
    return undefined;
  } catch (error) {
    if (error instanceof UnsupportedExpression) return `the expression cannot be had: ${error.message}`;
    throw error;
  }
}

/** The parameter for each of its types. Throws UnsupportedExpression where one of its paths leads to nothing it can hold. */
export function compiled(definition: Definition): PostedParameter[] {
  const all = parseExpression(definition.expression);
  const stray = all.find(({ root }) => !ROOTS.includes(root) && !definition.base.includes(root));
  if (stray !== undefined) throw new UnsupportedExpression(`a path starts with one of the types of its base`);
  return definition.base.map((type) => {
    const paths = all.filter(({ root }) => root === type || ROOTS.includes(root));
    if (paths.length === 0) throw new UnsupportedExpression(`no path is for ${type}`);
    for (const path of paths) requireHeld(definition, path, type);
    return { type, code: definition.code, entry: entryOf(definition, paths, type), paths };
  });
}

const ROOTS = ['Resource', 'DomainResource'];

function requireHeld({ kind }: Definition, path: Path, type: string): void {
  const types = typesAt(elementsOf(type), path, type);
  if (types.some((each) => isConvertible(kind, each))) return;
  throw new UnsupportedExpression(`a ${kind} parameter holds no ${types.slice(0, 5).join(', ')}`);
}

function entryOf(definition: Definition, paths: readonly Path[], type: string): ParameterEntry {
  const { kind, url, targets } = definition;
  const systems = impliedSystems(elementsOf(type), { kind, paths, type }, valueSets());
  return {
    ...{ number: numberOf(definition, type), kind, definition: url, elements: firstElements(paths) },
    ...(targets === undefined ? {} : { targets }),
    ...(systems.length === 0 ? {} : { systems }),
  };
}

/** Numbers of R4's parameters are below. */
const FIRST = 2 ** 32;

/** The same for the same rows in the index, after a rebuild and at another gateway too: made of what the rows come from. */
function numberOf({ code, kind, expression, targets }: Definition, type: string): number {
  const hash = createHash('sha256').update(JSON.stringify([type, code, kind, expression, targets ?? []]));
  return VARIANTS * (FIRST + Number.parseInt(hash.digest('hex').slice(0, 11), 16));
}

/** Whether rows with this number are of a posted parameter. */
export function isPosted(number: number): boolean {
  return number >= VARIANTS * FIRST;
}

/** Adds the rows of one parameter; those it cannot make leave the others' alone. */
export function indexPosted({ entry, paths, type }: PostedParameter, content: JsonObject, rows: IndexRows): void {
  const converterOf = converters[entry.kind as SearchKind];
  try {
    for (const path of paths) {
      collect(elementsOf(type), path, content, (value, fhirType) => {
        converterOf[fhirType]?.(rows, entry.number, value as never);
      });
    }
  } catch {
    rows.incomplete();
  }
}

const tables = new Map<string, ElementTable>();
let dataTypes: readonly StructureDefinition[] | undefined;

/** Elements of a resource type; read when a posted parameter first needs them. */
function elementsOf(type: string): ElementTable {
  let table = tables.get(type);
  if (table === undefined) {
    dataTypes ??= generatedDefinitions('types') as readonly StructureDefinition[];
    table = new ElementTable([...dataTypes, generatedDefinitions(type) as StructureDefinition]);
    tables.set(type, table);
  }
  return table;
}

let written: WrittenValueSets | undefined;

function valueSets(): WrittenValueSets {
  return (written ??= generatedDefinitions('value-sets') as WrittenValueSets);
}
