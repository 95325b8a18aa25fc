/** CodeSystem/$lookup (R4 codesystem-operation-lookup). */
import { isInactive, type Concept, type ConceptProperty } from '../../projection/search/concepts.js';
import { Refusal } from '../../ledger/refusal.js';
import type { FhirContext } from '../context.js';
import type { JsonObject } from '../json.js';
import type { FhirRequest, FhirResponse } from '../request.js';
import { Asked, type Coding } from './asked.js';
import { vocabularyOf } from './known.js';
import { unlisted } from './validate-code.js';

const PARAMETERS = ['code', 'system', 'version', 'coding', 'property'];

/** What a code system says of a code. Throws Refusal 404 for an unknown code or system. */
export function lookUp(context: FhirContext, request: FhirRequest): FhirResponse {
  const asked = new Asked(request, PARAMETERS);
  const [coding = {}] = asked.codings();
  const vocabulary = vocabularyOf(context, request);
  const system = vocabulary.find('CodeSystem', canonicalOf(coding));
  if (system === undefined) throw absent('code system');
  const concepts = vocabulary.conceptsOf(system);
  if (concepts === undefined) throw unlisted();
  const path = concepts.path(coding.code ?? '');
  const found = path.at(-1);
  if (found === undefined) throw absent('code');
  const { name, url, version } = system as Readonly<Record<string, string | undefined>>;
  const parameter = [
    { name: 'name', valueString: name ?? url },
    ...(version === undefined ? [] : [{ name: 'version', valueString: version }]),
    { name: 'display', valueString: found.display ?? found.code },
    ...(found.designation ?? []).map(designationOf),
    ...propertiesOf(found, path.at(-2), asked.texts('property')),
  ];
  return { status: 200, headers: {}, resource: { resourceType: 'Parameters', parameter } };
}

/** The code system of a coding. Throws Refusal where it has none. */
function canonicalOf({ system, version }: Coding): string {
  if (system === undefined) throw new Refusal('invalid', 'structure', 'a code comes with its system');
  return version === undefined ? system : `${system}|${version}`;
}

function absent(what: string): Refusal {
  return new Refusal('not-found', 'not-found', `the ${what} is not known here`);
}

function designationOf(designation: object): JsonObject {
  const { language, use, value } = designation as { language?: string; use?: object; value?: string };
  const part = [
    ...(language === undefined ? [] : [{ name: 'language', valueCode: language }]),
    ...(use === undefined ? [] : [{ name: 'use', valueCoding: use }]),
    { name: 'value', valueString: value },
  ];
  return { name: 'designation', part };
}

/** Those asked for; all where none is. */
function propertiesOf(concept: Concept, parent: Concept | undefined, asked: readonly string[]): JsonObject[] {
  const { definition, property = [], concept: below = [] } = concept;
  const all: readonly ConceptProperty[] = [
    ...(definition === undefined ? [] : [{ code: 'definition', valueString: definition }]),
    ...(isInactive(concept) && !property.some(({ code }) => code === 'inactive')
      ? [{ code: 'inactive', valueBoolean: true }]
      : []),
    ...(parent === undefined ? [] : [{ code: 'parent', valueCode: parent.code }]),
    ...below.map(({ code }) => ({ code: 'child', valueCode: code })),
    ...property,
  ];
  const wanted = asked.length === 0 ? all : all.filter(({ code }) => asked.includes(code));
  return wanted.map(({ code, ...values }) => {
    const value = Object.entries(values).flatMap(([name, each]) =>
      name.startsWith('value') ? [{ name: 'value', [name]: each }] : [],
    );
    return { name: 'property', part: [{ name: 'code', valueCode: code }, ...value] };
  });
}
