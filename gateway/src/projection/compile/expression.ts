/** The part of FHIRPath that the R4 search parameters use, parsed to paths (FHIRPath N1 grammar, R4 searchparameter). */

/** One step along a path: into a property, to a type, or to those values that fit. */
export type Step =
  | { readonly kind: 'property'; readonly name: string }
  | { readonly kind: 'type'; readonly type: string }
  | { readonly kind: 'equals'; readonly property: string; readonly value: string }
  | { readonly kind: 'targets'; readonly type: string }
  | { readonly kind: 'first' };

/** One alternative of an expression; alternatives are joined by `|`. */
export interface Path {
  /** A resource type, `%resource`, or '' where the path starts at the context. */
  readonly root: string;
  readonly steps: readonly Step[];
  /** The value is whether anything is there other than false: `X.exists() and X != false`. */
  readonly existence: boolean;
}

/** An expression outside the part known here. */
export class UnsupportedExpression extends Error {}

/** The union's paths, in order. Throws UnsupportedExpression. */
export function parseExpression(expression: string): Path[] {
  return splitUnion(expression).map(parsePath);
}

/** Elements of the resource that the paths start with, each once. */
export function firstElements(paths: readonly Path[]): string[] {
  return [...new Set(paths.flatMap(({ steps: [step] }) => (step?.kind === 'property' ? [step.name] : [])))];
}

/** Splits at the top level's bars: none of the R4 parameters unites within brackets. */
function splitUnion(expression: string): string[] {
  return expression.split('|').map((part) => part.trim());
}

/** A path's text, in which calls may stand. */
const PATH = '((?:[^()]|\\((?:[^()]|\\(\\))*\\))+)';
const BRACKETED_CAST = new RegExp(`^\\(${PATH} as (\\w+)\\)`);
const CAST = new RegExp(`^${PATH} as (\\w+)$`);
const EXISTENCE = /^([A-Z]\w*(?:\.\w+)+)\.exists\(\) and \1 != false$/;

function parsePath(text: string): Path {
  const existence = EXISTENCE.exec(text);
  if (existence?.[1] !== undefined) return { ...parsePath(existence[1]), existence: true };
  const unwrapped = text
    .replace(BRACKETED_CAST, '$1.ofType($2)')
    .replace(CAST, '$1.ofType($2)')
    .replace(/^\((.+\))\)/, '$1');
  const [head = '', ...rest] = tokens(unwrapped);
  const rooted = /^([A-Z]|%resource$)/.test(head);
  const steps = (rooted ? rest : [head, ...rest]).flatMap(parseStep);
  return { root: rooted ? head : '', steps, existence: false };
}

/** Splits at dots outside brackets; an index becomes a step of its own. Throws where anything else stands between. */
function tokens(path: string): string[] {
  const found = path.match(/(?:%?[A-Za-z]\w*(?:\((?:[^()]|\(\))*\))?|\[\d+\])/g) ?? [];
  const read = found.map((token, at) => (at === 0 || token.startsWith('[') ? token : `.${token}`)).join('');
  if (read !== path) throw new UnsupportedExpression(`what is no path: ${path}`);
  return found;
}

function parseStep(token: string): Step | readonly Step[] {
  if (token === '[0]') return { kind: 'first' };
  if (token.startsWith('[')) throw new UnsupportedExpression(`index ${token}`);
  const call = /^(\w+)\((.*)\)$/.exec(token);
  return call === null ? { kind: 'property', name: token } : parseCall(call[1] ?? '', call[2] ?? '');
}

function parseCall(name: string, argument: string): Step | readonly Step[] {
  switch (name) {
    case 'ofType':
    case 'as':
      return { kind: 'type', type: argument === 'DateTime' ? 'dateTime' : argument };
    case 'where':
      return parseWhere(argument);
    case 'extension':
      return [{ kind: 'property', name }, parseWhere(`url=${argument}`)];
    default:
      throw new UnsupportedExpression(`function ${name}(${argument})`);
  }
}

function parseWhere(condition: string): Step {
  const target = /^resolve\(\) is (\w+)$/.exec(condition);
  if (target?.[1] !== undefined) return { kind: 'targets', type: target[1] };
  const equals = /^(\w+)\s*=\s*'([^']*)'$/.exec(condition);
  if (equals === null) throw new UnsupportedExpression(`condition ${condition}`);
  return { kind: 'equals', property: equals[1] ?? '', value: equals[2] ?? '' };
}
