/** In which units a quantity may be given: R4's extensions `questionnaire-unitOption` and `questionnaire-unitValueSet`. Pure. */
import type { JsonObject } from '../fhir/json.js';
import { type Coding, extensionsOf, isInSet, type Question } from './questions.js';

interface Unit extends Coding {
  /** As people read it. */
  readonly unit?: string;
}

/** URLs of the value sets from which a quantity's unit is taken. */
export function unitSetsOf(question: Question): readonly string[] {
  return extensionsOf(question, 'questionnaire-unitValueSet').map(({ valueCanonical }) => String(valueCanonical));
}

/** What is wrong with the unit of a quantity; undefined where nothing is, or the form names none. */
export function unitProblem(form: JsonObject, question: Question, value: unknown): string | undefined {
  if (question.type !== 'quantity') return undefined;
  const options = extensionsOf(question, 'questionnaire-unitOption').map(({ valueCoding }) => valueCoding);
  const sets = unitSetsOf(question);
  if (options.length + sets.length === 0) return undefined;
  const unit = value as Unit;
  const isOffered =
    options.some((option) => isUnit(option as Coding & { readonly display?: string }, unit)) ||
    sets.some((url) => isInSet(form, url, unit));
  return isOffered ? undefined : 'in a unit that the form offers';
}

/** By code and system; an option without a code is meant by its name. */
function isUnit(option: Coding & { readonly display?: string }, { system, code, unit }: Unit): boolean {
  if (option.code === undefined) return option.display !== undefined && option.display === unit;
  return option.code === code && option.system === system;
}
