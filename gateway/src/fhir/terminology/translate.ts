/** ConceptMap/$translate (R4 conceptmap-operation-translate). */
import type { FhirContext } from '../context.js';
import type { JsonObject } from '../json.js';
import type { FhirRequest, FhirResponse } from '../request.js';
import { Asked, type Coding } from './asked.js';
import { demandKnown } from './known.js';

const PARAMETERS = [
  'url',
  'conceptMap',
  'conceptMapVersion',
  'code',
  'system',
  'version',
  'coding',
  'codeableConcept',
].concat('targetsystem', 'reverse');

interface Target {
  readonly code?: string;
  readonly display?: string;
  readonly equivalence: string;
}

/** R4 ConceptMap.group, as far as it is read. */
interface Group {
  readonly source?: string;
  readonly target?: string;
  readonly element?: readonly {
    readonly code?: string;
    readonly display?: string;
    readonly target?: readonly Target[];
  }[];
  readonly unmapped?: { readonly mode: string; readonly code?: string; readonly display?: string };
}

interface Match {
  readonly equivalence: string;
  readonly concept?: Coding;
}

/** What is no translation (R4 valueset-concept-map-equivalence). */
const NOT_EQUAL = new Set(['unmatched', 'disjoint']);
/** How an equivalence reads the other way round. */
const REVERSED: Readonly<Record<string, string>> = {
  wider: 'narrower',
  narrower: 'wider',
  subsumes: 'specializes',
  specializes: 'subsumes',
};

/** The codes that a concept map has for a code. Throws Refusal. */
export function translate(context: FhirContext, request: FhirRequest, id?: string): FhirResponse {
  const asked = new Asked(request, PARAMETERS);
  const codings = asked.codings();
  const map = demandKnown(context, request, {
    ...{ type: 'ConceptMap', id, given: asked.resource('conceptMap', 'ConceptMap') },
    ...{ url: asked.text('url'), version: asked.text('conceptMapVersion') },
  });
  const groups = (Array.isArray(map.group) ? map.group : []) as readonly Group[];
  const [reverse, target] = [asked.flag('reverse'), asked.text('targetsystem')];
  const matches = codings.flatMap((coding) =>
    groups.flatMap((group) => (reverse ? backwards : forwards)(group, coding)),
  );
  const wanted = matches.filter(({ concept }) => target === undefined || concept?.system === target);
  const result = wanted.some(({ equivalence }) => !NOT_EQUAL.has(equivalence));
  const parameter = [
    { name: 'result', valueBoolean: result },
    ...(result ? [] : [{ name: 'message', valueString: 'the concept map has no translation of the code' }]),
    ...wanted.map((match) => matchOf(match, map)),
  ];
  return { status: 200, headers: {}, resource: { resourceType: 'Parameters', parameter } };
}

function forwards({ source, target, element = [], unmapped }: Group, { system, code }: Coding): Match[] {
  if (source !== system) return [];
  const found = element.filter((each) => each.code === code);
  if (found.length > 0) {
    return found.flatMap(({ target: targets = [] }) =>
      targets.map((each) => to(target, each.code, each.display, each.equivalence)),
    );
  }
  if (unmapped?.mode === 'provided') return [to(target, code, undefined, 'equal')];
  return unmapped?.mode === 'fixed' ? [to(target, unmapped.code, unmapped.display, 'inexact')] : [];
}

function backwards({ source, target, element = [] }: Group, { system, code }: Coding): Match[] {
  if (target !== system) return [];
  return element.flatMap((each) =>
    (each.target ?? [])
      .filter((one) => one.code === code)
      .map(({ equivalence }) => to(source, each.code, each.display, REVERSED[equivalence] ?? equivalence)),
  );
}

function to(
  system: string | undefined,
  code: string | undefined,
  display: string | undefined,
  equivalence: string,
): Match {
  if (code === undefined) return { equivalence };
  return { equivalence, concept: { ...(system && { system }), code, ...(display && { display }) } };
}

function matchOf({ equivalence, concept }: Match, { url }: JsonObject): JsonObject {
  const part = [
    { name: 'equivalence', valueCode: equivalence },
    ...(concept === undefined ? [] : [{ name: 'concept', valueCoding: concept }]),
    ...(typeof url === 'string' ? [{ name: 'source', valueUri: url }] : []),
  ];
  return { name: 'match', part };
}
