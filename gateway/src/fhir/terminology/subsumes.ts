/** CodeSystem/$subsumes (R4 codesystem-operation-subsumes). */
import { Refusal } from '../../ledger/refusal.js';
import type { Concepts } from '../../projection/search/concepts.js';
import type { FhirContext } from '../context.js';
import type { JsonObject } from '../json.js';
import type { FhirRequest, FhirResponse } from '../request.js';
import { Asked } from './asked.js';
import { demandKnown, vocabularyOf } from './known.js';
import { unlisted } from './validate-code.js';

const PARAMETERS = ['codeA', 'codeB', 'codingA', 'codingB', 'system', 'version'];

/** How two codes of a code system stand to each other. Throws Refusal 404 for an unknown code or system. */
export function subsumes(context: FhirContext, request: FhirRequest, id?: string): FhirResponse {
  const asked = new Asked(request, PARAMETERS);
  const [a, b] = [asked.coding('codingA', 'codeA'), asked.coding('codingB', 'codeB')];
  const vocabulary = vocabularyOf(context, request);
  const system = demandKnown(context, request, vocabulary, {
    ...{ type: 'CodeSystem', id, url: asked.text('system') ?? a.system, version: asked.text('version') },
  });
  for (const { system: own = system.url } of [a, b]) {
    if (own !== system.url) throw new Refusal('invalid', 'bad-value', 'both codes are of the code system asked about');
  }
  const concepts = vocabulary.conceptsOf(system);
  if (concepts === undefined) throw unlisted();
  requireKinds(system);
  const parameter = [{ name: 'outcome', valueCode: outcomeOf(concepts, a.code ?? '', b.code ?? '') }];
  return { status: 200, headers: {}, resource: { resourceType: 'Parameters', parameter } };
}

/** Below one another lie kinds of one another, unless the code system says that they do not (CodeSystem.hierarchyMeaning). */
function requireKinds({ hierarchyMeaning = 'is-a' }: JsonObject): void {
  if (hierarchyMeaning === 'is-a') return;
  throw new Refusal('invalid', 'not-supported', 'what is below a code of this code system is no kind of it');
}

function outcomeOf(concepts: Concepts, a: string, b: string): string {
  const [pathA, pathB] = [concepts.path(a), concepts.path(b)];
  const [foundA, foundB] = [pathA.at(-1), pathB.at(-1)];
  if (foundA === undefined || foundB === undefined) {
    throw new Refusal('not-found', 'not-found', `the code system has no code ${foundA === undefined ? 'A' : 'B'}`);
  }
  if (foundA === foundB) return 'equivalent';
  if (pathB.includes(foundA)) return 'subsumes';
  return pathA.includes(foundB) ? 'subsumed-by' : 'not-subsumed';
}
