/**
 * The arm of an emergency unblinding. The allocator's door gives it to the gateway of the site, sealed for the key that the
 * one person named on record signed (JWE, RFC 7516, ECDH-ES with A256GCM): no gateway but the allocator's sees it.
 */
import { parseTellArm, type ToldArm, transactions } from '@salus/chaincode/trial/api';
import { CompactEncrypt, importJWK } from 'jose';

import type { Heard } from '../door/server.js';
import { Refusal } from '../ledger/refusal.js';
import type { Ledger } from '../ports.js';

/** Path of the question below a door's base. */
export const ARM_PATH = '$trial-arm';
/** Characters to which an arm is padded before it is sealed: the length of a sealed one says nothing. */
const PADDED_ARM = 64;
const QUESTION_BYTES = 8_192;

/** What one asks another member's door; undefined where it shows nothing. Throws when it cannot be asked. */
type AskDoor = (member: string, path: string, question: object) => Promise<unknown>;

/** What the allocator's door hears of arms. Whatever is wrong, it shows nothing. */
export function armsHeard(ledger: Pick<Ledger, 'evaluate'>): Readonly<Record<string, Heard>> {
  return { [ARM_PATH]: { most: QUESTION_BYTES, hear: (teller, body) => hearQuestion(ledger, teller, body) } };
}

async function hearQuestion(
  ledger: Pick<Ledger, 'evaluate'>,
  teller: string,
  body: string,
): Promise<{ readonly sealed: string } | undefined> {
  try {
    const { to } = parseTellArm(JSON.parse(body) as unknown, 'question');
    const answer = await ledger.evaluate({ transaction: transactions.tellArm, argument: body });
    const { site, arm, kit } = JSON.parse(Buffer.from(answer).toString('utf8')) as ToldArm;
    return site === teller ? { sealed: await seal({ arm: arm.padEnd(PADDED_ARM), kit }, to) } : undefined;
  } catch {
    return undefined;
  }
}

async function seal(content: object, to: object): Promise<string> {
  return await new CompactEncrypt(Buffer.from(JSON.stringify(content)))
    .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
    .encrypt(await importJWK({ ...to }, 'ECDH-ES'));
}

/** The sealed arm, from the allocator. Throws Refusal not-found or unavailable; the unblinding stays on record. */
export async function askArm(ask: AskDoor, allocator: string, question: object): Promise<string> {
  let told: { readonly sealed?: string } | undefined;
  try {
    told = (await ask(allocator, ARM_PATH, question)) as typeof told;
  } catch {
    throw new Refusal('unavailable', 'allocator-away', 'the unblinding is on record; ask again for the arm');
  }
  if (told?.sealed === undefined) {
    const detail = 'the allocator shows nothing: the person named on record signs trial, stratum, slot and key';
    throw new Refusal('not-found', 'no-arm', detail);
  }
  return told.sealed;
}
