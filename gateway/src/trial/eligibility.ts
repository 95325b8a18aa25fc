/**
 * What a site answers to the criteria of eligibility, one by one: each answer is a content of its own, with a commitment of its
 * own on the ledger, so that one can be shown and proven without the others. Pure.
 */
import type { JsonObject } from '../fhir/json.js';
import { type Issue, IssuesRefusal } from '../fhir/outcome.js';
import { contentOf } from './content.js';
import type { Answered } from './enabled.js';
import { fault } from './questions.js';

/** A criterion of the protocol, and the content that answers it. */
export interface AnsweredCriterion {
  readonly id: string;
  readonly resource: JsonObject;
}

/**
 * One content for each item of a QuestionnaireResponse that is valid R4, decimals exact; its linkId is the criterion's id.
 * Throws IssuesRefusal for an item without an answer. Whether it has every criterion is for the contract to say.
 */
export function criterionContents(
  whose: { readonly trial: string; readonly participant: string },
  { item, ...rest }: JsonObject,
): readonly [AnsweredCriterion, ...AnsweredCriterion[]] {
  const [first, ...more] = (item ?? []) as readonly Answered[];
  if (first === undefined) refuse([fault('QuestionnaireResponse.item', 'answer the criteria', 'required')]);
  const open = [first, ...more].flatMap(({ answer = [] }, index) =>
    answer.length > 0 ? [] : [fault(`QuestionnaireResponse.item[${index}]`, 'a criterion is answered', 'required')],
  );
  if (open.length > 0) refuse(open);
  const contentIn = (each: Answered): AnsweredCriterion => {
    const { linkId: criterion = '' } = each;
    return { id: criterion, resource: contentOf({ ...whose, criterion }, { ...rest, item: [each] }) };
  };
  return [contentIn(first), ...more.map(contentIn)];
}

function refuse(issues: readonly Issue[]): never {
  throw new IssuesRefusal('invalid-content', issues);
}
