/** The further acts of a trial over HTTP: `POST ResearchStudy/{trial}/$<act>`, the contract's request as JSON text. */
import { randomBytes } from 'node:crypto';

import { transactions } from '@salus/chaincode/trial/api';

import { Refusal } from '../ledger/refusal.js';
import type { LedgerCall } from '../ports.js';
import type { Given } from '../fhir/parameters.js';

/** Transactions that have an operation of their own, or are no act upon a trial. */
const apart: readonly string[] = [
  ...[
    transactions.register,
    transactions.claim,
    transactions.newSecret,
    transactions.secret,
    transactions.enrol,
    transactions.unblindOne,
    transactions.lock,
    transactions.read,
    transactions.line,
    transactions.kits,
    transactions.tellArm,
  ],
];
/** Those whose request must not lie in a block. */
const hidden: readonly string[] = [transactions.keepArms];

/** Operations by their names, such as `$approve-version`, with their transactions. */
export const actOperations: ReadonlyMap<string, string> = new Map(
  Object.values(transactions)
    .filter((name) => !apart.includes(name))
    .map((name) => [name.replace('trial:', '$'), name]),
);

/** The call of an act; `request` is its one parameter, and the trial is the URL's. Throws Refusal invalid. */
export function actCall(transaction: string, trial: string, given: Given): LedgerCall {
  const request = { ...objectOf(given.text('request')), trial };
  if (!hidden.includes(transaction)) return { transaction, argument: JSON.stringify(request) };
  const salted = { ...request, salt: randomBytes(32).toString('hex') };
  return { transaction, transient: { request: Buffer.from(JSON.stringify(salted)) } };
}

/** The object that a text of JSON is. Throws Refusal invalid. */
export function objectOf(text: string): object {
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // said below
  }
  throw new Refusal('invalid', 'structure', 'request is the text of a JSON object');
}
