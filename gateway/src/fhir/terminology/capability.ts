/** The TerminologyCapabilities, `metadata?mode=terminology` (R4 terminologycapabilities.html). */
import type { FhirContext } from '../context.js';
import { EXPAND_PARAMETERS } from './expand.js';

/** Its JSON text. */
export function terminologyCapabilities({ baseUrl }: Pick<FhirContext, 'baseUrl'>): string {
  return JSON.stringify({
    resourceType: 'TerminologyCapabilities',
    status: 'active',
    date: '2026-11-25',
    kind: 'instance',
    software: { name: 'Salus' },
    implementation: { description: 'A FHIR gateway over a health ledger', url: baseUrl },
    lockedDate: false,
    expansion: {
      hierarchical: false,
      paging: true,
      incomplete: false,
      parameter: EXPAND_PARAMETERS.map((name) => ({ name })),
    },
    codeSearch: 'explicit',
    validateCode: { translations: false },
    translation: { needsMap: true },
    closure: { translation: false },
  });
}
