/**
 * Brings what was opened while the ledger was away onto it, marked late: the access from both sides, the custodian's reason
 * and the patient's notice, and what was delivered. A side that does not come raises an alarm.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { MAX_FORMER, refuse, transactions, type AccessRecord, type Manifest } from '@salus/chaincode/access/api';
import type { MemberEntry } from '@salus/chaincode/registry/api';

import { projectedAccess } from '../access/project.js';
import { Refusal } from '../ledger/refusal.js';
import { byGateway } from '../ledger/vouched.js';
import type { Facts } from '../patient/lookup.js';
import type { Ledger } from '../ports.js';
import { formerEntries } from '../registry/project.js';
import { glassOf, isActOf } from './door.js';
import { accessOf, lateRequest, saidIn, type LateAct, type LateLog } from './late-log.js';
import { glassId, keepGlass, type GlassRecordPorts } from './record.js';
import type { GlassStore } from './store.js';

/** How long the other side may take to say the same, from when the ledger has the own side, ms. */
export const OTHER_SIDE_MS = 900_000;
/** Acts brought at once: an outage of hours leaves many. */
const AT_ONCE = 10;
/** Pause between looks whether the ledger is back, ms. */
const LOOK_MS = 2_000;

/** The log, the ledger, and the custodian's own record. */
export interface LateRecordingPorts extends GlassRecordPorts {
  readonly log: LateLog;
  readonly glass: GlassStore;
  readonly ledger: Pick<Ledger, 'submit'>;
  readonly isAway: () => Promise<boolean>;
  readonly facts: Pick<Facts, 'fact'>;
  /** Something that failed and is tried again. */
  readonly delayed: (what: string, error: unknown) => void;
  /** Never names a patient. */
  readonly alarm: (what: string, about: Readonly<Record<string, string>>) => void;
}

/** Goes on until the signal aborts, with what was kept before a restart, too. */
export async function recordLate(ports: LateRecordingPorts, signal: AbortSignal): Promise<void> {
  const { acts, deliveries } = ports.log;
  const failed = (error: unknown): boolean => {
    ports.delayed('late access', error);
    return false;
  };
  const onceThere = async (attempt: () => Promise<boolean>): Promise<boolean> =>
    (await isThere(ports, signal)) && (await attempt().catch(failed));
  await Promise.all([
    acts.goOn(signal, (id, act) => onceThere(() => brought(ports, id, act)), { atOnce: AT_ONCE }),
    deliveries.goOn(signal, (id, manifest) => onceThere(() => anchored(ports, id, manifest)), { atOnce: AT_ONCE }),
  ]);
}

/** Waits for the ledger: who only failed against it would be tried again ever more seldom. False when the signal aborts. */
async function isThere({ isAway }: LateRecordingPorts, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted && (await isAway().catch(() => true))) {
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
  return !signal.aborted;
}

/** Whether an act is on the ledger from every side. */
async function brought(ports: LateRecordingPorts, id: string, kept: LateAct): Promise<boolean> {
  // What the custodian keeps itself does not wait for what the ledger says of the request.
  const [told, act] = await Promise.allSettled([isTold(ports, kept), recorded(ports, id, kept)]);
  const own = valueOf(act);
  if (!valueOf(told) || own === undefined || !isMatched(ports, id, own)) return false;
  ports.log.acts.drop(id);
  return true;
}

/** The act with its own side on the ledger; undefined while it is not. */
async function recorded(ports: LateRecordingPorts, id: string, act: LateAct): Promise<LateAct | undefined> {
  if (act.recorded !== undefined) return act;
  const { log, alarm, now } = ports;
  const done = { ...act, recorded: Date.parse(now()) };
  try {
    await submitLate(ports, act);
  } catch (error) {
    if (!isCertain(error)) return undefined;
    if (error.code !== 'access-exists') {
      // Nobody else can say the same then; what this member keeps itself goes on its record all the same.
      const { aid } = saidIn(act);
      alarm('late-access-refused', { access: glassId(aid), code: error.code });
      // What is on record under this id may be of somebody else: nothing that was shown is anchored there.
      if (act.side === 'opened' && log.dropDelivered(aid)) alarm('manifest-not-anchored', { error: error.code });
      return kept(log, id, { ...done, awaited: [] });
    }
  }
  return kept(log, id, done);
}

/** By a key that the asking member has replaced since, with its entries before: they prove that the key was in force. */
async function submitLate({ ledger, facts }: LateRecordingPorts, act: LateAct): Promise<void> {
  const submit = async (formerly: readonly MemberEntry[]): Promise<void> => {
    const transient = byGateway(lateRequest(act.request, formerly));
    await ledger.submit({ transaction: transactions.late, transient });
  };
  try {
    await submit([]);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'signed-request-invalid') throw error;
    // The own projection may be a block behind its peer.
    await sleep(LOOK_MS);
    const formerly = formerEntries(facts, saidIn(act).member, MAX_FORMER);
    if (formerly.length === 0) throw error;
    await submit(formerly);
  }
}

/** Whether the reason is on the custodian's own record, and the patient told. */
async function isTold(ports: LateRecordingPorts, act: LateAct): Promise<boolean> {
  if (act.kept === undefined) return true;
  const { patient, text } = act.kept;
  const said = saidIn(act);
  const glass = glassOf(accessOf(said, ports.member), patient);
  const openedLate = said.at;
  const why = { reason: said.breakGlass.reasonCode, text, role: said.actor.role, signed: act.request, openedLate };
  // One that an attempt before wrote, the answer to which was lost, is found the next time.
  return (await keepGlass(ports, glass, why, 'queued')) === 'committed';
}

/** Whether all sides are there; the alarms of what is not as the log has it. */
function isMatched(ports: LateRecordingPorts, id: string, act: LateAct): boolean {
  const { aid } = saidIn(act);
  const { facts, member, alarm, now, log } = ports;
  const record = projectedAccess(facts, aid);
  const missing = act.awaited.filter((name) => record?.late?.heldBy.includes(name) !== true);
  if (missing.length === 0) {
    if (isDeniedNow(record, member)) alarm('late-access-denied', { access: glassId(aid) });
    return true;
  }
  const since = act.recorded ?? 0;
  if (act.isMissing === undefined && Date.parse(now()) - since > OTHER_SIDE_MS) {
    kept(log, id, { ...act, isMissing: true });
    alarm('late-access-unmatched', { access: glassId(aid), member: missing.join() });
  }
  return false;
}

/** What opened by the own log, and would not have by what the ledger had in the meantime. */
function isDeniedNow(record: AccessRecord | undefined, member: string): boolean {
  return record?.late?.heldBy.includes(member) === true && record.custodians[member]?.decision === 'deny';
}

/** Whether what was delivered is anchored, or never will be. */
async function anchored(ports: LateRecordingPorts, id: string, manifest: Manifest): Promise<boolean> {
  const { ledger, log, alarm, facts, glass } = ports;
  const { aid } = manifest;
  const record = projectedAccess(facts, aid);
  // The access comes on the ledger first.
  if (record === undefined && log.act(aid, 'opened') !== undefined) return false;
  if (record !== undefined && !isActOf(record, glass.of(aid))) {
    alarm('manifest-not-anchored', { error: 'late-differs' });
    log.deliveries.drop(id);
    return true;
  }
  try {
    await ledger.submit({ transaction: transactions.disclose, transient: byGateway({ manifests: [manifest] }) });
  } catch (error) {
    if (!isCertain(error)) return false;
    if (error.code !== 'manifest-exists') alarm('manifest-not-anchored', { error: error.code });
  }
  log.deliveries.drop(id);
  return true;
}

function kept(log: LateLog, id: string, act: LateAct): LateAct {
  log.acts.keep(id, act);
  return act;
}

/** Whether the contract declined this very request, or cannot read it: what is wrong with the caller, or the clocks, ends. */
function isCertain(error: unknown): error is Refusal {
  if (!(error instanceof Refusal) || ENDS.includes(error.code)) return false;
  return Object.hasOwn(refuse.codes, error.code) || error.category === 'invalid';
}

/** Refusals that end by themselves: once ticks have come, and once the ledger has the contract of this gateway. */
const ENDS: readonly string[] = ['opened-ahead', 'unknown-transaction'];

/** Throws what it failed with. */
function valueOf<T>(settled: PromiseSettledResult<T>): T {
  if (settled.status === 'rejected') throw settled.reason;
  return settled.value;
}
