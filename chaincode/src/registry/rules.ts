import { canonical, digest } from '../lib/canonical';
import { mspIdOf } from '../lib/member';
import type { Refusal } from '../lib/refusal';
import {
  type Approval,
  type ConsortiumEntry,
  type InForce,
  majorityOf,
  type MemberEntry,
  OWN_FIELDS,
  refuse,
  type RegistryEntry,
} from './api';
import { subjectOf } from './state';

/** What an approval is judged by. */
export interface Standing {
  /** The consortium in force. */
  readonly consortium?: InForce<ConsortiumEntry> | undefined;
  /** What is in force of the same subject. */
  readonly inForce?: InForce | undefined;
  /** Members of the voting consortium that approved the same hash before. */
  readonly approvedBy: readonly string[];
  /** What is in force of other members than those the entry is about. */
  readonly others: readonly MemberEntry[];
}

/** An approval to record, and whether it puts the entry in force. */
export interface Approved {
  readonly approval: Approval;
  readonly comesIntoForce: boolean;
}

/** Who votes on this entry: the consortium in force; the founding one votes on itself. */
export function voters(entry: RegistryEntry, standing: Pick<Standing, 'consortium'>): readonly string[] {
  const { consortium } = standing;
  if (consortium !== undefined) return consortium.entry.members.map((member) => member.name);
  return entry.kind === 'consortium' ? entry.members.map((member) => member.name) : [];
}

/** Approves an entry. Refusals in order of precedence. */
export function approve(entry: RegistryEntry, caller: string, standing: Standing): Approved | Refusal {
  const electorate = voters(entry, standing);
  const problem = unfit(entry, electorate, caller, standing);
  if (problem !== undefined) return problem;
  const hash = digest(entry);
  if (standing.inForce?.hash !== hash && entry.replaces !== standing.inForce?.hash) {
    return refuse('stale-entry', 'replaces must be the hash of the entry in force, absent for the first');
  }
  if (standing.approvedBy.includes(caller)) return refuse('already-approved', 'the calling member approved this entry');
  const count = new Set([...standing.approvedBy, caller]).size;
  const decides = count >= majorityOf(electorate.length) || isOwnChange(entry, caller, standing.inForce);
  return {
    approval: { subject: subjectOf(entry), hash, member: caller },
    comesIntoForce: decides && standing.inForce?.hash !== hash,
  };
}

function unfit(
  entry: RegistryEntry,
  electorate: readonly string[],
  caller: string,
  standing: Standing,
): Refusal | undefined {
  if (entry.kind === 'member' && standing.consortium === undefined) {
    return refuse('no-consortium', 'no consortium entry is in force yet: approve that first, then members');
  }
  if (!electorate.includes(caller)) return refuse('not-in-consortium', 'the calling member is not in the consortium');
  return namesProblem(entry, electorate) ?? foundingProblem(entry, standing) ?? ownershipProblem(entry, standing);
}

/**
 * A member is known by its keys and roots: whoever could give another's as its own would have what that one signs, and
 * its doors and gateways, taken for its own, and so make it nobody.
 */
function ownershipProblem(entry: RegistryEntry, { others }: Standing): Refusal | undefined {
  const taken = new Set(others.flatMap(marksOf));
  for (const described of describedIn(entry)) {
    const own = new Set(marksOf(described));
    if ([...own].some((mark) => taken.has(mark))) {
      return refuse('key-taken', 'a key, its kid, or a root of the entry is another member’s');
    }
    for (const mark of own) taken.add(mark);
  }
  return undefined;
}

/** What a member is known by: its keys, what they are called, and its roots. */
function marksOf({ keys, doorRoots }: MemberEntry): string[] {
  return [...keys.flatMap(({ kid, x, y }) => [kid, `${x}.${y}`]), ...doorRoots];
}

function describedIn(entry: RegistryEntry): readonly MemberEntry[] {
  return entry.kind === 'consortium' ? (entry.entries ?? []) : [entry];
}

function namesProblem(entry: RegistryEntry, electorate: readonly string[]): Refusal | undefined {
  const described = describedIn(entry);
  const lists = entry.kind === 'consortium' ? [entry.members, described] : [described];
  if (lists.some(misnamed)) {
    return refuse('name-mismatch', 'each member is named once, and its MSP id is its name capitalised and MSP');
  }
  if (described.some(({ name }) => !electorate.includes(name))) {
    return refuse('unknown-subject', 'the entry is about a member that is not in the consortium');
  }
  return undefined;
}

function foundingProblem(entry: RegistryEntry, { consortium }: Standing): Refusal | undefined {
  if (entry.kind === 'member' || entry.entries === undefined) return undefined;
  const { entries } = entry;
  const isFirst = consortium === undefined || consortium.hash === digest(entry);
  if (isFirst && entries.every(({ replaces }) => replaces === undefined)) return undefined;
  return refuse('stale-entry', 'entries come with the first consortium only, and replace nothing');
}

function misnamed(members: readonly { readonly name: string; readonly mspId: string }[]): boolean {
  const isDouble = new Set(members.map(({ name }) => name)).size !== members.length;
  return isDouble || members.some(({ name, mspId }) => mspId !== mspIdOf(name));
}

/** A member changes its own keys and addresses alone: the entry is its own, and nothing else in it differs. */
function isOwnChange(entry: RegistryEntry, caller: string, inForce: InForce | undefined): boolean {
  if (entry.kind !== 'member' || entry.name !== caller || inForce?.entry.kind !== 'member') return false;
  return canonical(agreedOf(entry)) === canonical(agreedOf(inForce.entry));
}

function agreedOf(entry: MemberEntry): unknown {
  const own: readonly string[] = [...OWN_FIELDS, 'replaces'];
  return Object.fromEntries(Object.entries(entry).filter(([field]) => !own.includes(field)));
}
