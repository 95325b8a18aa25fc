/**
 * Contents of data points, eligibility and adverse events from door to door: `$hand-over` sends again what the ledger names of a participant.
 * The sponsor's door takes a content from the participant's own site alone, a regulator's a report of an adverse event from the
 * sponsor alone, and only what the ledger has a commitment of. What it took of adverse events it acknowledges on the ledger first.
 */
import {
  type AcknowledgementRecord,
  type ParticipantView,
  parseLineName,
  transactions,
  type TrialView,
} from '@salus/chaincode/trial/api';

import { type Blocks, whenCommitted } from '../door/committed.js';
import type { Heard } from '../door/server.js';
import type { Keep } from '../ehr/keep.js';
import { type JsonObject, parseBody } from '../fhir/json.js';
import { Refusal } from '../ledger/refusal.js';
import { actorBytes, GATEWAY_ACTOR } from '../ledger/vouched.js';
import type { Ledger } from '../ports.js';
import { commitmentOf, CONTENT_TYPE, type ContentFacts, heldContent } from './content.js';
import { demandTrial, isUseEnded, readLine, readTrial } from './reading.js';

/** Path of a content below a door's base. */
export const CONTENT_PATH = '$trial-content';
/** Longest content that a door takes, bytes. */
const CONTENT_BYTES = 4 * 1024 * 1024;

/** What handing over needs of the gateway. */
export interface ContentPorts {
  readonly member: string;
  readonly ledger: Pick<Ledger, 'submit' | 'evaluate'>;
  readonly facts: ContentFacts;
  readonly keep: Keep;
}

/** What hearing contents needs, besides. */
export type HearingPorts = ContentPorts & { readonly blocks: Blocks };

/** Asks another member's door something under a path. */
export type Ask = (member: string, path: string, words: object) => Promise<unknown>;

/** Whether another member took a copy; away and unwilling are alike. */
async function isTaken(ask: Ask, member: string, words: object): Promise<boolean> {
  try {
    return (await ask(member, CONTENT_PATH, words)) !== undefined;
  } catch {
    return false;
  }
}

/** Whether another member took copies of several, one after the other. */
export async function areTaken(ask: Ask, member: string, words: readonly object[]): Promise<boolean> {
  for (const each of words) {
    if (!(await isTaken(ask, member, each))) return false;
  }
  return true;
}

/** Sends every content of a participant's line that lies here to the sponsor; counts of what it took and of what is missing. */
export async function handOver(
  { ledger, facts, ask }: Pick<ContentPorts, 'ledger' | 'facts'> & { readonly ask: Ask },
  { trial, participant, sponsor }: { readonly trial: string; readonly participant: string; readonly sponsor: string },
): Promise<{ readonly taken: number; readonly missing: number }> {
  const line = await readLine(ledger, trial, participant);
  const events = eventCommitments(await demandTrial({ ledger }, trial), participant);
  if (isUseEnded(line) && events.length === 0) {
    throw new Refusal('conflict', 'consent-withdrawn', 'the participant wants no further use');
  }
  const commitments = usableCommitments(line, events);
  let taken = 0;
  for (const commitment of commitments) {
    const resource = heldContent(facts, commitment);
    if (resource !== undefined && (await isTaken(ask, sponsor, { trial, participant, resource }))) taken += 1;
  }
  return { taken, missing: commitments.length - taken };
}

/** Commitments of the contents of a participant's adverse events, as its site reported them, each once. */
export function eventCommitments({ events }: TrialView, participant: string, site?: string): readonly string[] {
  const own = events.filter((each) => each.participant === participant && each.act === 'report');
  return [...new Set(own.filter(({ by }) => site === undefined || by.member === site).map((each) => each.commitment))];
}

/** Commitments of what may be shown and handed over of a participant: of safety, whatever the participant wants of other data. */
export function usableCommitments(
  line: ParticipantView,
  events: readonly string[],
  where: Parameters<typeof isUseEnded>[1] = 'beyond',
): readonly string[] {
  return isUseEnded(line, where) ? events : [...commitmentsOf(line), ...events];
}

/** Commitments of the answers to the criteria of a participant's eligibility, then of the data points; each once, in the order of the line. */
export function commitmentsOf({ eligibility, points }: ParticipantView): readonly string[] {
  const answers = eligibility.flatMap(({ criteria }) => criteria);
  return [...new Set([...answers, ...points].map(({ commitment }) => commitment))];
}

/** The site that put a commitment of these on the ledger; undefined where there is none such. */
function committedBy({ eligibility, participant, points }: ParticipantView, commitment: string): string | undefined {
  const declared = eligibility.find(({ criteria }) => criteria.some((each) => each.commitment === commitment));
  if (declared !== undefined) return declared.by.member;
  return points.some((each) => each.commitment === commitment) ? participant?.site : undefined;
}

/** Commitments of the sponsor's reports of a participant's adverse events to the regulators. */
export function reportCommitments({ submissions }: TrialView, participant: string): readonly string[] {
  return submissions.filter((each) => each.participant === participant).map(({ commitment }) => commitment);
}

/** What a door hears of contents. Whatever is wrong, it shows nothing and keeps nothing. */
export function contentsHeard(ports: HearingPorts): Readonly<Record<string, Heard>> {
  return { [CONTENT_PATH]: { most: CONTENT_BYTES, hear: (teller, body) => hearContent(ports, teller, body) } };
}

async function hearContent(ports: HearingPorts, teller: string, body: string): Promise<object | undefined> {
  try {
    const { resource, ...name } = parseBody(body).exact as { readonly resource: JsonObject };
    const { trial, participant } = parseLineName(name, 'content');
    const commitment = commitmentOf(resource);
    const view = await readTrial(ports.ledger, trial);
    const told = { trial, teller, participant, commitment };
    const look = view && lookFor(ports, view, told, isEventContent(resource));
    // The own peer may be a block behind the teller's.
    if (look === undefined || (await whenCommitted(ports.blocks, look)) !== true) return undefined;
    if (heldContent(ports.facts, commitment) === undefined) await ports.keep([{ type: CONTENT_TYPE, value: resource }]);
    await acknowledge(ports, told);
    return { commitment };
  } catch {
    return undefined;
  }
}

interface Told {
  readonly trial: string;
  readonly teller: string;
  readonly participant: string;
  readonly commitment: string;
}

type Look = () => Promise<boolean | undefined>;

/** How it is found out whether the teller committed to a content that this member is to have; undefined where it is to have none. */
function lookFor(
  { member, ledger }: Pick<HearingPorts, 'member' | 'ledger'>,
  { trial }: TrialView,
  told: Told,
  isEvent: boolean,
): Look | undefined {
  const { sponsor, sites, regulators } = trial.parties;
  if (sponsor === member && sites.includes(told.teller)) {
    return isEvent ? () => isReported(ledger, told) : () => isEntered(ledger, told);
  }
  return regulators.includes(member) && sponsor === told.teller ? () => isSubmitted(ledger, told) : undefined;
}

/** The ledger's word that an adverse event's content came, once: what was owed is reported from that tick on. */
async function acknowledge({ member, ledger }: HearingPorts, told: Told): Promise<void> {
  const { trial, commitment } = told;
  const view = await demandTrial({ ledger }, trial);
  const sent =
    view.trial.parties.sponsor === member ? view.events.filter(({ act }) => act === 'report') : view.submissions;
  for (const { event, n } of sent.filter((each) => each.commitment === commitment)) {
    const isSame = (each: AcknowledgementRecord): boolean =>
      each.event === event && each.n === n && each.by.member === member;
    if (view.acknowledgements.some(isSame)) continue;
    const argument = JSON.stringify({ trial, event, n, commitment });
    const transient = { actor: actorBytes(GATEWAY_ACTOR) };
    await ledger.submit({ transaction: transactions.acknowledgeEvent, argument, transient });
  }
}

/** Whether a content is of an adverse event: what is known of safety is handed over whatever the participant wants otherwise. */
export function isEventContent({ resourceType }: JsonObject): boolean {
  return resourceType === 'AdverseEvent';
}

/** Undefined while it is not known. */
async function isEntered(ledger: Pick<Ledger, 'evaluate'>, told: Told): Promise<boolean | undefined> {
  const line = await readLine(ledger, told.trial, told.participant);
  if (line.participant !== undefined && line.participant.site !== told.teller) return false;
  if (isUseEnded(line)) return false;
  const site = committedBy(line, told.commitment);
  return site === undefined ? undefined : site === told.teller;
}

async function isReported(ledger: Pick<Ledger, 'evaluate'>, told: Told): Promise<true | undefined> {
  const view = await demandTrial({ ledger }, told.trial);
  return eventCommitments(view, told.participant, told.teller).includes(told.commitment) || undefined;
}

async function isSubmitted(ledger: Pick<Ledger, 'evaluate'>, told: Told): Promise<true | undefined> {
  const view = await demandTrial({ ledger }, told.trial);
  return reportCommitments(view, told.participant).includes(told.commitment) || undefined;
}
