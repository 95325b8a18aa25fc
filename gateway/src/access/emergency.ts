/** Asking in an emergency: on the ledger, and where that is away by both sides' logs. */
import { EMERGENCY_TYPES, type AccessScope, type BreakGlass } from '@salus/chaincode/access/api';

import type { DoorCaller } from '../door/caller.js';
import type { FhirRequest } from '../fhir/request.js';
import type { LateAsking } from '../glass/late-asking.js';
import { Refusal } from '../ledger/refusal.js';
import type { PatientLookup } from '../patient/lookup.js';
import { custodianMissing } from './answers.js';
import type { Permitted } from './permitted.js';
import { mayAsk } from './searchsets.js';

/** Why somebody asks; the words go to custodians alone. */
export type EmergencyAct = BreakGlass & { readonly text: string };

/** How custodians are given the reason. */
export interface EmergencyPorts {
  readonly doors: Pick<DoorCaller, 'breakGlass'>;
  readonly lookup: PatientLookup;
  readonly late: Pick<LateAsking, 'ask' | 'isAway'>;
  /** Hears of a custodian that could not be asked. */
  readonly onMissing: (custodian: string, error: unknown) => void;
}

/** An access whose custodians opened, and those whose privacy officer is asked. */
export interface Opened {
  readonly permitted: Permitted;
  readonly waiting: readonly string[];
  /** Custodians that could not be asked. */
  readonly missing: readonly string[];
}

/** What an act may ask for: the emergency summary, or by a second one everything. */
export function scopeOf({ follows }: BreakGlass): AccessScope {
  return { types: follows === undefined ? EMERGENCY_TYPES : [], interaction: 'everything' };
}

/** Asks by `ordinarily`, or, where the ledger is away, by the logs; undefined where nobody permits. Throws Refusal. */
export async function askInEmergency(
  ports: EmergencyPorts,
  request: FhirRequest,
  patient: string,
  act: EmergencyAct,
  ordinarily: (breakGlass: BreakGlass) => Promise<Permitted | undefined>,
): Promise<Opened | undefined> {
  if (await ports.late.isAway()) return await askLate(ports, request, patient, act);
  try {
    const { text, ...breakGlass } = act;
    const permitted = await ordinarily(breakGlass);
    return permitted && (await told(ports, request, permitted, text));
  } catch (error) {
    const isUnreached = error instanceof Refusal && error.category === 'unavailable';
    if (isUnreached && (await ports.late.isAway())) return await askLate(ports, request, patient, act);
    throw error;
  }
}

async function askLate(
  { late, lookup }: EmergencyPorts,
  { actor, pace }: FhirRequest,
  patientId: string,
  { text, ...breakGlass }: EmergencyAct,
): Promise<Opened | undefined> {
  const patient = mayAsk(actor, patientId) ? lookup.byId(patientId) : undefined;
  const pid = patient?.pid ?? lookup.decoy(patientId);
  const { aid, custodians } = await late.ask(actor, { pid, patient, scope: scopeOf(breakGlass), breakGlass, text });
  if (patient !== undefined && custodians.length > 0) {
    return { permitted: { aid, patient, custodians, isLate: true }, waiting: [], missing: [] };
  }
  pace?.askedInVain();
  return undefined;
}

/** Gives every permitting custodian the reason; whoever cannot be asked keeps no other from opening. Throws Refusal where none is left. */
async function told(
  { doors, onMissing }: EmergencyPorts,
  { actor }: FhirRequest,
  permitted: Permitted,
  text: string,
): Promise<Opened> {
  const { user, role } = actor;
  const asked = permitted.custodians.map(async (custodian) => {
    const question = { custodian, aid: permitted.aid, actor: { user, role } };
    const state = await doors.breakGlass(question, text).catch((error: unknown) => {
      onMissing(custodian, error);
      return 'missing' as const;
    });
    return { custodian, state };
  });
  const states = await Promise.all(asked);
  const of = (state: (typeof states)[number]['state']): readonly string[] =>
    states.filter((each) => each.state === state).map(({ custodian }) => custodian);
  const [custodians, waiting, missing] = [of('open'), of('waiting'), of('missing')];
  if (custodians.length + waiting.length === 0 && missing.length > 0) {
    throw custodianMissing();
  }
  return { permitted: { ...permitted, custodians }, waiting, missing };
}
