/** `$package`: everything public of a trial in one file, for a regulator to check against the blocks of its own peer. */
import type { KitRecord, ParticipantView, TrialView } from '@salus/chaincode/trial/api';

import type { JsonObject } from '../fhir/json.js';
import { parameterOf } from '../fhir/parameters.js';
import type { Ledger } from '../ports.js';
import { readKits } from './kits.js';
import { demandTrial, readLine } from './reading.js';

/** The package. Lines are those of everybody who has a slot. */
export interface TrialPackage {
  readonly v: 1;
  readonly kind: 'trial';
  readonly trial: string;
  /** FHIR instant. */
  readonly at: string;
  readonly view: TrialView;
  readonly lines: readonly (readonly [participant: string, line: ParticipantView])[];
  readonly kits: readonly KitRecord[];
}

/** Puts it together. Throws Refusal. */
export async function trialPackage(
  ports: { readonly ledger: Pick<Ledger, 'evaluate'>; readonly now: () => number },
  trial: string,
): Promise<TrialPackage> {
  const view = await demandTrial(ports, trial);
  const lines = await linesOf(ports.ledger, view);
  const kits = await readKits(ports.ledger, trial);
  return { v: 1, kind: 'trial', trial, at: new Date(ports.now()).toISOString(), view, lines, kits };
}

/** The lines of everybody who has a slot, in the order of strata and slots. Throws Refusal. */
export async function linesOf(
  ledger: Pick<Ledger, 'evaluate'>,
  { trial, slots }: TrialView,
): Promise<TrialPackage['lines']> {
  const lines: (readonly [string, ParticipantView])[] = [];
  for (const { participant } of slots.flatMap(({ taken }) => taken)) {
    lines.push([participant, await readLine(ledger, trial.trial, participant)]);
  }
  return lines;
}

/** The package in the text of an answer of `$package`; undefined where there is none. */
export function packageIn(text: string): TrialPackage | undefined {
  try {
    const answer = JSON.parse(text) as JsonObject;
    const value = parameterOf(answer, 'package')?.valueString;
    const found = JSON.parse(typeof value === 'string' ? value : '') as Partial<TrialPackage>;
    return found.v === 1 && found.kind === 'trial' ? (found as TrialPackage) : undefined;
  } catch {
    return undefined;
  }
}

/** Every record of the ledger that is in it. */
export function recordsIn({ view, lines, kits }: TrialPackage): readonly object[] {
  const { trial, inForce, document, status, slots, ...more } = view;
  const lists = Object.values(more).filter((each) => Array.isArray(each)) as readonly (readonly object[])[];
  return [
    ...[trial, inForce, document, status].filter((record) => record !== undefined),
    ...slots.flatMap(({ taken }) => taken),
    ...lists.flat(),
    ...lines.flatMap(([, { participant, eligible, entered, consents, points }]) => [
      ...[participant, eligible, entered].filter((record) => record !== undefined),
      ...consents,
      ...points,
    ]),
    ...kits,
  ];
}
