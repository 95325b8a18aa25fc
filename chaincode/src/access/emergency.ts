import type { Refusal } from '../lib/refusal';
import { type AccessRecord, type AccessScope, refuse, type RequestAccess } from './api';
import type { Asker } from './rules';

/** Break-glass: the emergency summary first, everything by a second act. */

/** Types of the emergency summary: what an International Patient Summary is made of. */
export const EMERGENCY_TYPES: readonly string[] = [
  ...['Patient', 'AllergyIntolerance', 'Condition', 'MedicationStatement', 'MedicationRequest', 'Medication'],
  ...['Immunization', 'DeviceUseStatement', 'Procedure'],
];

/** How long after the first act the second is possible, ms between the ticks at which they are decided. */
export const SECOND_ACT_MS = 1_800_000;

/** What a break-glass request is judged by. */
export interface Emergency {
  /** The asking member is a hospital by its registry entry in force. */
  readonly isHospital: boolean;
  /** The first act that the request names. */
  readonly first: AccessRecord | undefined;
  /** The last tick. */
  readonly at: string;
}

/** Whether a scope is the emergency summary's, or less. */
export function isSummary({ interaction, types }: AccessScope): boolean {
  return interaction === 'everything' && types.length > 0 && types.every((type) => EMERGENCY_TYPES.includes(type));
}

/** What keeps the glass from being broken by this request; undefined = nothing. Refusals in order of precedence. */
export function emergencyProblem(request: RequestAccess, asker: Asker, emergency: Emergency): Refusal | undefined {
  if (!emergency.isHospital) return refuse('not-a-hospital', 'the glass is broken by clinicians of hospitals alone');
  const isFirst = request.breakGlass?.follows === undefined;
  if (isFirst ? isSummary(request.scope) : isSecond(request, asker, emergency)) return undefined;
  const detail = `ask for everything of ${EMERGENCY_TYPES.join(', ')} first, for more with breakGlass.follows soon after`;
  return refuse('summary-first', detail);
}

/** By the same person, of the same patient, and soon after. */
function isSecond({ pid }: RequestAccess, { requester, user, role }: Asker, { first, at }: Emergency): boolean {
  if (first === undefined || !isFollowed(first)) return false;
  const { actor } = first;
  const isSame = first.pid === pid && first.requester === requester && actor.user === user && actor.role === role;
  return isSame && Date.parse(at) - Date.parse(first.at) <= SECOND_ACT_MS;
}

/** A first act that was permitted. What follows one recorded late, by two gateways' word alone, begins anew. */
function isFollowed({ purpose, breakGlass, decision, late }: AccessRecord): boolean {
  return purpose === 'BTG' && breakGlass?.follows === undefined && decision === 'permit' && late === undefined;
}
