/** The R4 SearchParameters by resource type, with the numbers their index rows carry. */
import { isParameterOfR4 } from './corrections.js';
import { VARIANTS } from '../values/rows.js';
import { entries } from './definitions.js';
import { parseExpression, type Path } from './expression.js';

interface SearchParameter {
  readonly url: string;
  readonly code: string;
  readonly type: string;
  readonly base: readonly string[];
  readonly expression?: string;
  readonly target?: readonly string[];
  readonly component?: readonly { readonly definition: string; readonly expression: string }[];
}

/** What a search may ask of a type. */
export interface ParameterEntry {
  readonly number: number;
  readonly kind: string;
  readonly definition: string;
  /** Elements of the resource that it reads. */
  readonly elements?: readonly string[];
  readonly targets?: readonly string[];
  /** Systems that a token's codes are of without naming them. */
  readonly systems?: readonly string[];
  /** What a composite is made of. */
  readonly parts?: readonly ParameterPart[];
}

/** A component of a composite parameter, as it is served. */
export interface ParameterPart {
  readonly kind: string;
  readonly targets?: readonly string[];
}

/** A search parameter of one type with its expression parsed. */
export interface Source extends ParameterEntry {
  readonly code: string;
  readonly type: string;
  readonly paths: readonly Path[];
  readonly components: readonly { readonly kind: string; readonly paths: readonly Path[] }[];
}

/** Those answered by columns, by full text or not at all; the search itself knows them. */
const ELSEWHERE = new Set(['_id', '_lastUpdated', '_text', '_content', '_query']);

/** Every parameter of every type in a fixed order: numbers are part of the index's form. */
export function readParameters(types: readonly string[]): Source[] {
  const all = entries<SearchParameter>('fhir/r4/search-parameters.json').filter(({ url }) => isParameterOfR4(url));
  const byUrl = new Map(all.map((parameter) => [parameter.url, parameter]));
  const sources: Source[] = [];
  for (const type of types) {
    const own = all.filter((each) => appliesTo(each, type) && !ELSEWHERE.has(each.code)).sort(byCode);
    for (const parameter of own) sources.push(sourceOf(parameter, type, (sources.length + 1) * VARIANTS, byUrl));
  }
  return sources;
}

function appliesTo(parameter: SearchParameter, type: string): boolean {
  const everywhere = parameter.base.includes('Resource') || parameter.base.includes('DomainResource');
  return (everywhere || parameter.base.includes(type)) && parameter.expression !== undefined;
}

function byCode(one: SearchParameter, other: SearchParameter): number {
  return one.code < other.code ? -1 : 1;
}

function sourceOf(
  parameter: SearchParameter,
  type: string,
  number: number,
  byUrl: ReadonlyMap<string, SearchParameter>,
): Source {
  const components = componentsOf(parameter, byUrl);
  return {
    number,
    type,
    code: parameter.code,
    kind: parameter.type,
    definition: parameter.url,
    ...(parameter.target === undefined ? {} : { targets: parameter.target }),
    ...(components.length === 0 ? {} : { parts: components.map((each) => withTargets(each.kind, each.targets)) }),
    paths: parseExpression(parameter.expression ?? '').filter((path) => concerns(path, type)),
    components,
  };
}

function withTargets(kind: string, targets: readonly string[] | undefined): ParameterPart {
  return targets === undefined ? { kind } : { kind, targets };
}

interface ComponentSource extends ParameterPart {
  readonly paths: readonly Path[];
}

function componentsOf(parameter: SearchParameter, byUrl: ReadonlyMap<string, SearchParameter>): ComponentSource[] {
  const components = parameter.component ?? [];
  // R4 names the two components' definitions of this one the wrong way round: the code is the token.
  const swapped = parameter.url.endsWith('/DocumentReference-relationship');
  return components.map((component, at) => {
    const definition = byUrl.get((swapped ? components[1 - at] : component)?.definition ?? '');
    return { ...withTargets(definition?.type ?? '', definition?.target), paths: parseExpression(component.expression) };
  });
}

function concerns(path: Path, type: string): boolean {
  return path.root === type || path.root === 'Resource' || path.root === 'DomainResource' || path.root === '';
}
