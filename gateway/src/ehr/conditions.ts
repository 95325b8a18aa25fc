/** The state of criteria, from the facts the ledger's conditions left in the projection. */
import type { FhirPorts } from '../fhir/request.js';
import type { KeyStore } from '../keys/key-store.js';
import type { Projection } from '../projection/projection.js';
import { CONDITION_SPACE } from './project.js';

/** Looks criteria up for a conditional write, by a code that only this member can make. */
export function conditionsOf({
  keys,
  projection,
}: {
  readonly keys: Pick<KeyStore, 'hmac'>;
  readonly projection: Pick<Projection, 'fact'>;
}): NonNullable<FhirPorts['conditionOf']> {
  return (type, criteria) => {
    const code = keys.hmac('lookup', `condition\n${type}?${criteria}`);
    const seen = projection.fact(CONDITION_SPACE, code);
    return seen === undefined ? { code } : { code, seen };
  };
}
