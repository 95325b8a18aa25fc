/** The door's side of break-glass: nothing is shown under such an access before why is on this member's own record. */
import { isSummary, type AccessRecord } from '@salus/chaincode/access/api';
import { mayAskAtAll, type AccessRequest } from '@salus/chaincode/consent/decide';

import type { TrustedConsents } from '../consent/trusted.js';
import type { PatientLookup } from '../patient/lookup.js';
import type { Directory } from '../registry/directory.js';
import { GLASS_REASONS, keepGlass, MAX_GLASS_TEXT, type GlassRecordPorts } from './record.js';
import type { Glass, GlassState, GlassStore, KeptGlass } from './store.js';

/** Where a door is given the reason for a break-glass access, below DOOR_BASE. */
export const BREAK_GLASS_PATH = '$break-glass';

/** What a custodian checks and keeps before it opens. */
export interface GlassDoorPorts extends GlassRecordPorts {
  readonly glass: GlassStore;
  readonly lookup: PatientLookup;
  readonly trusted: Pick<TrustedConsents, 'toOthers'>;
  readonly directory: Pick<Directory, 'roles'>;
  /** Tells the privacy officer at once. */
  readonly onGlass: (glass: Glass, state: GlassState) => void;
}

/** Hears why the glass is broken; how it stands then. Undefined for what must not be opened, and for what is no reason. */
export async function hearGlass(
  ports: GlassDoorPorts,
  record: AccessRecord,
  body: string,
): Promise<{ readonly state: 'open' | 'waiting' | 'refused' } | undefined> {
  // What is recorded late was opened, or not, by the log: the record opens nothing more.
  if (record.late !== undefined) return undefined;
  const text = textIn(body);
  const patient = ports.lookup.byPid(record.pid)?.custodians[ports.member]?.patientId;
  if (text === undefined || patient === undefined || !isBreakable(ports, record)) return undefined;
  return await taken(ports, record, glassOf(record, patient), text);
}

async function taken(ports: GlassDoorPorts, { breakGlass, actor }: AccessRecord, glass: Glass, text: string) {
  const state = ports.glass.take(glass);
  if (state === 'open') return { state } as const;
  if (state !== 'taken' && state !== 'waiting') return { state: 'refused' } as const;
  const why = { reason: breakGlass?.reasonCode ?? '', text, role: actor.role };
  if ((await keepGlass(ports, glass, why, state)) !== 'committed') return undefined;
  if (state === 'taken') ports.glass.open(glass.aid);
  ports.onGlass(glass, state);
  return { state: state === 'taken' ? 'open' : 'waiting' } as const;
}

/** What the contract checked, checked again: two members that collude could have written the record themselves. */
export function isBreakable(
  { member, directory, trusted, now }: Pick<GlassDoorPorts, 'member' | 'directory' | 'trusted' | 'now'>,
  record: AccessRecord,
): boolean {
  const { purpose, requester, custodians } = record;
  if (custodians[member]?.decision !== 'permit' || !directory.roles(requester).includes('hospital')) return false;
  if (!isWellFormed(record)) return false;
  const readings = trusted.toOthers(record.pid);
  const request: AccessRequest = { custodian: member, member: requester, ...record.actor, purpose, action: 'access' };
  return readings?.every((consents) => mayAskAtAll(request, consents, now()).outcome === 'permit') ?? false;
}

function isWellFormed({ breakGlass, purpose, scope }: AccessRecord): boolean {
  if (purpose !== 'BTG' || breakGlass === undefined) return false;
  if (!(GLASS_REASONS as readonly string[]).includes(breakGlass.reasonCode)) return false;
  return breakGlass.follows !== undefined || isSummary(scope);
}

/** The act that an access stands for. */
export function glassOf({ aid, pid, requester, actor, at, breakGlass }: AccessRecord, patient: string): Glass {
  const follows = breakGlass?.follows;
  const base = { aid, pid, patient, member: requester, user: actor.user, at: Date.parse(at) };
  return follows === undefined ? base : { ...base, follows };
}

/**
 * Whether an access is for the act that this member kept: what it opened by its own log, somebody may have put on the ledger
 * under the same id as something else.
 */
export function isActOf({ pid, requester, actor, breakGlass, scope, late }: AccessRecord, kept?: KeptGlass): boolean {
  const isSame = kept?.pid === pid && kept.member === requester && kept.user === actor.user;
  if (!isSame || kept.isLate !== (late !== undefined)) return false;
  return kept.follows === breakGlass?.follows && (kept.follows !== undefined || isSummary(scope));
}

/** The reason in words of a body; undefined where it has none. */
export function textIn(body: string): string | undefined {
  try {
    const { text } = JSON.parse(body) as { text?: unknown };
    return typeof text === 'string' && text !== '' && text.length <= MAX_GLASS_TEXT ? text : undefined;
  } catch {
    return undefined;
  }
}
