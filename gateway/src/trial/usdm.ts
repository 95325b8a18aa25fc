/**
 * CDISC USDM 4.0 study definitions (https://www.cdisc.org/ddf) to protocols and back. Pure. A file holds the content of
 * its newest amendment alone, so that of what came before it is not known, and versions of earlier amendments say so.
 */
import { type Outcome, type OutcomeRole, parseProtocol, type Protocol } from '@salus/chaincode/trial/api';

import type { JsonObject } from '../fhir/json.js';
import { parsed, Refusal } from '../ledger/refusal.js';
import { commitmentOf } from './content.js';
import { extended, type Extended } from './usdm-extensions.js';

/** USDM's endpoints have no time frame of their own: it is part of their text. */
export const TIME_FRAME_IN_MEASURE = 'stated in the measure';
/** The stratum of a study that stratifies nothing. */
const ONE_STRATUM = 'all';

/** Reasons that versions get here. */
const REASON = /^Amendment ([^ :]+): (.*?)(?: \[content as of amendment [^\]]*\])?$/;

/** A version as the ledger registers it. */
export interface ImportedVersion {
  readonly protocol: Protocol;
  /** Absent of the first: what was there before any amendment. */
  readonly reason?: string;
}

interface Code {
  readonly code?: string;
  readonly decode?: string;
}
interface Named extends Extended {
  readonly id: string;
  readonly name?: string;
  readonly label?: string;
}
interface Endpoint extends Named {
  readonly text?: string;
  readonly level?: Code;
}
interface Amount {
  readonly value?: number;
  readonly maxValue?: { readonly value?: number };
}
/** A design of a study, as far as a protocol is made of it. */
export interface Design extends Extended {
  readonly objectives?: readonly { readonly endpoints?: readonly Endpoint[] }[];
  readonly arms?: readonly Named[];
  readonly encounters?: readonly Named[];
  readonly activities?: readonly Named[];
  readonly eligibilityCriteria?: readonly Named[];
  readonly population?: { readonly plannedEnrollmentNumber?: Amount | null };
  readonly scheduleTimelines?: readonly { readonly instances?: readonly Instance[] }[];
}
interface Instance {
  readonly encounterId?: string | null;
  readonly activityIds?: readonly string[];
}
/** An amendment. */
export interface Amendment {
  readonly id: string;
  readonly number?: string;
  readonly summary?: string;
  readonly previousId?: string | null;
  readonly instanceType?: string;
}
/** A version of a study. */
export interface StudyVersion {
  readonly titles?: readonly { readonly text: string; readonly type?: Code }[];
  readonly studyDesigns?: readonly Design[];
  readonly amendments?: readonly Amendment[];
}

/** Every version that a USDM file tells of, the original first, then each amendment; strata are those given, else the file's. Throws Refusal invalid. */
export function importUsdm(file: unknown, strata: readonly string[] = []): readonly ImportedVersion[] {
  const { study } = (file ?? {}) as { study?: { versions?: readonly StudyVersion[] } };
  const versions = study?.versions ?? [];
  if (versions.length === 0) throw new Refusal('invalid', 'structure', 'a USDM file has study.versions');
  const document = commitmentOf(file as JsonObject);
  return versions.flatMap((version) => versionsOf(version, strata, document));
}

function versionsOf(version: StudyVersion, strata: readonly string[], document: string): ImportedVersion[] {
  const protocol = parsed(() => parseProtocol(protocolOf(version, strata, document), 'usdm'));
  const amendments = inOrder(version.amendments ?? []);
  const last = amendments.at(-1)?.number ?? '';
  const amended = amendments.map(({ number = '', summary = '' }, index) => {
    const isLast = index === amendments.length - 1;
    const note = isLast ? '' : ` [content as of amendment ${last}: the file holds no earlier one]`;
    return { protocol, reason: `${line(`Amendment ${number}: ${summary}`, 1_800)}${note}` };
  });
  return [{ protocol }, ...amended];
}

/** The amendment that a version's reason was made from: its number, absent where it came from none, and its summary. */
export function amendmentIn(reason: string): { readonly number?: string; readonly summary: string } {
  const [, number, summary] = REASON.exec(reason) ?? [];
  return number === undefined || summary === undefined ? { summary: reason } : { number, summary };
}

/** Amendments from the first on, each after the one it names as previous; as listed where they are no single line. */
export function inOrder(amendments: readonly Amendment[]): Amendment[] {
  const ordered: Amendment[] = [];
  let next = amendments.find(({ previousId }) => (previousId ?? '') === '');
  while (next !== undefined && ordered.length < amendments.length) {
    const { id } = next;
    ordered.push(next);
    next = amendments.find(({ previousId }) => previousId === id);
  }
  return ordered.length === amendments.length ? ordered : [...amendments];
}

function protocolOf(version: StudyVersion, strata: readonly string[], document: string): Protocol {
  const [design = {}] = version.studyDesigns ?? [];
  const endpoints = (design.objectives ?? []).flatMap((objective) => objective.endpoints ?? []);
  const codes = codesOf(endpoints);
  const arms = design.arms ?? [];
  const armCodes = codesOf(arms);
  return {
    title: titleOf(version),
    outcomes: endpoints.map((endpoint) => outcomeOf(endpoint, codes)),
    sampleSize: sizeOf(design.population?.plannedEnrollmentNumber),
    allocation: {
      scheme: extended(design, 'scheme').includes('simple') ? 'simple' : 'blocks',
      arms: arms.map((arm) => ({ code: known(armCodes, arm.id), label: line(labelOf(arm)), ratio: ratioOf(arm) })),
      strata: [strata, extended(design, 'stratum'), [ONE_STRATUM]].find((each) => each.length > 0) ?? [],
    },
    criteria: [...codesOf(design.eligibilityCriteria ?? []).values()],
    visits: visitsOf(design),
    ...formsOf(design),
    document,
  };
}

function titleOf({ titles = [] }: StudyVersion): string {
  const official = titles.find(({ type }) => type?.decode === 'Official Study Title') ?? titles[0];
  return line(official?.text ?? '');
}

function outcomeOf(endpoint: Endpoint, codes: ReadonlyMap<string, string>): Outcome {
  const role = (endpoint.level?.decode ?? '').split(' ')[0]?.toLowerCase() as OutcomeRole;
  const { measure, timeFrame } = measured(endpoint.text ?? '');
  const [metric] = extended(endpoint, 'metric');
  const [analysis] = extended(endpoint, 'analysis');
  const more = { ...(metric !== undefined && { metric }), ...(analysis !== undefined && { analysis }) };
  return { id: known(codes, endpoint.id), role, measure, ...more, timeFrame };
}

function ratioOf(arm: Named): number {
  return Number(extended(arm, 'ratio')[0] ?? 1);
}

const FRAME = / \[time frame: ([^\]]+)\]$/;

/** An export of ours ends a measure with its time frame. */
function measured(text: string): { measure: string; timeFrame: string } {
  const whole = line(text);
  const frame = FRAME.exec(whole)?.[1];
  if (frame === undefined) return { measure: whole, timeFrame: TIME_FRAME_IN_MEASURE };
  return { measure: whole.replace(FRAME, ''), timeFrame: frame };
}

function sizeOf(amount: Amount | null | undefined): number {
  return Math.round(amount?.value ?? amount?.maxValue?.value ?? 0);
}

function visitsOf({ encounters = [], activities = [], scheduleTimelines = [] }: Design): Protocol['visits'] {
  const [visitCodes, formCodes] = [codesOf(encounters), codesOf(activities)];
  const instances = scheduleTimelines.flatMap((timeline) => timeline.instances ?? []);
  return encounters.map(({ id }) => {
    const own = instances
      .filter(({ encounterId }) => encounterId === id)
      .flatMap(({ activityIds = [] }) => activityIds);
    return { id: known(visitCodes, id), forms: [...new Set(own)].map((activity) => known(formCodes, activity)) };
  });
}

/** Forms of which the file names a questionnaire; absent where it names none. */
function formsOf({ activities = [] }: Design): Pick<Protocol, 'forms'> {
  const codes = codesOf(activities);
  const forms = activities.flatMap((activity) =>
    extended(activity, 'questionnaire').map((questionnaire) => ({ id: known(codes, activity.id), questionnaire })),
  );
  return forms.length === 0 ? {} : { forms };
}

/** A code for each item by its id: its name where that is one, and its alone; else its id. */
export function codesOf(items: readonly Named[]): ReadonlyMap<string, string> {
  const slug = ({ id, name }: Named): string => (name ?? '').replaceAll(/[^A-Za-z0-9._-]+/g, '_').slice(0, 64) || id;
  const slugs = items.map(slug);
  const isOnly = (text: string): boolean => slugs.filter((each) => each === text).length === 1;
  return new Map(items.map((item, index) => [item.id, isOnly(slugs[index] ?? '') ? (slugs[index] ?? '') : item.id]));
}

function known(codes: ReadonlyMap<string, string>, id: string): string {
  const code = codes.get(id);
  if (code === undefined) throw new Refusal('invalid', 'structure', 'the file names something that it does not define');
  return code;
}

function labelOf({ id, name = '', label = '' }: Named): string {
  return label || name || id;
}

/** One line of prose: HTML tags and control characters become spaces. */
function line(text: string, most = 2_000): string {
  const plain = text.replaceAll(/<[a-z/][^>]*>/gi, ' ').replaceAll(/[\s\p{Cc}]+/gu, ' ');
  return plain.trim().slice(0, most);
}
