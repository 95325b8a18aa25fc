/** Who is let through the door: the checks before anything is looked up. Whatever fails, the answer is the same. */
import { ACCESS_LIFETIME_MS, type AccessRecord, type AccessScope } from '@salus/chaincode/access/api';

import { patientParameters } from '../access/patient-parameters.js';
import { projectedAccess } from '../access/project.js';
import { TICK_FRESH_MS } from '../clock/away.js';
import { projectedTick } from '../clock/project.js';
import type { DisclosureFrame } from '../consent/decision.js';
import type { TrustedConsents } from '../consent/trusted.js';
import { isActOf } from '../glass/door.js';
import type { LateLog } from '../glass/late-log.js';
import type { GlassState, GlassStore, KeptGlass } from '../glass/store.js';
import type { Memory } from '../keys/memory.js';
import { parseSearch } from '../fhir/search-request.js';
import { typesAsked } from '../fhir/types-asked.js';
import { Refusal } from '../ledger/refusal.js';
import type { Facts, PatientLookup } from '../patient/lookup.js';
import type { Actor } from '../ports.js';
import { checkProof, type CheckedProof, type FindKey } from './proof.js';

/** How long an access that the own peer has not committed yet is waited for, ms: most often a moment is enough. */
const ACCESS_WAIT_MS = 1_300;

/** All that a caller is checked against: keys, the access record, and the consents that count here. */
export interface AdmissionPorts {
  readonly member: string;
  readonly trusted: TrustedConsents;
  /** The own peer's committed blocks, as far as they are applied. */
  readonly projection: Pick<Facts, 'fact'> & {
    readonly block: number;
    reached(block: number, timeoutMs: number): Promise<boolean>;
  };
  readonly lookup: PatientLookup;
  readonly memory: Memory;
  readonly findKey: FindKey;
  readonly glass: Pick<GlassStore, 'of'>;
  /** What the own log opened while the ledger was away, and the ledger may not have yet. */
  readonly late: Pick<LateLog, 'access'>;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** What came through the door. */
export interface DoorCall {
  readonly method: string;
  /** Full URL as the proof names it. */
  readonly url: string;
  /** Path below the base, and query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Member whose TLS certificate the caller showed. */
  readonly tlsMember: string;
  readonly accessId: string;
  readonly proof: string;
}

/** Let in: under which access, for whom, and what it is decided under. */
export interface Admitted {
  readonly record: AccessRecord;
  readonly actor: Actor;
  readonly frame: DisclosureFrame;
}

/** Lets a call in, or not. */
export async function admit(ports: AdmissionPorts, call: DoorCall): Promise<Admitted | undefined> {
  const record = await provenAccess(ports, call);
  if (record === undefined || !isExplained(ports, record)) return undefined;
  const { requester: member, purpose, actor } = record;
  const { user, role } = actor;
  const frame = frameOf(ports, record, call);
  if (frame === undefined) return undefined;
  return { record, actor: { member, user, role, purpose, scopes: SCOPES }, frame };
}

/** The access a call is made under, if the call is its own and in time; what it permits is not looked at yet. */
export async function provenAccess(ports: AdmissionPorts, call: DoorCall): Promise<AccessRecord | undefined> {
  const proof = provenBy(ports, call);
  if (proof === undefined || !isFirstUse(ports, proof)) return undefined;
  const record = await recordOf(ports, proof.aid);
  return record !== undefined && isOf(record, proof) && isTimely(ports, record) ? record : undefined;
}

function isFirstUse({ memory, clock }: AdmissionPorts, { jti, from, exp }: CheckedProof): boolean {
  return memory.takeOnce(jti, { from: from * 1000, expires: exp * 1000 }, clock());
}

/** Where the glass was broken, why must be on this member's record before anything is shown. */
function isExplained({ glass }: AdmissionPorts, record: AccessRecord): boolean {
  return record.purpose !== 'BTG' || isOpened(record, glass.of(record.aid));
}

/** Another member's act is `queued` where it opened while the ledger was away. */
const OPEN: readonly GlassState[] = ['open', 'queued'];

function isOpened(record: AccessRecord, kept: KeptGlass | undefined): boolean {
  return kept !== undefined && OPEN.includes(kept.state) && isActOf(record, kept);
}

/** Reading and searching: the frame says of what. */
const SCOPES = ['user/*.rs'];

function frameOf(ports: AdmissionPorts, record: AccessRecord, call: DoorCall): DisclosureFrame | undefined {
  const patient = ports.lookup.byPid(record.pid)?.custodians[ports.member]?.patientId;
  if (patient === undefined || record.custodians[ports.member]?.decision !== 'permit') return undefined;
  if (!isInScope(record.scope, patient, call)) return undefined;
  const readings = ports.trusted.toOthers(record.pid);
  return readings && { patient, types: record.scope.types, readings };
}

/** The proof, if it is for this very call, by the member at the other end of the line. */
function provenBy(ports: AdmissionPorts, call: DoorCall): CheckedProof | undefined {
  const proof = checkProof(call.proof, ports.findKey, ports.clock());
  if (proof?.member !== call.tlsMember || proof.aud !== ports.member) return undefined;
  if (proof.aid !== call.accessId || proof.htm !== call.method || proof.htu !== call.url) return undefined;
  return proof;
}

/** The access in the own peer's `care`, which may commit it a moment after the asker's peer did. */
async function recordOf({ projection, late }: AdmissionPorts, aid: string): Promise<AccessRecord | undefined> {
  const opened = late.access(aid);
  if (opened !== undefined) return opened;
  const until = performance.now() + ACCESS_WAIT_MS;
  for (;;) {
    const found = projectedAccess(projection, aid);
    const left = until - performance.now();
    if (found !== undefined || left <= 0) return found;
    await projection.reached(projection.block + 1, left);
  }
}

function isOf(record: AccessRecord, proof: CheckedProof): boolean {
  const { user, role } = record.actor;
  return record.requester === proof.member && user === proof.actor.user && role === proof.actor.role;
}

/** By a tick that the projection itself has applied: one that lags behind may not know of a withdrawal, and opens to nobody. */
function isTimely(ports: AdmissionPorts, record: AccessRecord): boolean {
  const now = ports.clock();
  // Opened by the own log: there were no ticks, and minutes are counted by the own clock from when it opened. What the
  // record says of that is the asker's word, and what is late and did not open here opens nothing.
  if (record.late !== undefined) return now - (ports.glass.of(record.aid)?.at ?? 0) <= ACCESS_LIFETIME_MS;
  const tick = projectedTick(ports.projection);
  return (
    tick !== undefined &&
    now - Date.parse(tick.time) <= TICK_FRESH_MS &&
    now - Date.parse(record.at) <= ACCESS_LIFETIME_MS
  );
}

/** Whether the call asks for nothing beyond the access's scope, and for this patient alone. */
function isInScope(scope: AccessScope, patient: string, { method, path, query }: DoorCall): boolean {
  const [type = '', id, operation, ...more] = path.split('/');
  if (method !== 'GET') return false;
  if (operation === '_history' && more.length < 2) return isInstance(scope, 'history', patient, [type, id]);
  if (more.length > 0) return false;
  if (operation !== undefined) return isEverything(scope, patient, type, id, operation);
  if (id !== undefined) return isInstance(scope, 'read', patient, [type, id]);
  return scope.interaction === 'search' && namesOnly(type, query, patient) && looksOnlyAt(scope.types, type, query);
}

/** Of a Patient this one alone; of any other type what is decided to be of this patient's record, whatever its id. */
function isInstance(
  scope: AccessScope,
  interaction: AccessScope['interaction'],
  patient: string,
  [type, id]: readonly [string, string | undefined],
): boolean {
  if (scope.interaction !== interaction || !scope.types.includes(type)) return false;
  return scope.id === undefined ? type !== 'Patient' || id === patient : id === scope.id;
}

function isEverything(scope: AccessScope, patient: string, type: string, id: string | undefined, operation: string) {
  return scope.interaction === 'everything' && type === 'Patient' && id === patient && operation === '$everything';
}

function namesOnly(type: string, query: URLSearchParams, patient: string): boolean {
  const named = patientParameters(type).flatMap((name) => query.getAll(name));
  return named.length > 0 && named.every((each) => each === patient || each === `Patient/${patient}`);
}

/**
 * Whether the search, what it asks of on the way (chains, `_has`) and what comes along are of types that the access is for:
 * of any other nothing would be found, which would tell of the record what it does not say.
 */
function looksOnlyAt(types: readonly string[], type: string, query: URLSearchParams): boolean {
  try {
    return typesAsked(parseSearch(type, query, 'strict').search).every((each) => types.includes(each));
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}
