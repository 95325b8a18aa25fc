/**
 * `POST Patient/{id}/$legal-hold`: an officer sets or lifts a legal hold, which blocks erasure. Body: Parameters with
 * `active` (valueBoolean) and `reason` (valueCode). Each change is a version in the member's own record.
 */
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import { requireOfficer } from '../identity/officers.js';
import { isWithoutEffect, Refusal } from '../ledger/refusal.js';
import type { Actor, RecordWriter, StoredVersion, WriteOutcome } from '../ports.js';
import { parametersAnswer, parametersOf } from '../fhir/parameters.js';
import { officers } from './rules.js';
import type { ErasureStore } from './store.js';

/** Not a FHIR type, so no interaction reaches it; of no patient's compartment, so it survives the erasure. */
export const HOLD_TYPE = 'LegalHold';

const REASONS = ['litigation', 'investigation', 'audit'];

/** Where a legal hold on a record is kept: a version of a resource like any other. */
export interface HoldPorts {
  readonly writer: RecordWriter;
  readonly current: (type: string, id: string) => StoredVersion | undefined;
  /** What all gateways of the member know of holds at once, however far each has its projection. */
  readonly holds: Pick<ErasureStore, 'hold' | 'release' | 'isHeld'>;
  /** Whether `current` is as of a block, waiting a while for it. */
  readonly reached: (block: number) => Promise<boolean>;
}

/** Whether the patient's record is under a legal hold. */
export function isHeld({ current, holds }: Pick<HoldPorts, 'current' | 'holds'>, patient: string): boolean {
  if (holds.isHeld(patient)) return true;
  const stored = current(HOLD_TYPE, patient);
  return stored !== undefined && (JSON.parse(stored.text) as { active: boolean }).active;
}

/** Sets or lifts a hold: with 200 once it is what erasures here are judged by, with 202 before. Throws Refusal. */
export async function setHold(ports: HoldPorts, request: FhirRequest, patient: string): Promise<FhirResponse> {
  requireOfficer(request.actor, officers);
  if (ports.current('Patient', patient) === undefined) {
    throw new Refusal('not-found', 'not-found', `Patient/${patient} is not known here`);
  }
  const { active, reason } = wishOf(request);
  const outcome = await written(ports, request.actor, patient, { active, reason });
  const isInForce = outcome.state === 'committed' && (await ports.reached(outcome.commit.block));
  if (isInForce && !active) ports.holds.release(patient);
  return parametersAnswer(isInForce ? 200 : 202, { hold: active ? 'active' : 'lifted', reason });
}

interface Wish {
  readonly active: boolean;
  readonly reason: string;
}

function wishOf({ body }: FhirRequest): Wish {
  const read = parametersOf(body);
  const active = read('active', 'valueBoolean');
  const reason = read('reason', 'valueCode');
  if (typeof active !== 'boolean' || typeof reason !== 'string' || !REASONS.includes(reason)) {
    throw new Refusal('invalid', 'unprocessable', `Parameters: active (valueBoolean), reason (${REASONS.join(', ')})`);
  }
  return { active, reason };
}

/** Every gateway of the member holds before the ledger has it; not where it is known that the ledger never will. */
async function written(ports: HoldPorts, actor: Actor, patient: string, wish: Wish): Promise<WriteOutcome> {
  const expect = ports.current(HOLD_TYPE, patient)?.version ?? 0;
  const text = JSON.stringify({ resourceType: HOLD_TYPE, id: patient, ...wish, by: actor.user });
  const wasHeld = isHeld(ports, patient);
  if (wish.active) ports.holds.hold(patient);
  try {
    return await ports.writer.write(actor, [{ type: HOLD_TYPE, id: patient, expect, text }]);
  } catch (error) {
    if (wish.active && !wasHeld && isWithoutEffect(error)) ports.holds.release(patient);
    throw error;
  }
}
