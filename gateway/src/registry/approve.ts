/** Approves the registry's entries on behalf of this member until they are in force; doing it again changes nothing. */
import { setTimeout as sleep } from 'node:timers/promises';

import {
  OWN_FIELDS,
  transactions,
  type MemberEntry,
  type RegistryEntry,
  type RegistryView,
} from '@salus/chaincode/registry/api';

import { Retriable } from '../ledger/failure.js';
import { Refusal } from '../ledger/refusal.js';
import type { Ledger } from '../ports.js';
import type { GatewaySettings } from '../settings.js';
import { consortiumEntry, entryHash, memberEntry } from './entries.js';

/** Pause before the registry is looked at again, milliseconds. */
const PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/** The gateway speaks for itself, as the member's administrator. */
const GATEWAY_ACTOR = Buffer.from(JSON.stringify({ user: 'gateway', role: 'admin', purpose: 'HSYSADMIN' }));

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
  for (let round = 0; !signal.aborted; round += 1) {
    if (await approveOnce(ledger, settings)) return;
    const pause = Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 1.5 ** round);
    await sleep(pause, undefined, { signal }).catch(() => undefined);
  }
}

/** Approves what is missing; true when all is in force. */
async function approveOnce(ledger: Pick<Ledger, 'evaluate' | 'submit'>, settings: GatewaySettings): Promise<boolean> {
  try {
    const view = await readRegistry(ledger);
    const missing = missingEntries(view, settings);
    if (missing.length === 0) return true;
    const [consortium] = missing;
    // Members can only be approved by a consortium that is in force.
    const now = consortium?.kind === 'consortium' ? [consortium] : missing;
    await Promise.all(
      now.filter((entry) => !isApproved(view, entry, settings.member)).map((entry) => approve(ledger, entry)),
    );
    return false;
  } catch (error) {
    if (error instanceof Refusal || error instanceof Retriable) return false;
    throw error;
  }
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
  return JSON.stringify(ownFields(one)) === JSON.stringify(ownFields(other));
}

function isApproved(view: RegistryView, entry: RegistryEntry, member: string): boolean {
  const hash = entryHash(entry);
  return view.approvals.some((each) => each.member === member && each.hash === hash);
}

async function approve(ledger: Pick<Ledger, 'submit'>, entry: RegistryEntry): Promise<void> {
  const argument = JSON.stringify(entry);
  await ledger.submit({ transaction: transactions.approve, argument, transient: { actor: GATEWAY_ACTOR } });
}
