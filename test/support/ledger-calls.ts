/** What a conformance test says about a call in one line: operations in, results or a comparable failure out. */
import { isDeepStrictEqual } from 'node:util';
import { status } from '@grpc/grpc-js';
import {
  CommitError,
  GatewayError,
  type ProposalOptions,
  type Status,
  type Transaction,
} from '@hyperledger/fabric-gateway';
import type { Operation } from './chaincode/operations.js';
import type { TestClient } from './embedded-network.js';

/** What a failed call told the client, with ids masked so that it can be written down. */
export interface Failure {
  /** The error's class in the client library. */
  readonly error: string;
  /** Name of the gRPC code, or of the validation code of a commit. */
  readonly code: string;
  readonly message: string;
  /** Who said what, without addresses, in no order. */
  readonly details: readonly string[];
}

/** Options of a call besides its operations. */
export type CallOptions = Omit<ProposalOptions, 'arguments'>;

/** A proposal of operations. */
export function propose(client: TestClient, operations: readonly Operation[], options: CallOptions = {}) {
  return client.contract.newProposal('run', { ...options, arguments: [JSON.stringify(operations)] });
}

/** Evaluates operations; their results. */
export async function evaluate(
  client: TestClient,
  operations: readonly Operation[],
  options?: CallOptions,
): Promise<unknown[]> {
  return parse(await propose(client, operations, options).evaluate());
}

/** How often an endorsement is asked for again while peers differ in height, and how long between. */
const SETTLE = { tries: 300, pauseMs: 100 } as const;

/** Evaluates until the peer has what another peer committed; gives the last results when it never does. */
export async function evaluateOnceSeen(
  client: TestClient,
  operations: readonly Operation[],
  expected: readonly unknown[],
): Promise<unknown[]> {
  for (let tries = 1; ; tries++) {
    const results = await evaluate(client, operations);
    if (isDeepStrictEqual(results, expected) || tries === SETTLE.tries) return results;
    await new Promise((resolve) => setTimeout(resolve, SETTLE.pauseMs));
  }
}

/**
 * Endorses operations and leaves the transaction to the test. A commit's status comes from one peer and says nothing
 * about the others: while their answers differ, it is asked for again.
 */
export async function endorse(
  client: TestClient,
  operations: readonly Operation[],
  options?: CallOptions,
): Promise<Transaction> {
  for (let tries = 1; ; tries++) {
    try {
      return await propose(client, operations, options).endorse();
    } catch (error) {
      if (!isMismatch(error) || tries === SETTLE.tries) throw error;
      await new Promise((resolve) => setTimeout(resolve, SETTLE.pauseMs));
    }
  }
}

function isMismatch(error: unknown): boolean {
  return (
    error instanceof GatewayError &&
    error.details.some(({ message }) => message.startsWith('ProposalResponsePayloads do not match'))
  );
}

/** Endorses, submits and waits: the commit's status, whatever its code. */
export async function commit(
  client: TestClient,
  operations: readonly Operation[],
  options?: CallOptions,
): Promise<Status> {
  return (await (await endorse(client, operations, options)).submit()).getStatus();
}

/** Commits operations that must be valid. */
export async function submit(
  client: TestClient,
  operations: readonly Operation[],
  options?: CallOptions,
): Promise<Status> {
  const outcome = await commit(client, operations, options);
  if (outcome.successful) return outcome;
  throw new Error(`transaction ${outcome.transactionId} failed to commit with code ${outcome.code}`);
}

/** The failure a call must end in. */
export async function failureOf(call: Promise<unknown>): Promise<Failure> {
  const error = await call.then(
    (result) => {
      throw new Error(
        `the call succeeded: ${result instanceof Uint8Array ? Buffer.from(result).toString() : String(result)}`,
      );
    },
    (cause: unknown) => cause,
  );
  if (error instanceof GatewayError) {
    return {
      error: error.name,
      code: status[error.code] ?? String(error.code),
      message: masked(error.cause.details),
      details: error.details.map((detail) => `${detail.mspId}: ${masked(detail.message)}`).sort(),
    };
  }
  if (error instanceof CommitError) {
    return { error: error.name, code: String(error.code), message: masked(error.message), details: [] };
  }
  throw error;
}

/** Transaction ids, creators and addresses by what they are. */
export function masked(text: string): string {
  return text
    .replace(/\b[0-9a-f]{65,}\b/g, '<creator>')
    .replace(/\b[0-9a-f]{64}\b/g, '<id>')
    .replace(/127\.0\.0\.1:\d+/g, '<address>');
}

/** A result of the test chaincode. */
export function parse(bytes: Uint8Array): unknown[] {
  return JSON.parse(Buffer.from(bytes).toString()) as unknown[];
}
