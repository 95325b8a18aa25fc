/** Quantities that say exactly how much (R4 datatypes.html#SimpleQuantity): the elements that ask for one name its profile. */
import type { InternalSchemaElement } from '@medplum/core';

import type { JsonObject } from './json.js';
import type { Broken } from './type-rules.js';

const SIMPLE = 'http://hl7.org/fhir/StructureDefinition/SimpleQuantity';
const SQTY_1: Broken = { key: 'sqty-1', why: 'the comparator is not used on a SimpleQuantity' };

/** Says what a value of the type breaks that stands in the element; undefined where nothing. */
export function simpleRule(code: string, { type }: InternalSchemaElement): (value: unknown) => Broken | undefined {
  const isAsked =
    code === 'Quantity' && type.some((each) => each.code === code && each.profile?.includes(SIMPLE) === true);
  if (!isAsked) return () => undefined;
  return (value) => {
    const { comparator, _comparator } = value as JsonObject;
    return comparator === undefined && _comparator === undefined ? undefined : SQTY_1;
  };
}
