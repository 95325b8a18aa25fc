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

/** Resolves once consortium and members are in force as the settings have them, or the signal aborts. */
export async function approveRegistry(
  ledger: Pick<Ledger, 'evaluate' | 'submit'>,
  settings: GatewaySettings,
  signal: AbortSignal,
): Promise<void> {
  for (let idle = 0; !signal.aborted; idle += 1) {
    const step = await approveNext(ledger, settings, idle);
    if (step === 'done') return;
    if (step === 'approved') idle = 0;
    else await sleep(Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 1.2 ** idle), undefined, { signal }).catch(() => undefined);
  }
}

/** Approves one entry that is missing, if it is this member's turn. */
async function approveNext(
  ledger: Pick<Ledger, 'evaluate' | 'submit'>,
  settings: GatewaySettings,
  idle: number,
): Promise<'done' | 'approved' | 'waiting'> {
  try {
    const view = await readRegistry(ledger);
    const missing = missingEntries(view, settings);
    if (missing.length === 0) return 'done';
    const next = inTurn(view, missing, settings, idle);
    if (next === undefined) return 'waiting';
    await approve(ledger, next);
    return 'approved';
  } catch (error) {
    if (error instanceof Refusal || error instanceof Retriable || error instanceof OutcomeUnknown) return 'waiting';
    throw error;
  }
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

/** Entries that are not in force yet, the consortium's first; own addresses and keys that changed are a new entry. */
export function missingEntries(view: RegistryView, settings: GatewaySettings): RegistryEntry[] {
  if (view.consortium === undefined) return [consortiumEntry(settings)];
  return settings.members.flatMap((member) => {
    const wanted = memberEntry(member);
    const found = view.members.find(({ entry }) => entry.name === member.name);
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
