/** Refusals as data: what the chaincode, the ledger or the gateway itself declines, and why. */

import { decodeRefusal, type Category } from '@salus/chaincode/registry/api';

/** The categories a refusal can have; one table maps them to HTTP. */
export type RefusalCategory = Category;

/** A request declined: a category for machines, a code from a closed list per domain, a detail for people. */
export class Refusal extends Error {
  constructor(
    readonly category: RefusalCategory,
    /** Such as `version-conflict`; never holds patient data. */
    readonly code: string,
    readonly detail: string,
    options?: ErrorOptions,
  ) {
    super(`${category}/${code}: ${detail}`, options);
    this.name = 'Refusal';
  }
}

/** Whether an error is a refusal of this code. */
export function isRefusal(error: unknown, code: string): error is Refusal {
  return error instanceof Refusal && error.code === code;
}

/** Whether an error says for certain that the ledger declined: what is unavailable may have taken effect, or may yet. */
export function isDeclined(error: unknown): error is Refusal {
  return error instanceof Refusal && error.category !== 'unavailable';
}

/** Codes of what is unavailable where the call ended for good without being ordered, or was voided by the peers. */
const ENDED = ['ledger-error', 'ledger-unreachable', 'endorsers-behind', 'orderer-declined', 'transaction-invalid'];

/** Whether an error says for certain that a submitted call took no effect and will take none, declined or not. */
export function isWithoutEffect(error: unknown): error is Refusal {
  return isDeclined(error) || (error instanceof Refusal && ENDED.includes(error.code));
}

/** What a parser of the contracts makes of a value; its refusal is the gateway's own here. */
export function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw (error instanceof Error ? parseRefusal(error.message) : undefined) ?? error;
  }
}

/** Finds the chaincode's encoded refusal (JSON) in a text of Fabric's, such as `chaincode response 500, {...}`. */
export function parseRefusal(text: string): Refusal | undefined {
  const found = decodeRefusal(text);
  return found && new Refusal(found.category, found.code, found.detail);
}
