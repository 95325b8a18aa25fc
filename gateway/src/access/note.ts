/** The note that goes with every answer across custodians, full or empty. */
import type { JsonObject } from '../fhir/json.js';

const NOTE_SYSTEM = 'urn:salus:note';
const NOTE = 'This answer may be incomplete: other hospitals may hold more, or may not be permitted to show it.';

/** Tag on a single resource and on a Bundle. */
export const incompleteTag = { system: NOTE_SYSTEM, code: 'may-be-incomplete', display: NOTE } as const;

/** The Bundle entry that says that an answer may be incomplete. */
export const incompleteEntry = {
  resource: {
    resourceType: 'OperationOutcome',
    issue: [{ severity: 'information', code: 'incomplete', diagnostics: NOTE }],
  },
  search: { mode: 'outcome' },
} as const;

/** The Bundle entry that says that nobody elsewhere could be asked. */
export const unaskedEntry = {
  resource: {
    resourceType: 'OperationOutcome',
    issue: [
      {
        severity: 'warning',
        code: 'transient',
        diagnostics:
          'other hospitals could not be asked, for the ledger does not answer: these are patients of this one',
      },
    ],
  },
  search: { mode: 'outcome' },
} as const;

/** A Bundle entry that says which custodian's answer is missing, without saying why. */
export function missingEntry(custodian: string): JsonObject {
  const diagnostics = `${custodian} did not answer, or its answer did not agree with the ledger and was left out`;
  return warningEntry('incomplete', diagnostics);
}

/** Says in a history that a version was left out. */
export function disagreeing(custodian: string): JsonObject {
  const diagnostics = `what ${custodian} shows of this version did not agree with the ledger and was left out`;
  return { resourceType: 'OperationOutcome', issue: [{ severity: 'warning', code: 'incomplete', diagnostics }] };
}

/** A Bundle entry that says that a custodian's answer came while the ledger was away. */
export function uncheckedEntry(custodian: string): JsonObject {
  const diagnostics = `the ledger does not answer: what ${custodian} shows was not checked against it; the access goes on the ledger, marked late, when it answers`;
  return warningEntry('informational', diagnostics);
}

function warningEntry(code: string, diagnostics: string): JsonObject {
  const issue = [{ severity: 'warning', code, diagnostics }];
  return { resource: { resourceType: 'OperationOutcome', issue }, search: { mode: 'outcome' } };
}

/** A resource with further tags and its source. */
export function marked(resource: JsonObject, source: string, tags: readonly object[]): JsonObject {
  const { resourceType, id, meta, ...rest } = resource;
  const { tag = [], ...others } = (meta ?? {}) as { tag?: readonly object[] };
  const all = [...tag, ...tags];
  return { resourceType, id, meta: { ...others, source, ...(all.length > 0 ? { tag: all } : {}) }, ...rest };
}

/** `meta.source` of what a member holds. */
export const sourceOf = (member: string): string => `urn:salus:member:${member}`;
