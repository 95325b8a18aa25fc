/** The independent model: who may see which part of whose record. It knows nothing of FHIR, nor of how Salus decides. */
import type { Asker } from './askers.js';
import { EMERGENCY_PARTS, PARTS, TYPES, type Case, type Part } from './record.js';

/** Parts that an asker may see. */
export function visibleTo(asker: Asker, record: Case): ReadonlySet<Part> {
  return new Set(PARTS.filter((part) => maySee(asker, record, part)));
}

/** Parts that breaking the glass at another hospital shows, by the first act or the second. */
export function inEmergency(asker: Asker, record: Case, full: boolean): ReadonlySet<Part> {
  const isExcluded = record.consents.some(({ says }) => says(asker, 'person', false) === 'deny');
  if (isExcluded) return new Set();
  return new Set(PARTS.filter((part) => full || EMERGENCY_PARTS.includes(part)));
}

function maySee(asker: Asker, record: Case, part: Part): boolean {
  const inside = asker.member === record.custodian;
  if (asker.role === 'guardian' && record.isGuardianGone) return false;
  if (asker.patient !== undefined) return inside && asker.patient === record.patient;
  // Nobody of them said why.
  if (asker.purpose === 'BTG') return false;
  const said = record.consents.map(({ says }) => says(asker, part, inside));
  if (said.includes('deny')) return false;
  return inside ? bySupposedDuty(asker, part) : said.includes('permit');
}

/** What a member's own people need for what they do. */
function bySupposedDuty({ role }: Asker, part: Part): boolean {
  switch (role) {
    case 'physician':
    case 'nurse':
      return true;
    case 'biller':
      return part !== 'letter' && part !== 'note';
    case 'admin':
      return TYPES[part] === 'Patient';
    default:
      return false;
  }
}
