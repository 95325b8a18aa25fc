import { digest } from '../lib/canonical';
import { isSignedBy, parseJws } from '../lib/jws';
import { Refusal } from '../lib/refusal';
import { parseText } from '../lib/schema';
import type { MemberEntry } from '../registry/api';
import { type AccessRecord, type Late, type LateAccess, parseSignedLate, refuse, type SignedLate } from './api';
import { isSummary } from './emergency';
import { mayClaim } from './roles';
import { decideAccess, type Grounds } from './rules';

/** Break-glass that two gateways' logs kept while the ledger was away: it is recorded afterwards, and marked so. */

/** How far an opening may be ahead of the last tick, ms: ticks come every 30 s, and gateways' clocks differ. */
const AHEAD_MS = 300_000;
/** How long ago it may have opened, ms: who signs one of long ago covers what no log held. */
const OLDEST_MS = 2_592_000_000;

/** What a late access is judged by, beside what was signed. */
export interface LateGrounds extends Grounds {
  /** Member that submits. */
  readonly by: string;
  /** The member that asked is a hospital by its registry entry in force. */
  readonly isHospital: boolean;
  /** What is on record under this aid already. */
  readonly known: AccessRecord | undefined;
  /** The key that signed was in force before, and is not now. */
  readonly isKeyReplaced: boolean;
}

/** What was signed, and whether by a key that was replaced since. */
export interface HeardLate extends Pick<LateGrounds, 'isKeyReplaced'> {
  readonly said: SignedLate;
}

/** The signed request of a late access as far as it can be one; undefined otherwise. Nothing in it is believed yet. */
export function signedLate(compact: string): SignedLate | undefined {
  const payload = parseJws(compact)?.payload;
  try {
    return payload === undefined ? undefined : parseText(parseSignedLate, payload, 'late');
  } catch {
    return undefined;
  }
}

/** What was signed, if the asking member signed it for this channel, by a key that is in force or was before. */
export function heardLate(
  { request, formerly = [] }: LateAccess,
  said: SignedLate | undefined,
  member: MemberEntry | undefined,
  channel: string,
): HeardLate | Refusal {
  const jws = parseJws(request);
  const entries = member === undefined ? [] : [member, ...replacedBy(member, formerly)];
  const by = jws && entries.find(({ keys }) => keys.some((key) => isSignedBy(jws, key)));
  if (by === undefined || said === undefined || said.channel !== channel || said.member !== by.name) {
    return refuse(
      'signed-request-invalid',
      "not signed for this channel by a key of the asking member's registry entry, or of one before it",
    );
  }
  return { said, isKeyReplaced: by !== member };
}

/** Entries that were in force before this one, as far as they are given: each by the hash that the one after it names. */
function replacedBy({ replaces }: MemberEntry, formerly: readonly MemberEntry[]): readonly MemberEntry[] {
  const chain = [replaces, ...formerly.map((entry) => entry.replaces)];
  const end = formerly.findIndex((entry, at) => digest(entry) !== chain[at]);
  return end < 0 ? formerly : formerly.slice(0, end);
}

/**
 * The record of a late access, by whichever party comes first: decided on what the ledger says now, which opens nothing.
 * The other party finds it and adds that its log holds the same. Refusals in order of precedence.
 */
export function lateAccess(said: SignedLate, grounds: LateGrounds): AccessRecord | Refusal {
  const { known, by, isKeyReplaced } = grounds;
  const problem = lateProblem(said, grounds);
  if (problem !== undefined) return problem;
  const late: Late = {
    ...{ opened: said.at, request: digest(said), heldBy: [by] },
    ...(isKeyReplaced && { keyReplaced: true }),
  };
  const asker = { requester: said.member, ...said.actor, purpose: said.purpose };
  const record: AccessRecord = { ...decideAccess(said, asker, grounds), late };
  if (by !== said.member && !Object.hasOwn(record.custodians, by)) {
    return refuse('not-a-party', 'a late access is recorded by who asked and by custodians of the patient');
  }
  return known === undefined ? record : heldToo(known, late);
}

function lateProblem(said: SignedLate, { isHospital, at }: LateGrounds): Refusal | undefined {
  if (said.purpose !== 'BTG' || !mayClaim(said.actor.role, said.purpose)) {
    return refuse('purpose-not-claimable', 'a late access is for purpose BTG, by a role that may claim it');
  }
  if (!isHospital) return refuse('not-a-hospital', 'the glass is broken by clinicians of hospitals alone');
  if (said.breakGlass.follows === undefined && !isSummary(said.scope)) {
    return refuse('summary-first', 'a first act is for the emergency summary, late or not');
  }
  const ahead = Date.parse(said.at) - Date.parse(at);
  if (ahead > AHEAD_MS) return refuse('opened-ahead', 'it says that it opened after the last tick');
  // Asked so that an instant that is no date is refused, too.
  if (ahead >= -OLDEST_MS) return undefined;
  return refuse('opened-long-ago', 'it says that it opened over 30 days before the last tick, or at no time at all');
}

/** The record with one more log that holds it. */
function heldToo(known: AccessRecord, { request, heldBy }: Late): AccessRecord | Refusal {
  if (known.late?.request !== request) return refuse('late-differs', 'something else is on record under this aid');
  const all = new Set([...known.late.heldBy, ...heldBy]);
  if (all.size === known.late.heldBy.length) return refuse('access-exists', 'the calling member said so before');
  return { ...known, late: { ...known.late, heldBy: [...all].sort() } };
}
