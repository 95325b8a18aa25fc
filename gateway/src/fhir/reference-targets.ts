/**
 * Where a reference may lead (R4 references.html#literal): its text is a literal one, and of a type that its element
 * allows. Pure; whether what it names is there is asked elsewhere.
 */
import type { InternalSchemaElement } from '@medplum/core';

import { isResourceType } from '../projection/generated.js';
import type { JsonObject } from './json.js';

/** Says why a Reference may not stand in its element; undefined where it may. `root` is what contains others. */
export type TargetRule = (reference: unknown, root: JsonObject) => string | undefined;

const DEFINITIONS = 'http://hl7.org/fhir/StructureDefinition/';
/** Relative to the server, or below another's base (R4 references.html#literal). */
const TYPED = /^(?:https?:\/\/.*\/)?([A-Z][A-Za-z]+)\/[A-Za-z0-9.-]{1,64}(?:\/_history\/[A-Za-z0-9.-]{1,64})?(?:#.*)?$/;
const ABSOLUTE = /^[A-Za-z][A-Za-z0-9+.-]*:\S+$/;
/** By criteria, in a transaction (R4 http.html#trules). */
const CONDITIONAL = /^([A-Z][A-Za-z]+)\?\S+$/;

/** The rule for references that stand in an element; undefined where it holds none. */
export function targetRule({ type }: InternalSchemaElement): TargetRule | undefined {
  const own = type.find(({ code }) => code === 'Reference');
  if (own === undefined) return undefined;
  const allowed = new Set((own.targetProfile ?? []).map((url) => url.replace(DEFINITIONS, '')));
  const isAny = allowed.size === 0 || allowed.has('Resource');
  return (value, root) => {
    const { reference } = value as JsonObject;
    if (typeof reference !== 'string') return undefined;
    const target = targetOf(reference, root);
    if (target === undefined) return 'a reference is Type/id, a URL, or # and the id of what is contained';
    if (target === '' || (isAny && isResourceType(target)) || allowed.has(target)) return undefined;
    return `a reference here is to ${isAny ? 'a resource type of R4' : [...allowed].join(', ')}, not to ${target}`;
  };
}

/** The type that a reference names: '' where it does not say, undefined where it is none. */
function targetOf(reference: string, root: JsonObject): string | undefined {
  if (reference.startsWith('#')) return containedType(reference.slice(1), root);
  const [, type] = TYPED.exec(reference) ?? CONDITIONAL.exec(reference) ?? [];
  if (ABSOLUTE.test(reference)) return type !== undefined && isResourceType(type) ? type : '';
  return type;
}

/** '' for the container itself and for what is not there, which another rule tells (ref-1). */
function containedType(id: string, { contained }: JsonObject): string {
  const all = Array.isArray(contained) ? (contained as readonly (JsonObject | null)[]) : [];
  const found = id === '' ? undefined : all.find((each) => each?.id === id);
  return typeof found?.resourceType === 'string' ? found.resourceType : '';
}
