/** Answers of the trials' operations. */
import { operationOutcome } from '../fhir/outcome.js';
import type { FhirResponse } from '../fhir/request.js';
import type { Commit } from '../ports.js';

/** 200 with these parameters. */
export function ok(parameter: readonly object[]): FhirResponse {
  return { status: 200, headers: {}, resource: { resourceType: 'Parameters', parameter } };
}

/** 200 for an act that is on record, with where it is. */
export function done(commit: Commit, diagnostics: string): FhirResponse {
  return said(diagnostics, committed(commit));
}

/** 200 with one informational issue. */
export function said(diagnostics: string, headers: Readonly<Record<string, string>>): FhirResponse {
  const issue = { severity: 'information', code: 'informational', diagnostics } as const;
  return { status: 200, headers, resource: operationOutcome([issue]) };
}

/** Headers that say which transaction it was, in which block. */
export function committed({ txId, block }: Commit): Readonly<Record<string, string>> {
  return { 'X-Tx-Id': txId, 'X-Block': String(block) };
}
