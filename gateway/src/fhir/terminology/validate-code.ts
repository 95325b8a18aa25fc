/** $validate-code of value sets and code systems (R4 valueset-operation-validate-code, codesystem-operation-validate-code). */
import { codeSetOf } from '../../projection/search/code-set.js';
import { normalized } from '../../projection/values/text.js';
import { Refusal } from '../../ledger/refusal.js';
import type { FhirContext } from '../context.js';
import type { FhirRequest, FhirResponse } from '../request.js';
import { Asked } from './asked.js';
import { demandKnown, vocabularyOf } from './known.js';

const OF_SET = [
  'url',
  'valueSet',
  'valueSetVersion',
  'code',
  'system',
  'systemVersion',
  'display',
  'coding',
  'codeableConcept',
];
const OF_SYSTEM = ['url', 'codeSystem', 'code', 'version', 'display', 'coding', 'codeableConcept'];

/** What is said of one coding. */
interface Verdict {
  readonly result: boolean;
  readonly message?: string;
  /** What the code is called. */
  readonly display?: string;
}

/** Whether a value set has a code. Throws Refusal. */
export function validateInSet(context: FhirContext, request: FhirRequest, id?: string): FhirResponse {
  const asked = new Asked(request, OF_SET);
  const codings = asked.codings('system', 'systemVersion');
  const vocabulary = vocabularyOf(context, request);
  const set = demandKnown(context, request, vocabulary, {
    ...{ type: 'ValueSet', id, given: asked.resource('valueSet', 'ValueSet') },
    ...{ url: asked.text('url'), version: asked.text('valueSetVersion') },
  });
  const codes = codeSetOf(set, vocabulary);
  return verdictOf(
    codings.map(({ system, code = '', display }) => {
      if (system === undefined) throw new Refusal('invalid', 'structure', 'a code comes with its system');
      const found = codes.get(system, code);
      if (found !== undefined) return named(found.display, display);
      const isOpen = codes.open.has(system);
      return {
        result: false,
        message: isOpen ? `the codes of ${system} are not known here` : 'the code is not in the value set',
      };
    }),
  );
}

/** Whether a code system has a code. Throws Refusal. */
export function validateInSystem(context: FhirContext, request: FhirRequest, id?: string): FhirResponse {
  const asked = new Asked(request, OF_SYSTEM);
  const codings = asked.codings('url');
  const vocabulary = vocabularyOf(context, request);
  const system = demandKnown(context, request, vocabulary, {
    ...{ type: 'CodeSystem', id, given: asked.resource('codeSystem', 'CodeSystem') },
    ...{ url: asked.text('url') ?? codings[0]?.system, version: asked.text('version') },
  });
  const concepts = vocabulary.conceptsOf(system);
  if (concepts === undefined) throw unlisted();
  return verdictOf(
    codings.map(({ system: url = system.url, code = '', display }) => {
      if (url !== system.url) return { result: false, message: 'the coding is of another code system' };
      const found = concepts.find(code);
      return found === undefined
        ? { result: false, message: 'the code system has no such code' }
        : named(found.display, display);
    }),
  );
}

/** The codes of a code system are somewhere else. */
export function unlisted(): Refusal {
  return new Refusal('invalid', 'not-supported', 'the code system that is known here does not list its codes');
}

/** A display that is given must be the concept's, but for case and blanks. */
function named(display: string | undefined, given: string | undefined): Verdict {
  const told = display === undefined ? {} : { display };
  if (given === undefined || display === undefined || normalized(given) === normalized(display))
    return { result: true, ...told };
  return { result: false, message: `the display is not the code's, which is "${display}"`, ...told };
}

/** Of a concept with several codings one must be valid. */
function verdictOf(verdicts: readonly Verdict[]): FhirResponse {
  const { result, message, display } = verdicts.find((each) => each.result) ??
    verdicts[0] ?? { result: false, message: 'there is no coding' };
  const parameter = [
    { name: 'result', valueBoolean: result },
    ...(message === undefined ? [] : [{ name: 'message', valueString: message }]),
    ...(display === undefined ? [] : [{ name: 'display', valueString: display }]),
  ];
  return { status: 200, headers: {}, resource: { resourceType: 'Parameters', parameter } };
}
