/** ConceptMap/$translate (R4 conceptmap-operation-translate). */
import type { Vocabulary } from '../../projection/search/vocabulary.js';
import type { FhirContext } from '../context.js';
import type { JsonObject } from '../json.js';
import type { FhirRequest, FhirResponse } from '../request.js';
import { Asked, type Coding } from './asked.js';
import { demandKnown, vocabularyOf } from './known.js';

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
  const vocabulary = vocabularyOf(context, request);
  const map = demandKnown(context, request, vocabulary, {
    ...{ type: 'ConceptMap', id, given: asked.resource('conceptMap', 'ConceptMap') },
    ...{ url: asked.text('url'), version: asked.text('conceptMapVersion') },
  });
  const groups = (Array.isArray(map.group) ? map.group : []) as readonly Group[];
  const [reverse, target] = [asked.flag('reverse'), asked.text('targetsystem')];
  const indexed = groups.map((group) => (reverse ? backwards(group, vocabulary) : forwards(group, vocabulary)));
  const matches = codings.flatMap((coding) => indexed.flatMap((group) => matchesIn(group, coding, vocabulary)));
  const wanted = matches.filter(({ concept }) => target === undefined || concept?.system === target);
  const result = wanted.some(({ equivalence }) => !NOT_EQUAL.has(equivalence));
  const parameter = [
    { name: 'result', valueBoolean: result },
    ...(result ? [] : [{ name: 'message', valueString: 'the concept map has no translation of the code' }]),
    ...wanted.map((match) => matchOf(match, map, vocabulary)),
  ];
  return { status: 200, headers: {}, resource: { resourceType: 'Parameters', parameter } };
}

/** A group of the map by the codes that it is asked for. */
interface Indexed {
  readonly from: string | undefined;
  readonly matches: ReadonlyMap<string, readonly Match[]>;
  readonly unmapped?: (code: string | undefined) => readonly Match[];
}

function forwards({ source, target, element = [], unmapped }: Group, vocabulary: Vocabulary): Indexed {
  const matches = new Map<string, Match[]>();
  for (const { code, target: targets = [] } of element) {
    const of = matchesOf(matches, source, code, vocabulary);
    for (const each of targets) of.push(to(target, each.code, each.display, each.equivalence));
    vocabulary.spend(targets.length);
  }
  const otherwise = (code: string | undefined): Match[] => {
    if (unmapped?.mode === 'provided') return [to(target, code, undefined, 'equal')];
    return unmapped?.mode === 'fixed' ? [to(target, unmapped.code, unmapped.display, 'inexact')] : [];
  };
  return { from: source, matches, unmapped: otherwise };
}

function backwards({ source, target, element = [] }: Group, vocabulary: Vocabulary): Indexed {
  const matches = new Map<string, Match[]>();
  for (const { code, display, target: targets = [] } of element) {
    for (const each of targets) {
      const equivalence = REVERSED[each.equivalence] ?? each.equivalence;
      matchesOf(matches, target, each.code, vocabulary).push(to(source, code, display, equivalence));
    }
  }
  return { from: target, matches };
}

/** The list of a code's matches, which is to be filled. */
function matchesOf(
  matches: Map<string, Match[]>,
  system: string | undefined,
  code: string | undefined,
  vocabulary: Vocabulary,
): Match[] {
  const key = vocabulary.key(system, code ?? '');
  const found = matches.get(key) ?? [];
  matches.set(key, found);
  return found;
}

function matchesIn(
  { from, matches, unmapped }: Indexed,
  { system, code }: Coding,
  vocabulary: Vocabulary,
): readonly Match[] {
  vocabulary.spend(1);
  if (from !== system) return [];
  const found = matches.get(vocabulary.key(system, code ?? '')) ?? unmapped?.(code) ?? [];
  for (const { concept } of found) vocabulary.spendOn(writtenOf(concept));
  return found;
}

/** The texts that a match is answered with. */
function writtenOf(concept: Coding = {}): string {
  return `${concept.system ?? ''}${concept.code ?? ''}${concept.display ?? ''}`;
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

function matchOf({ equivalence, concept }: Match, { url }: JsonObject, vocabulary: Vocabulary): JsonObject {
  vocabulary.spendOn(String(url));
  const part = [
    { name: 'equivalence', valueCode: equivalence },
    ...(concept === undefined ? [] : [{ name: 'concept', valueCoding: concept }]),
    ...(typeof url === 'string' ? [{ name: 'source', valueUri: url }] : []),
  ];
  return { name: 'match', part };
}
