/** patch by JSON Patch (R4 http.html#patch, RFC 6902). */
import { applyPatch, type Operation } from 'rfc6902';

import { Refusal } from '../ledger/refusal.js';
import type { StoredVersion } from '../ports.js';
import { partBody, requireMediaType, type Body } from './body.js';
import { parseBody, parseExactly, type JsonObject } from './json.js';
import type { FhirRequest } from './request.js';

/** Operations in one patch. */
export const PATCH_LIMIT = 1_000;

const TYPES = new Set(['application/json-patch+json']);
const INHERITED = /\/(__proto__|constructor|prototype)(\/|$)/;
const OPERATIONS = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test']);

/** What a patch makes of the version in force, which `name` (Type/id) is told by. Throws Refusal 404, 422. */
export type Patch = (current: StoredVersion | undefined, name: string) => Body;

/** The patch in the body. Throws Refusal 400, 413, 415. */
export function patchOf(request: FhirRequest): Patch {
  const operations = patchBody(request);
  return (current, name) => {
    if (current === undefined || current.deleted)
      throw new Refusal('not-found', 'not-found', `${name} is not known here`);
    return patched(current.text, operations);
  };
}

/** The operations in the body. Throws Refusal 400, 413, 415. */
function patchBody(request: FhirRequest): Operation[] {
  requireMediaType(request, TYPES, 'send a patch as application/json-patch+json');
  const { exact } = parseBody(request.body ?? '');
  if (!Array.isArray(exact) || !exact.every(isOperation)) {
    throw new Refusal('invalid', 'structure', 'a JSON Patch is a list of operations with op, path and value or from');
  }
  if (exact.length > PATCH_LIMIT) {
    throw new Refusal('invalid', 'too-costly', `a patch has at most ${PATCH_LIMIT} operations`);
  }
  return exact;
}

function isOperation(value: unknown): value is Operation {
  if (typeof value !== 'object' || value === null) return false;
  const { op, path, from } = value as JsonObject;
  if (!OPERATIONS.has(op as string) || !isPointer(path)) return false;
  return op === 'move' || op === 'copy' ? isPointer(from) : op === 'remove' || 'value' in value;
}

/** No FHIR element has an inherited name: the library would leave it out of the path without a word. */
function isPointer(value: unknown): boolean {
  return typeof value === 'string' && !INHERITED.test(value);
}

/** The stored resource with the patch applied. Throws Refusal 422 where it cannot be. */
function patched(text: string, operations: readonly Operation[]): Body {
  const resource = parseExactly(text) as JsonObject;
  const { resourceType, id } = resource;
  const failed = applyPatch(resource, [...operations]).findIndex((error) => error !== null);
  if (failed >= 0) {
    const path = operations[failed]?.path ?? '';
    throw new Refusal('invalid', 'unprocessable', `operation ${failed} of the patch fails at ${path.slice(0, 200)}`);
  }
  if (resource.resourceType !== resourceType || resource.id !== id) {
    throw new Refusal('invalid', 'unprocessable', 'a patch changes neither resourceType nor id');
  }
  return partBody(resource);
}
