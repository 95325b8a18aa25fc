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

import type { MemberEntry } from '@salus/chaincode/registry/api';

import { Errands } from '../errands.js';
import { inTransaction } from '../keys/database.js';
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
    private readonly keys: KeyStore,
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

  /** Acts of a side that the ledger does not have from every side yet, by access id. */
  open(side: LateAct['side']): ReadonlyMap<string, LateAct> {
    const kind = ACT + actId('', { side });
    return new Map(this.#pending.list<LateAct>(kind).map(({ id, value }) => [id.slice(kind.length), value]));
  }

  /** One of these. */
  act(aid: string, side: LateAct['side']): LateAct | undefined {
    return this.#pending.get(ACT + actId(aid, { side })) as LateAct | undefined;
  }

  /** Keeps what the own door opened, if `takes` is true, in one transaction with what that keeps; false where it is known. */
  opens(aid: string, act: LateAct, takes: () => boolean): boolean {
    return inTransaction(this.keys.database, () => {
      const isKnown = this.act(aid, 'asked') !== undefined || this.act(aid, 'opened') !== undefined;
      if (isKnown || !takes()) return false;
      this.acts.keep(actId(aid, act), act);
      return true;
    });
  }

  /** The access under which the own door opened, as far as the log has it still; undefined = it opened none of this id. */
  access(aid: string): AccessRecord | undefined {
    const act = this.act(aid, 'opened');
    return act && accessOf(saidIn(act), this.member);
  }

  /** Forgets what was delivered under an access and is not anchored; whether there was any. */
  dropDelivered(aid: string): boolean {
    const found = this.#pending.list<Manifest>(DELIVERY).filter(({ value }) => value.aid === aid);
    for (const { id } of found) this.#pending.drop(id);
    return found.length > 0;
  }
}

/** Id of an act in the log: who asks chooses the access id, so what it asks and what own staff asked are two under one. */
export function actId(aid: string, { side }: Pick<LateAct, 'side'>): string {
  return `${side}/${aid}`;
}

/** What the contract is given to record an act, with entries of the asking member before the one in force. */
export function lateRequest(request: string, formerly: readonly MemberEntry[] = []): LateAccess {
  return { request, ...(formerly.length > 0 && { formerly }), salt: randomBytes(32).toString('hex') };
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
