/** `_summary` and `_elements`: parts of resources, marked SUBSETTED (R4 search.html#summary, #elements). */
import { tryGetDataType } from '@medplum/core';

import { Refusal } from '../ledger/refusal.js';
import { parseExactly, type JsonObject } from './json.js';
import type { FhirResponse } from './request.js';
import { loadType } from './validate.js';

const SUMMARIES = new Set(['true', 'false', 'text', 'data', 'count']);
const ALWAYS = ['resourceType', 'id', 'meta'];

/** Makes of a resource's JSON text that of the part asked for. */
export type Shape = (text: string) => string;

/** What of a resource is asked for; undefined = all of it. */
export function shapeOf(query: URLSearchParams): Shape | undefined {
  const summary = query.get('_summary');
  if (summary !== null && !SUMMARIES.has(summary)) {
    throw new Refusal('invalid', 'bad-value', '_summary is true, false, text, data or count');
  }
  const elements = query.get('_elements');
  if (elements !== null) {
    const names = elements.split(',').map(baseElement);
    return (text) => subset(text, (type) => [...named(names, type), ...mandatory(type)]);
  }
  switch (summary) {
    case 'true':
      return (text) => subset(text, (type) => [...(schema(type)?.summaryProperties ?? []), ...mandatory(type)]);
    case 'text':
      return (text) => subset(text, (type) => ['text', ...mandatory(type)]);
    case 'data':
      return (text) => subset(text, () => undefined);
    default:
      return undefined;
  }
}

interface BaseElement {
  /** The one type that it is meant of, where one is named. */
  readonly type?: string;
  readonly name: string;
}

/** Elements are named at the base of a resource: `name.family` and `Patient.name` are within or the same as `name`. */
function baseElement(written: string): BaseElement {
  const [, type, name = ''] = /^\s*(?:([A-Z][A-Za-z]+)\.)?([^.\s]*)/.exec(written) ?? [];
  return type === undefined ? { name } : { type, name };
}

function named(elements: readonly BaseElement[], type: string): string[] {
  return elements.flatMap((each) => (each.type === undefined || each.type === type ? [each.name] : []));
}

/** The response's resource in the shape the query asks for. */
export function shaped(response: FhirResponse, query: URLSearchParams): FhirResponse {
  const shape = shapeOf(query);
  if (shape === undefined || typeof response.resource !== 'string') return response;
  return { ...response, resource: shape(response.resource) };
}

function schema(type: string) {
  loadType(type);
  return tryGetDataType(type);
}

function mandatory(type: string): string[] {
  return [...(schema(type)?.mandatoryProperties ?? [])];
}

/** Keeps the named elements; with no names everything but the narrative. */
function subset(text: string, namesOf: (type: string) => readonly string[] | undefined): string {
  const resource = parseExactly(text) as JsonObject;
  const names = namesOf(resource.resourceType as string);
  const kept = Object.entries(resource).filter(([name]) => keeps(name.replace(/^_/, ''), names));
  const meta = (resource.meta ?? {}) as JsonObject;
  const tags = Array.isArray(meta.tag) ? (meta.tag as unknown[]) : [];
  const subsetted = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' };
  return JSON.stringify({ ...Object.fromEntries(kept), meta: { ...meta, tag: [...tags, subsetted] } });
}

function keeps(name: string, names: readonly string[] | undefined): boolean {
  if (ALWAYS.includes(name)) return true;
  if (names === undefined) return name !== 'text';
  // A choice such as value[x] is named without its type.
  return names.some((each) => each === name || (name.startsWith(each) && /^[A-Z]/.test(name.slice(each.length))));
}
