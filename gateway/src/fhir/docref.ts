/** DocumentReference/$docref (US Core 6.1 OperationDefinition-docref): documents of a patient's care; none is made. */
import { Refusal } from '../ledger/refusal.js';
import type { FhirContext } from './context.js';
import type { FhirRequest, FhirResponse } from './request.js';
import { handlingOf, search } from './search.js';

const PARAMETERS = new Set(['patient', 'start', 'end', 'type', 'on-demand', '_count', '_format', '_pretty']);

/**
 * A searchset of the documents about care between `start` and `end`; without either, of those that are current, newest
 * first. Throws Refusal 400.
 */
export async function docref(context: FhirContext, request: FhirRequest): Promise<FhirResponse> {
  const { query } = request;
  const unknown = [...query.keys()].find((name) => !PARAMETERS.has(name));
  if (unknown !== undefined && handlingOf(request) === 'strict') {
    throw new Refusal('invalid', 'unknown-parameter', `$docref has no parameter '${unknown.slice(0, 80)}' here`);
  }
  if ((query.get('patient') ?? '') === '') throw new Refusal('invalid', 'structure', 'give patient, the id of one');
  if ((query.get('on-demand') ?? 'false') !== 'false') {
    throw new Refusal('invalid', 'not-supported', 'no document is made on demand: leave on-demand out');
  }
  // Its pages are those of the search.
  return await search(
    context,
    { ...request, path: 'DocumentReference', query: criteriaOf(query) },
    'DocumentReference',
  );
}

function criteriaOf(query: URLSearchParams): URLSearchParams {
  const criteria = new URLSearchParams();
  for (const name of ['patient', 'type', '_count', '_format', '_pretty']) {
    for (const value of query.getAll(name)) criteria.append(name, value);
  }
  const [start, end] = [query.get('start'), query.get('end')];
  if (start !== null) criteria.append('period', `ge${start}`);
  if (end !== null) criteria.append('period', `le${end}`);
  if (start === null && end === null) criteria.append('status', 'current');
  criteria.append('_sort', '-date');
  return criteria;
}
