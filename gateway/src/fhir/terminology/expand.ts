/** ValueSet/$expand (R4 valueset-operation-expand): flat, in the order of the definition, by pages. */
import { randomUUID } from 'node:crypto';

import { codeSetOf, type Listed } from '../../projection/search/code-set.js';
import { normalized } from '../../projection/values/text.js';
import { Refusal } from '../../ledger/refusal.js';
import type { FhirContext } from '../context.js';
import type { JsonObject } from '../json.js';
import type { FhirRequest, FhirResponse } from '../request.js';
import { Asked } from './asked.js';
import { demandKnown, vocabularyOf } from './known.js';

/** Of the operation, as far as they are served. */
export const EXPAND_PARAMETERS = [
  'url',
  'valueSet',
  'valueSetVersion',
  'filter',
  'offset',
  'count',
  'activeOnly',
  'excludeNested',
];
const HEAD = ['url', 'version', 'name', 'title', 'status'];

/** The codes of a value set, those whose code or display has the filter's text. Throws Refusal. */
export function expand(context: FhirContext, request: FhirRequest, id?: string): FhirResponse {
  const asked = new Asked(request, EXPAND_PARAMETERS);
  const vocabulary = vocabularyOf(context, request);
  const set = demandKnown(context, request, vocabulary, {
    ...{ type: 'ValueSet', id, given: asked.resource('valueSet', 'ValueSet') },
    ...{ url: asked.text('url'), version: asked.text('valueSetVersion') },
  });
  const { listed, open } = codeSetOf(set, vocabulary);
  const [unlisted] = open;
  if (unlisted !== undefined) {
    throw new Refusal(
      'invalid',
      'not-supported',
      `the codes of ${unlisted.slice(0, 200)} are not known here: store the code system first`,
    );
  }
  const wanted = [...listed].filter(isWanted(asked));
  const [offset = 0, count] = [asked.number('offset'), asked.number('count')];
  const contains = wanted.slice(offset, count === undefined ? undefined : offset + count);
  const expansion = {
    identifier: `urn:uuid:${randomUUID()}`,
    timestamp: new Date(Date.now()).toISOString(),
    ...{ total: wanted.length, offset, parameter: parametersOf(asked) },
    ...(contains.length === 0 ? {} : { contains }),
  };
  return { status: 200, headers: {}, resource: { resourceType: 'ValueSet', ...headOf(set), expansion } };
}

function isWanted(asked: Asked): (each: Listed) => boolean {
  const text = normalized(asked.text('filter') ?? '');
  const activeOnly = asked.flag('activeOnly');
  return ({ code, display = '', inactive }) =>
    !(activeOnly && inactive === true) && (normalized(display).includes(text) || normalized(code).includes(text));
}

/** What the expansion is by (R4 ValueSet.expansion.parameter). */
function parametersOf(asked: Asked): JsonObject[] {
  const texts = ['filter'].flatMap((name) => asked.texts(name).map((valueString) => ({ name, valueString })));
  const numbers = ['offset', 'count'].flatMap((name) => {
    const valueInteger = asked.number(name);
    return valueInteger === undefined ? [] : [{ name, valueInteger }];
  });
  return [...texts, ...numbers, { name: 'activeOnly', valueBoolean: asked.flag('activeOnly') }];
}

function headOf(set: JsonObject): JsonObject {
  return { status: 'active', ...Object.fromEntries(HEAD.flatMap((name) => (name in set ? [[name, set[name]]] : []))) };
}
