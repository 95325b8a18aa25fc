/** A Questionnaire's items as answers are judged by them (https://hl7.org/fhir/R4/questionnaire.html). Pure. */
import { isInValueSet, isValueSetKnown } from '../fhir/bindings.js';
import type { JsonObject } from '../fhir/json.js';
import type { Issue } from '../fhir/outcome.js';

/** What an answer is, where it may be chosen. */
export interface Coding {
  readonly system?: string;
  readonly code?: string;
}
/** Under what answer to another question this one is asked. */
export interface EnableWhen extends JsonObject {
  readonly question: string;
  readonly operator: string;
}
/** A group, a question or a display. */
export interface Question {
  readonly linkId: string;
  readonly type: string;
  readonly required?: boolean;
  readonly repeats?: boolean;
  readonly maxLength?: number;
  readonly answerOption?: readonly JsonObject[];
  readonly answerValueSet?: string;
  readonly enableWhen?: readonly EnableWhen[];
  readonly enableBehavior?: string;
  readonly extension?: readonly JsonObject[];
  readonly item?: readonly Question[];
}
interface ValueSet {
  readonly id?: string;
  readonly compose?: {
    readonly exclude?: readonly object[];
    readonly include?: readonly { readonly system?: string; readonly concept?: readonly Coding[] }[];
  };
}

const EXTENSION = 'http://hl7.org/fhir/StructureDefinition/';

/** The extensions of one of R4's names (https://hl7.org/fhir/R4/extensibility-registry.html) that stand on an element. */
export function extensionsOf({ extension = [] }: { readonly extension?: readonly JsonObject[] }, name: string) {
  return extension.filter(({ url }) => url === `${EXTENSION}${name}`);
}

/** Its items; a resource without any has none. */
export function questionsOf({ item }: JsonObject): readonly Question[] {
  return (item ?? []) as readonly Question[];
}

/** Whether two codings are of the same code in the same system. */
export function isSameCoding(one: Coding, other: Coding): boolean {
  return one.code === other.code && one.system === other.system;
}

/** Whether the codes of a value set are known: R4 lists them whole, or the form does. */
export function isSetListed(form: JsonObject, url: string): boolean {
  return isValueSetKnown(url) || listedIn(form, url) !== undefined;
}

/** Whether a code is in a value set whose codes are known. */
export function isInSet(form: JsonObject, url: string, coding: Coding): boolean {
  if (isValueSetKnown(url)) return isInValueSet(coding, url);
  return (listedIn(form, url) ?? []).some((each) => isSameCoding(each, coding));
}

/** Codes of a contained ValueSet that lists them all. */
function listedIn({ contained = [] }: JsonObject, url: string): readonly Coding[] | undefined {
  const { compose } = (contained as readonly ValueSet[]).find(({ id }) => url === `#${id}`) ?? {};
  const { include = [], exclude } = compose ?? {};
  const isListed = include.length > 0 && include.every(({ concept }) => concept !== undefined);
  if (!isListed || exclude !== undefined) return undefined;
  return include.flatMap(({ system, concept = [] }) =>
    concept.map(({ code = '' }) => (system === undefined ? { code } : { system, code })),
  );
}

/** An error at an element. */
export function fault(expression: string, diagnostics: string, code = 'invariant'): Issue {
  return { severity: 'error', code, diagnostics, expression: [expression] };
}
