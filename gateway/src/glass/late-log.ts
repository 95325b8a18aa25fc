/**
 * The log of break-glass between members while the ledger is away: in keys.db, sealed, on disk (fsync) when kept, and
 * shared by the member's gateways. An act stays until the ledger has it from every side.
 */
import { randomBytes } from 'node:crypto';

import {
  parseSignedLate,
  type AccessRecord,
  type LateAccess,
  type Manifest,
  type SignedLate,
} from '@salus/chaincode/access/api';

import { Errands } from '../errands.js';
import type { KeyStore } from '../keys/key-store.js';
import { ANY_GATEWAY, PendingWork } from '../keys/pending-work.js';

const ACT = 'glass-late/';
const DELIVERY = 'glass-late-delivery/';

/** One act, on the way to the ledger. */
export interface LateAct {
  /** `asked` at other members' doors by own staff, `opened` to another member. */
  readonly side: 'asked' | 'opened';
  /** Compact JWS over a SignedLate, by the key of the member that asks. */
  readonly request: string;
  /** What the custodian keeps: whose record, FHIR id, and why, in words. */
  readonly kept?: { readonly patient: string; readonly text: string };
  /** Members that must say the same on the ledger: who asked, or who is known to have opened. */
  readonly awaited: readonly string[];
  /** When the ledger got the own side, ms since 1970. */
  readonly recorded?: number;
  /** Another side did not come in time. */
  readonly isMissing?: true;
}

/** The acts of a member, and what was delivered under them. */
export class LateLog {
  readonly acts: Errands<LateAct>;
  readonly deliveries: Errands<Manifest>;
  readonly #pending: PendingWork;

  constructor(
    keys: KeyStore,
    private readonly member: string,
  ) {
    this.#pending = new PendingWork(keys, ANY_GATEWAY);
    this.acts = new Errands(this.#pending, ACT);
    this.deliveries = new Errands(this.#pending, DELIVERY);
  }

  /** Keeps what was delivered; on disk when it returns. */
  readonly delivered = (manifest: Manifest): void => {
    this.deliveries.keep(manifest.manifestId, manifest);
  };

  /** Acts that the ledger does not have from every side yet, by access id. */
  open(): ReadonlyMap<string, LateAct> {
    return new Map(this.#pending.list<LateAct>(ACT).map(({ id, value }) => [id.slice(ACT.length), value]));
  }

  /** The access under which the own door opened, as far as the log has it still; undefined = it opened none of this id. */
  access(aid: string): AccessRecord | undefined {
    const act = this.#pending.list<LateAct>(ACT + aid)[0]?.value;
    return act?.side === 'opened' ? accessOf(saidIn(act), this.member) : undefined;
  }
}

/** What the contract is given to record an act. */
export function lateRequest(request: string): LateAccess {
  return { request, salt: randomBytes(32).toString('hex') };
}

/** What an act's request says; its signature was verified, or made, before it was kept. */
export function saidIn({ request }: Pick<LateAct, 'request'>): SignedLate {
  return parseSignedLate(JSON.parse(Buffer.from(request.split('.')[1] ?? '', 'base64url').toString('utf8')), 'late');
}

/** A late request as the custodian's own access: every resource is still decided on by itself. */
export function accessOf(said: SignedLate, custodian: string): AccessRecord {
  const { aid, pid, member: requester, actor, purpose, scope, breakGlass, at } = said;
  const permitted = { decision: 'permit', path: 'late', obligations: [] } as const;
  return {
    ...{ aid, pid, requester, actor, purpose, scope, breakGlass, at },
    late: { opened: at, request: '', heldBy: [custodian] },
    decision: 'permit',
    custodians: { [custodian]: permitted },
    consents: [],
    inputHash: '',
  };
}
