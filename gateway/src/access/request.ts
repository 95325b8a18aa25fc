/** Asks for access on the ledger: writes the record, and reads back from the committed state what was decided. */
import { randomBytes } from 'node:crypto';

import { transactions, type AccessRecord, type RequestAccess } from '@salus/chaincode/access/api';

import { Refusal } from '../ledger/refusal.js';
import { actorBytes } from '../ledger/vouched.js';
import type { Facts } from '../patient/lookup.js';
import type { Actor, Ledger } from '../ports.js';
import { projectedAccess } from './project.js';

/** How long the own projection may take to apply the block of an access, ms. */
const APPLIED_MS = 10_000;

/** The ledger, and what the own peer committed of it, as far as it is applied. */
export interface RequestPorts {
  readonly ledger: Pick<Ledger, 'submit'>;
  /** MSP ids of who may endorse an access together, if the gateway knows of enough. */
  readonly endorsers: () => readonly string[] | undefined;
  readonly projection: Pick<Facts, 'fact'> & { reached(block: number, timeoutMs: number): Promise<boolean> };
}

/** Who asks for what of whom, under which new id. */
export type AskedAccess = Pick<RequestAccess, 'aid' | 'pid' | 'scope' | 'breakGlass' | 'link' | 'custodian'>;

/** An id for a new access, hex. */
export function newAccessId(): string {
  return randomBytes(32).toString('hex');
}

/** The committed record, permitted or denied; `onOrdered` is told when it was ordered. Throws Refusal. */
export async function requestAccess(
  { ledger, endorsers, projection }: RequestPorts,
  actor: Actor,
  asked: AskedAccess,
  onOrdered?: () => void,
): Promise<AccessRecord> {
  const request: RequestAccess = { purpose: actor.purpose, ...asked, salt: randomBytes(32).toString('hex') };
  const atOnce = endorsers();
  const { block } = await ledger.submit({
    transaction: transactions.request,
    ...(atOnce === undefined ? {} : { atOnce }),
    ...(onOrdered === undefined ? {} : { onOrdered }),
    transient: { request: Buffer.from(JSON.stringify(request)), actor: actorBytes(actor) },
  });
  await projection.reached(block, APPLIED_MS);
  const record = projectedAccess(projection, asked.aid);
  if (record !== undefined) return record;
  throw new Refusal('unavailable', 'access-not-seen', 'what was decided is not known here yet: ask again');
}
