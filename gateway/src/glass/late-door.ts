/**
 * The custodian's side of break-glass while the ledger is away: another member's gateway asks by a request that it signed.
 * The door looks itself whether the ledger is away, decides on what its own projection knows, and keeps request and reason
 * on disk before anything is shown. Denied, absent, forged and replayed are alike.
 */
import { mayClaim, parseLate, type SignedLate } from '@salus/chaincode/access/api';

import { ownerOf, type FindKey } from '../door/proof.js';
import type { Heard } from '../door/server.js';
import { saysWith } from '../identity/statements.js';
import { glassOf, isBreakable, textIn, type GlassDoorPorts } from './door.js';
import { accessOf, lateRequest, saidIn, type LateAct, type LateLog } from './late-log.js';
import type { Glass } from './store.js';

/** Where a door is asked in an emergency while the ledger is away, below DOOR_BASE. */
export const LATE_GLASS_PATH = '$break-glass-late';
/** Longest body a door reads of it, bytes. */
export const MAX_LATE_GLASS_BYTES = 65_536;
/** How old a request may be, and how far its signer's clock ahead, ms. */
const FRESH_MS = { past: 60_000, ahead: 5_000 } as const;

/** What one gateway asks of a custodian's door. */
export interface LateQuestion {
  /** Compact JWS over a SignedLate. */
  readonly request: string;
  /** Why, in words; stays with the custodian. */
  readonly text: string;
}

/** How it stands at a custodian: open; its ledger is there, so the ordinary way is asked for; the hour's budget is spent. */
export interface LateAnswer {
  readonly state: 'queued' | 'ledger-here' | 'spent';
}

/** What a custodian checks and keeps before it opens by its own log. */
export interface LateDoorPorts extends Omit<GlassDoorPorts, 'writer' | 'current' | 'version'> {
  readonly channel: string;
  readonly findKey: FindKey;
  /** Whether the own ledger is away, by an own look. */
  readonly isAway: () => Promise<boolean>;
  readonly log: LateLog;
}

/** What a custodian's door answers to who asks in an emergency while the ledger is away, by path. */
export function lateGlassHeard(ports: LateDoorPorts): Readonly<Record<string, Heard>> {
  const hear: Heard['hear'] = (teller, body) => hearLate(ports, teller, body);
  return { [LATE_GLASS_PATH]: { most: MAX_LATE_GLASS_BYTES, hear } };
}

async function hearLate(ports: LateDoorPorts, teller: string, body: string): Promise<LateAnswer | undefined> {
  const heard = heardIn(ports, teller, body);
  if (heard === undefined) return undefined;
  if (!(await ports.isAway())) return { state: 'ledger-here' };
  const { said } = heard;
  const by = { member: teller, user: said.actor.user, at: Date.parse(ports.now()) };
  // Before anybody looks for the patient: who asks learns nothing of whom.
  if (said.breakGlass.follows === undefined && ports.glass.isSpent(by)) return { state: 'spent' };
  const glass = openable(ports, said, by.at);
  return glass !== undefined && take(ports, heard, glass) ? { state: 'queued' } : undefined;
}

interface HeardLate extends LateQuestion {
  readonly said: SignedLate;
}

/** The act, of a patient kept here who did not exclude it. */
function openable(ports: LateDoorPorts, said: SignedLate, at: number): Glass | undefined {
  const record = accessOf(said, ports.member);
  const patient = ports.lookup.byPid(said.pid)?.custodians[ports.member]?.patientId;
  if (patient === undefined || !isBreakable(ports, record)) return undefined;
  return { ...glassOf(record, patient), at };
}

/** On disk before it opens, at once: what goes to the ledger, and the act within the budget. */
function take({ log, glass: store, onGlass }: LateDoorPorts, heard: HeardLate, glass: Glass): boolean {
  const { aid, patient, member } = glass;
  const { request, text } = heard;
  const act: LateAct = { side: 'opened', request, kept: { patient, text }, awaited: [member] };
  if (!log.opens(aid, act, () => store.takeLate(glass))) return false;
  onGlass(glass, 'queued');
  return true;
}

/**
 * The question, if the member at the other end of the line signed it just now, for this channel and by a role that may, in a
 * form that the contract reads as well: what opened must be able to come on the ledger.
 */
function heardIn(ports: LateDoorPorts, teller: string, body: string): HeardLate | undefined {
  const text = textIn(body);
  if (text === undefined) return undefined;
  try {
    const { request } = parseLate(lateRequest(requestIn(body)), 'late');
    const key = ownerOf(request, ports.findKey, undefined);
    if (key?.member !== teller || saysWith(key.jwk, request) === undefined) return undefined;
    const said = saidIn({ request });
    return said.member === teller && isTimely(ports, said) ? { request, text, said } : undefined;
  } catch {
    return undefined;
  }
}

function isTimely({ channel, now }: LateDoorPorts, said: SignedLate): boolean {
  const age = Date.parse(now()) - Date.parse(said.at);
  // Asked so that an instant that is no date is none of these.
  const isFresh = age <= FRESH_MS.past && age >= -FRESH_MS.ahead;
  return isFresh && said.channel === channel && mayClaim(said.actor.role, said.purpose);
}

function requestIn(body: string): string {
  const { request } = JSON.parse(body) as { request?: unknown };
  return typeof request === 'string' ? request : '';
}
