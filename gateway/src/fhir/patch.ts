/** patch by JSON Patch (R4 http.html#patch, RFC 6902) or by FHIRPath (R4 fhirpatch.html). */
import { applyPatch, type Operation } from 'rfc6902';

import { Refusal } from '../ledger/refusal.js';
import type { StoredVersion } from '../ports.js';
import { partBody, requireMediaType, type Body } from './body.js';
import { applyFhirPathPatch } from './fhirpath-patch.js';
import { parseBody, parseExactly, type JsonObject } from './json.js';
import type { FhirRequest } from './request.js';

/** Operations in one patch. */
export const PATCH_LIMIT = 1_000;

const TYPES = new Set(['application/json-patch+json']);
const INHERITED = /\/(__proto__|constructor|prototype)(\/|$)/;
const OPERATIONS = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test']);

/** What a patch makes of the version in force, which `name` (Type/id) is told by. Throws Refusal 404, 422. */
export type Patch = (current: StoredVersion | undefined, name: string) => Body;

/** Changes a resource in place. Throws Refusal 422 where it cannot. */
type Change = (resource: JsonObject) => void;

/** The patch in the body. Throws Refusal 400, 413, 415. */
export function patchOf(request: FhirRequest): Patch {
  const change = changeOf(request);
  return (current, name) => {
    if (current === undefined || current.deleted)
      throw new Refusal('not-found', 'not-found', `${name} is not known here`);
    return patched(current.text, change);
  };
}

/** FHIRPath Patch comes as a resource, JSON Patch as what it is. */
function changeOf(request: FhirRequest): Change {
  if (/^application\/(fhir\+)?json\s*(;|$)/.test(request.headers['content-type'] ?? '')) return byFhirPath(request);
  const operations = patchBody(request);
  return (resource) => {
    applyJsonPatch(resource, operations);
  };
}

function byFhirPath({ body = '' }: FhirRequest): Change {
  const sent = parseBody(body).exact as JsonObject | null;
  if (sent?.resourceType !== 'Parameters') {
    throw new Refusal('invalid', 'media-type', 'send a patch as application/json-patch+json, or as Parameters');
  }
  const operations = Array.isArray(sent.parameter) ? (sent.parameter as JsonObject[]) : [];
  requireFew(operations);
  return (resource) => {
    applyFhirPathPatch(resource, operations);
  };
}

function requireFew({ length }: readonly unknown[]): void {
  if (length > PATCH_LIMIT) {
    throw new Refusal('invalid', 'too-costly', `a patch has at most ${PATCH_LIMIT} operations`);
  }
}

/** The operations in the body. Throws Refusal 400, 413, 415. */
function patchBody(request: FhirRequest): Operation[] {
  requireMediaType(request, TYPES, 'send a patch as application/json-patch+json');
  const { exact } = parseBody(request.body ?? '');
  if (!Array.isArray(exact) || !exact.every(isOperation)) {
    throw new Refusal('invalid', 'structure', 'a JSON Patch is a list of operations with op, path and value or from');
  }
  requireFew(exact);
  return exact;
}

function isOperation(value: unknown): value is Operation {
  if (typeof value !== 'object' || value === null) return false;
  const { op, path, from } = value as JsonObject;
  if (!OPERATIONS.has(op as string) || !isPointer(path)) return false;
  return op === 'move' || op === 'copy' ? isPointer(from) : op === 'remove' || 'value' in value;
}

/** RFC 6901; no FHIR element has an inherited name: the library would leave it out of the path without a word. */
function isPointer(value: unknown): boolean {
  return typeof value === 'string' && /^(\/|$)/.test(value) && !INHERITED.test(value);
}

/** The stored resource with the patch applied. Throws Refusal 422 where it cannot be. */
function patched(text: string, change: Change): Body {
  const resource = parseExactly(text) as JsonObject;
  const { resourceType, id } = resource;
  change(resource);
  if (resource.resourceType !== resourceType || resource.id !== id) {
    throw new Refusal('invalid', 'unprocessable', 'a patch changes neither resourceType nor id');
  }
  return partBody(resource);
}

function applyJsonPatch(resource: JsonObject, operations: readonly Operation[]): void {
  const failed = applyPatch(resource, [...operations]).findIndex((error) => error !== null);
  if (failed < 0) return;
  const path = operations[failed]?.path ?? '';
  throw new Refusal('invalid', 'unprocessable', `operation ${failed} of the patch fails at ${path.slice(0, 200)}`);
}
