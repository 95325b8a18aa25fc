/**
 * `$package`: everything public of a trial in one file, for a regulator to check against the blocks of its own peer, and the
 * contents that lie at the gateway asked, where who asks may read them.
 */
import type { KitRecord, ParticipantView, TrialView } from '@salus/chaincode/trial/api';

import { type JsonObject, parseExactly } from '../fhir/json.js';
import { parameterOf } from '../fhir/parameters.js';
import type { Actor, Ledger } from '../ports.js';
import { heldContents, type PrintedName } from './content.js';
import { type FacePorts, isReader, isRegulator, noteShown } from './faces.js';
import { eventCommitments, usableCommitments } from './hand-over.js';
import { readKits } from './kits.js';
import { type NamePorts, openedNames } from './names.js';
import { demandTrial, placeOf, readLine, worksIn } from './reading.js';
import { statementsAbout, statementsOf } from './signed.js';

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
  /** Decimals exact; of who wants no further use of data, of safety alone. Absent where who asked reads none. */
  readonly contents?: readonly JsonObject[];
  /** Printed names of who signed, as far as they are told here; absent where who asked plays no part of the trial. */
  readonly names?: readonly PrintedName[];
}

/** Puts it together. Throws Refusal. */
export async function trialPackage(
  ports: NamePorts & Pick<FacePorts, 'ledger' | 'shown'> & { readonly now: () => number },
  trial: string,
  actor: Pick<Actor, 'role'>,
): Promise<TrialPackage> {
  const view = await demandTrial(ports, trial);
  const lines = await linesOf(ports.ledger, view);
  const kits = await readKits(ports.ledger, trial);
  const readable = lines.filter(([, line]) => isReader(ports.member, view, line, actor));
  const participants = readable.map(([name]) => name);
  noteShown(ports, trial, participants);
  const where = placeOf(ports.member, view);
  const commitments = readable.flatMap(([name, line]) => usableCommitments(line, eventCommitments(view, name), where));
  const isReportedTo = isRegulator(ports.member, view, actor);
  const isSender = view.trial.parties.sponsor === ports.member && readable.length > 0;
  const reported = isReportedTo || isSender ? view.submissions.map(({ commitment }) => commitment) : [];
  const contents = heldContents(ports.facts, [...commitments, ...reported]);
  const names = await namesFor(ports, view, lines, actor);
  const at = new Date(ports.now()).toISOString();
  return {
    v: 1,
    kind: 'trial',
    trial,
    at,
    view,
    lines,
    kits,
    ...((readable.length > 0 || reported.length > 0) && { contents }),
    ...(names !== undefined && { names }),
  };
}

/** Printed names under every statement of the trial, for those who see them. */
async function namesFor(
  ports: NamePorts,
  view: TrialView,
  lines: TrialPackage['lines'],
  actor: Pick<Actor, 'role'>,
): Promise<readonly PrintedName[] | undefined> {
  if (!worksIn(ports.member, view, actor)) return undefined;
  const about = lines.flatMap(([, line]) => statementsAbout(line));
  return await openedNames(ports, view, [...statementsOf(view), ...about]);
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
    const found = parseExactly(typeof value === 'string' ? value : '') as Partial<TrialPackage>;
    return found.v === 1 && found.kind === 'trial' ? (found as TrialPackage) : undefined;
  } catch {
    return undefined;
  }
}

type Named = readonly [name: string, record: object];

/** Every record of the ledger that is in it, under the name of its key: `<kind>/<trial>/<attribute>/...`. */
export function recordsIn(found: TrialPackage): ReadonlyMap<string, object> {
  const { trial, view, lines, kits } = found;
  const named = (kind: string, record: object | undefined, ...attributes: (string | number)[]): Named[] => {
    const parts = attributes.map((each) => (typeof each === 'number' ? each.toString().padStart(6, '0') : each));
    return record === undefined ? [] : [[[kind, trial, ...parts].join('/'), record]];
  };
  const ofTrial = [
    ...named('trial', view.trial),
    ...named('trial-in-force', view.inForce, 'protocol'),
    ...named('trial-in-force', view.document, 'document'),
    ...named('trial-status', view.status),
    ...view.statuses.flatMap((each) => named('trial-status-act', each, each.n)),
    ...view.versions.flatMap((each) => named('trial-version', each, each.version)),
    ...view.approvals.flatMap((each) => named('trial-approval', each, each.hash, each.by.role, each.by.member)),
    ...view.milestones.flatMap((each) => named('trial-milestone', each, each.name)),
    ...view.looks.flatMap((each) => named('trial-look', each, each.look)),
    ...view.results.flatMap((each) => named('trial-results', each, each.publication)),
    ...view.lists.flatMap((each) => named('trial-list', each, each.stratum)),
    ...view.slots.flatMap(({ stratum, taken }) =>
      taken.flatMap((each) => named('trial-slot', each, stratum, each.slot)),
    ),
    ...view.reveals.flatMap((each) => named('trial-reveal', each, each.stratum)),
    ...view.unblindings.flatMap((each) => named('trial-unblinding', each, each.stratum, each.slot)),
    ...view.events.flatMap((each) => named('trial-event', each, each.event, each.n)),
    ...view.submissions.flatMap((each) => named('trial-submission', each, each.event, each.n)),
    ...view.acknowledgements.flatMap((each) =>
      named('trial-acknowledgement', each, each.event, each.n, each.by.member),
    ),
    ...view.documents.flatMap((each) => named('trial-document', each, each.version)),
    ...view.delegates.flatMap((each) => named('trial-delegate', each, each.jwk.kid)),
    ...kits.flatMap((each) => named('trial-kit', each, each.kit, each.n)),
  ];
  const ofPeople = lines.flatMap(([name, { participant, eligibility, entered, consents, uses, points }]) => [
    ...named('trial-participant', participant, name),
    ...eligibility.flatMap((each) => named('trial-eligible', each, name, each.version)),
    ...named('trial-entered', entered, name),
    ...consents.flatMap((each) => named('trial-consent', each, name, each.n)),
    ...uses.flatMap((each) => named('trial-use', each, name, each.n)),
    ...points.flatMap((each) => named('trial-point', each, name, each.visit, each.form, each.n)),
  ]);
  return new Map([...ofTrial, ...ofPeople]);
}
