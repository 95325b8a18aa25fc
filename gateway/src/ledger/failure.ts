/** What a failed call of the ledger means: a refusal, worth another try, or an outcome nobody knows yet. */
import { status } from '@grpc/grpc-js';
import { GatewayError } from '@hyperledger/fabric-gateway';

import { isDeclined, parseRefusal, Refusal } from './refusal.js';

/** A transaction was sent and its outcome is not known: ask again, never call it failed. */
export class OutcomeUnknown extends Error {
  constructor(
    readonly txId: string,
    options?: ErrorOptions,
  ) {
    super(`transaction ${txId} was sent; whether it is committed is not known yet`, options);
    this.name = 'OutcomeUnknown';
  }
}

/** What each reason for another try says. */
const REASONS = {
  conflict: 'endorsers saw different states',
  unavailable: 'the ledger is not reachable',
  undistributed: 'no other peer of the member takes the private value for now',
} as const;

/** Nothing was ordered and another try may succeed: a busy peer, endorsers at different heights. */
export class Retriable extends Error {
  constructor(
    readonly reason: keyof typeof REASONS,
    options?: ErrorOptions,
  ) {
    super(REASONS[reason], options);
    this.name = 'Retriable';
  }
}

/** Texts of Fabric that mean: endorsed on different states, the same proposal may agree a moment later. */
const DIFFERENT_STATES =
  /ProposalResponsePayloads do not match|private data matching public hash version is not available/;

/** The peer would endorse, but the further peers that must have a private value do not take it. */
const UNDISTRIBUTED = /failed to distribute private collection/;

/** Texts of a peer or chaincode process that is away for the moment. */
const AWAY =
  /chaincode stream terminated|could not launch chaincode|connection to .* failed|timeout expired|no leader|exceeding concurrency limit|No metadata was found for chaincode/;

const UNAVAILABLE: ReadonlySet<number> = new Set([
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
  status.CANCELLED,
]);

/** The peer's gateway finds fault with the request before it asks an orderer. */
const NEVER_SENT: ReadonlySet<number> = new Set([status.INVALID_ARGUMENT, status.FAILED_PRECONDITION]);
const ORDERER_SAID_NO = 'received unsuccessful response from orderer: status=';

/** Reads an error of evaluate or endorse: nothing was ordered. Returns Refusal, Retriable, or the error itself. */
export function readFailure(error: unknown): Error {
  if (!(error instanceof GatewayError)) return error instanceof Error ? error : new Error(String(error));
  const texts = [...error.details.map((detail) => detail.message), error.message];
  for (const text of texts) {
    const refusal = parseRefusal(text);
    if (refusal !== undefined) return refusal;
  }
  if (texts.some((text) => DIFFERENT_STATES.test(text))) return new Retriable('conflict', { cause: error });
  if (texts.some((text) => UNDISTRIBUTED.test(text))) return new Retriable('undistributed', { cause: error });
  if (UNAVAILABLE.has(error.code) || texts.some((text) => AWAY.test(text))) {
    return new Retriable('unavailable', { cause: error });
  }
  return new Refusal('unavailable', 'ledger-error', `the ledger refused the call (gRPC ${error.code})`, {
    cause: error,
  });
}

/** The contract's refusal at a peer of this member's own: an answer, since the policies ask that peer first, too. */
export function refusalOf(error: unknown, mspId: string): Refusal | undefined {
  if (!(error instanceof GatewayError)) return undefined;
  const own = error.details.filter((detail) => detail.mspId === mspId);
  return own.map(({ message }) => parseRefusal(message)).find((refusal) => isDeclined(refusal));
}

/** Whether an error of submit says that the orderer declined: then nothing was ordered by this call. */
export function declinedByOrderer(error: unknown): boolean {
  return error instanceof GatewayError && (NEVER_SENT.has(error.code) || error.message.includes(ORDERER_SAID_NO));
}
