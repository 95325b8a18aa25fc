/**
 * How often an item stands in a response: `required`, `repeats`, and R4's extensions `questionnaire-minOccurs` and
 * `questionnaire-maxOccurs` (https://hl7.org/fhir/R4/extensibility-registry.html): turns of a group, answers to a question. Pure.
 */
import type { Issue } from '../fhir/outcome.js';
import { extensionsOf, fault, type Question } from './questions.js';

/** How often at least, and at most; what the form does not say is undefined. */
function bounds(question: Question): { readonly least: number | undefined; readonly most: number | undefined } {
  const value = (name: string): number | undefined =>
    extensionsOf(question, `questionnaire-${name}`)
      .map(({ valueInteger }) => valueInteger)
      .find((each): each is number => typeof each === 'number');
  return { least: value('minOccurs'), most: value('maxOccurs') };
}

/** What is wrong with how often something stands there; the least is asked of a completed response alone. */
export function countProblem(question: Question, count: number, isComplete: boolean): string | undefined {
  const { least = 0, most = Infinity } = bounds(question);
  if (count > most) return `at most ${most} times`;
  return isComplete && count < least ? `at least ${least} times` : undefined;
}

/** Why no response could do as a form says. */
export function occurrenceIssues(question: Question, path: string): readonly Issue[] {
  const { least = 0, most = question.repeats === true ? Infinity : 1 } = bounds(question);
  const highest = question.repeats === true ? most : Math.min(most, 1);
  return least <= highest ? [] : [fault(`${path}.extension`, 'at least more often than it may stand there')];
}
