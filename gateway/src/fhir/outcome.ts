/** The one table from refusals to HTTP and OperationOutcome (R4 http.html, operationoutcome.html, valueset issue-type). */
import { isRefusal, Refusal, type RefusalCategory } from '../ledger/refusal.js';
import type { JsonObject } from './json.js';
import type { FhirResponse } from './request.js';

/** Status of a refusal whose code has none of its own. */
const BY_CATEGORY: Readonly<Record<RefusalCategory, { status: number; issue: string }>> = {
  invalid: { status: 400, issue: 'invalid' },
  forbidden: { status: 403, issue: 'forbidden' },
  'not-found': { status: 404, issue: 'not-found' },
  conflict: { status: 409, issue: 'conflict' },
  gone: { status: 410, issue: 'deleted' },
  unavailable: { status: 503, issue: 'transient' },
};

/** Codes with a status or issue type of their own. */
const BY_CODE: Readonly<Record<string, { status: number; issue: string }>> = {
  structure: { status: 400, issue: 'structure' },
  'too-costly': { status: 413, issue: 'too-costly' },
  'unknown-parameter': { status: 400, issue: 'not-supported' },
  'not-supported': { status: 400, issue: 'not-supported' },
  'unknown-type': { status: 404, issue: 'not-supported' },
  'method-not-allowed': { status: 405, issue: 'not-supported' },
  'not-acceptable': { status: 406, issue: 'not-supported' },
  'media-type': { status: 415, issue: 'not-supported' },
  unprocessable: { status: 422, issue: 'processing' },
  'idempotency-key-reused': { status: 422, issue: 'processing' },
  'invalid-content': { status: 422, issue: 'invalid' },
  'id-taken': { status: 409, issue: 'duplicate' },
  'multiple-matches': { status: 412, issue: 'multiple-matches' },
  'precondition-failed': { status: 412, issue: 'conflict' },
  unauthenticated: { status: 401, issue: 'login' },
  'too-many-requests': { status: 429, issue: 'throttled' },
  'too-large': { status: 413, issue: 'too-long' },
  'content-lost': { status: 500, issue: 'exception' },
};

/** One issue of an OperationOutcome. */
export interface Issue {
  readonly severity: 'error' | 'warning' | 'information' | 'fatal';
  /** From the value set issue-type. */
  readonly code: string;
  readonly diagnostics?: string;
  /** FHIRPath of the element. */
  readonly expression?: readonly string[];
}

/** A refusal that names several faults, such as those of validation. */
export class IssuesRefusal extends Refusal {
  constructor(
    code: string,
    readonly issues: readonly Issue[],
  ) {
    super('invalid', code, issues[0]?.diagnostics ?? 'not acceptable');
  }
}

/** An HTTP status and the OperationOutcome that goes with it. */
export interface Outcome {
  readonly status: number;
  readonly resource: JsonObject;
}

/** The answer to a failure. What is no refusal is a fault of ours: 500, without stack or content. */
export function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof Refusal)) {
    return {
      status: 500,
      resource: operationOutcome([{ severity: 'fatal', code: 'exception', diagnostics: 'internal error' }]),
    };
  }
  const { status, issue } = BY_CODE[error.code] ?? BY_CATEGORY[error.category];
  const issues: readonly Issue[] =
    error instanceof IssuesRefusal ? error.issues : [{ severity: 'error', code: issue, diagnostics: error.detail }];
  return { status, resource: operationOutcome(issues, error.code) };
}

/** What is made where the content of a version is there; what of the outcome that says it is lost, where it is not. */
export function ifLost<T>(make: () => T, told: (outcome: JsonObject) => T): T {
  try {
    return make();
  } catch (error) {
    if (!isRefusal(error, 'content-lost')) throw error;
    return told(outcomeOf(error).resource);
  }
}

/** The answer for a deleted resource: 410 with the deletion's version. */
export function gone(version: number): FhirResponse {
  const { status, resource } = outcomeOf(new Refusal('gone', 'deleted', 'the resource was deleted'));
  return { status, headers: { ETag: `W/"${version}"` }, resource };
}

/** An OperationOutcome; `code` is Salus's own, for programs. */
export function operationOutcome(issues: readonly Issue[], code?: string): JsonObject {
  const details = code === undefined ? {} : { details: { coding: [{ system: 'urn:salus:refusal', code }] } };
  return { resourceType: 'OperationOutcome', issue: issues.map((issue) => ({ ...issue, ...details })) };
}
