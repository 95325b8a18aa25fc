/** Which of the resources that consents name with meaning `related` refer to a resource. */
import { factsOf, type CareConsent, type ConsentInForce, type Provision } from '@salus/chaincode/consent/decide';

import type { JsonObject } from '../fhir/json.js';
import { textBehind } from './concerned.js';
import type { RecordIndex } from './relationships.js';

/** `Type/id` of those that refer to it, by their last content; one that is deleted keeps what it referred to. */
export function referrersOf(
  self: string,
  consents: readonly ConsentInForce[],
  index: Pick<RecordIndex, 'current' | 'version'>,
): readonly string[] {
  const targets = new Set(consents.flatMap(({ care }) => targetsOf(care)));
  return [...targets].filter((target) => contentOf(target, index).includes(self));
}

/** Consents by the targets they name, which do not change. */
const known = new WeakMap<CareConsent, readonly string[]>();

function targetsOf(care: CareConsent): readonly string[] {
  const before = known.get(care);
  if (before !== undefined) return before;
  const targets = care.provision === undefined ? [] : targetsIn(care.provision);
  known.set(care, targets);
  return targets;
}

function targetsIn({ data = [], provision = [] }: Provision): readonly string[] {
  const own = data.flatMap(({ meaning, reference }) =>
    meaning === 'related' && reference?.reference !== undefined ? [reference.reference] : [],
  );
  return [...own, ...provision.flatMap(targetsIn)];
}

/** What the target refers to. */
function contentOf(target: string, index: Pick<RecordIndex, 'current' | 'version'>): readonly string[] {
  const [type = '', id = ''] = target.split('/');
  const stored = index.current(type, id);
  const text = stored === undefined ? '' : textBehind(stored, index);
  return text === '' ? [] : factsOf(JSON.parse(text) as JsonObject).references;
}
