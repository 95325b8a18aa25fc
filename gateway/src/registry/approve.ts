/** Approves the registry's entries on behalf of this member until they are in force; doing it again changes nothing. */
import { setTimeout as sleep } from 'node:timers/promises';

import {
  OWN_FIELDS,
  transactions,
  type MemberEntry,
  type RegistryEntry,
  type RegistryView,
} from '@salus/chaincode/registry/api';

import { canonicalForm } from '../identity/statements.js';
import { OutcomeUnknown, Retriable } from '../ledger/failure.js';
import { Refusal } from '../ledger/refusal.js';
import { actorBytes, GATEWAY_ACTOR } from '../ledger/vouched.js';
import type { Ledger } from '../ports.js';
import type { GatewaySettings } from '../settings.js';
import { consortiumEntry, entryHash, memberEntry } from './entries.js';

/** Pause before the registry is looked at again, milliseconds. */
const PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** Idle looks at the registry for each member before this one in the order. */
const TURN_PATIENCE = 5;

/** What `registry:read` answers, with this member's own peer asked. */
export async function readRegistry(ledger: Pick<Ledger, 'evaluate'>): Promise<RegistryView> {
  const answer = await ledger.evaluate({ transaction: transactions.read });
  return JSON.parse(Buffer.from(answer).toString('utf8')) as RegistryView;
}

/** The ledger as approving needs it. */
export interface Approving extends Pick<Ledger, 'evaluate' | 'submit'> {
  /** MSP ids of the channel's members now; undefined while they are not known. */
  members(): Promise<ReadonlySet<string> | undefined>;
}

/**
 * Resolves once consortium and members are in force as the settings have them, or the signal aborts; tells before that once
 * a consortium is in force of which this member is one.
 */
export async function approveRegistry(
  ledger: Approving,
  settings: GatewaySettings,
  signal: AbortSignal,
  onMember: () => void = () => undefined,
): Promise<void> {
  for (let idle = 0; !signal.aborted; idle += 1) {
    const step = await approveNext(ledger, settings, idle, onMember);
    if (step === 'done') return;
    if (step === 'approved') idle = 0;
    else await sleep(Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 1.2 ** idle), undefined, { signal }).catch(() => undefined);
  }
}

/** Approves one entry that is missing, if it is this member's turn. */
async function approveNext(
  ledger: Approving,
  settings: GatewaySettings,
  idle: number,
  onMember: () => void,
): Promise<'done' | 'approved' | 'waiting'> {
  try {
    const view = await readRegistry(ledger);
    if (view.consortium?.entry.members.some(({ name }) => name === settings.member) === true) onMember();
    const missing = missingEntries(view, settings, await channelMembers(ledger, view, settings));
    if (missing.length === 0) return isAsSettings(view, settings) ? 'done' : 'waiting';
    const next = inTurn(view, missing, settings, idle);
    if (next === undefined) return 'waiting';
    await approve(ledger, next);
    return 'approved';
  } catch (error) {
    if (error instanceof Refusal || error instanceof Retriable || error instanceof OutcomeUnknown) return 'waiting';
    throw error;
  }
}

/** Asked for only where the consortium in force is another than the settings'. */
async function channelMembers(
  ledger: Approving,
  view: RegistryView,
  settings: GatewaySettings,
): Promise<ReadonlySet<string> | undefined> {
  if (view.consortium === undefined || isAsSettings(view, settings)) return undefined;
  return await ledger.members().catch(() => undefined);
}

function isAsSettings({ consortium }: RegistryView, { members }: Pick<GatewaySettings, 'members'>): boolean {
  const mspIds = consortium?.entry.members.map(({ mspId }) => mspId) ?? [];
  return isSame(new Set(mspIds), members);
}

function isSame(mspIds: ReadonlySet<string>, members: GatewaySettings['members']): boolean {
  return mspIds.size === members.length && members.every(({ mspId }) => mspIds.has(mspId));
}

/**
 * Which entry to approve now. Approvals of one entry conflict with each other, so the members approve the consortium
 * one after the other, and each begins the entries of members at another place.
 */
function inTurn(
  view: RegistryView,
  missing: readonly RegistryEntry[],
  { members, member }: GatewaySettings,
  idle: number,
): RegistryEntry | undefined {
  const own = members.findIndex(({ name }) => name === member);
  const place = (entry: RegistryEntry): number =>
    entry.kind === 'consortium'
      ? 0
      : (members.findIndex(({ name }) => name === entry.name) - own + members.length) % members.length;
  const [next] = missing
    .filter((entry) => !approversOf(view, entry).includes(member))
    .sort((a, b) => place(a) - place(b));
  if (next?.kind !== 'consortium') return next;
  // A member that is away must not hold the others up for ever.
  return approversOf(view, next).length >= own || idle > TURN_PATIENCE * own ? next : undefined;
}

/**
 * Entries that are not in force yet, the consortium's first; own addresses and keys that changed are a new entry. Another
 * consortium is proposed only where the channel has the settings' members: whose settings are older votes nobody out again.
 */
export function missingEntries(
  view: RegistryView,
  settings: GatewaySettings,
  channel?: ReadonlySet<string>,
): RegistryEntry[] {
  if (view.consortium === undefined) return [consortiumEntry(settings)];
  const { entry, hash } = view.consortium;
  if (!isAsSettings(view, settings) && channel !== undefined && isSame(channel, settings.members)) {
    const members = settings.members.map(({ name, mspId }) => ({ name, mspId }));
    return [{ kind: 'consortium', members, replaces: hash }];
  }
  const inForce = settings.members.filter(({ name }) => entry.members.some((each) => each.name === name));
  return inForce.flatMap((member) => {
    const wanted = memberEntry(member);
    const found = view.members.find((each) => each.entry.name === member.name);
    if (found === undefined) return [wanted];
    if (member.name !== settings.member || sameOwnFields(found.entry, wanted)) return [];
    return [{ ...found.entry, ...ownFields(wanted), replaces: found.hash }];
  });
}

function ownFields(entry: MemberEntry): Pick<MemberEntry, (typeof OWN_FIELDS)[number]> {
  return Object.fromEntries(OWN_FIELDS.map((field) => [field, entry[field]])) as Pick<
    MemberEntry,
    (typeof OWN_FIELDS)[number]
  >;
}

function sameOwnFields(one: MemberEntry, other: MemberEntry): boolean {
  return canonicalForm(ownFields(one)) === canonicalForm(ownFields(other));
}

function approversOf(view: RegistryView, entry: RegistryEntry): string[] {
  const hash = entryHash(entry);
  return view.approvals.filter((each) => each.hash === hash).map((each) => each.member);
}

async function approve(ledger: Pick<Ledger, 'submit'>, entry: RegistryEntry): Promise<void> {
  const argument = JSON.stringify(entry);
  await ledger.submit({ transaction: transactions.approve, argument, transient: { actor: actorBytes(GATEWAY_ACTOR) } });
}
