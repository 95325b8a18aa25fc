import { status } from '@grpc/grpc-js';
import { peer } from '@hyperledger/fabric-protos';
import { FabricError } from '../ports.js';
import type { FailureDetail } from '../rpc/failure.js';
import type { Peer } from './planner.js';

/** What an endorser said to a proposal. */
export type Answer =
  | { readonly ok: true; readonly response: peer.ProposalResponse }
  | {
      readonly ok: false;
      /** grpc.status an Evaluate answers with. */
      readonly code: number;
      readonly detail: FailureDetail;
      /** Whether an Evaluate asks the next peer. */
      readonly retry: boolean;
    };

/** Names of the gRPC codes as Go prints them in the text of an error from a remote peer. */
const GO_CODE_NAMES = new Map<number, string>(
  Object.entries({
    Canceled: status.CANCELLED,
    Unknown: status.UNKNOWN,
    InvalidArgument: status.INVALID_ARGUMENT,
    DeadlineExceeded: status.DEADLINE_EXCEEDED,
    NotFound: status.NOT_FOUND,
    AlreadyExists: status.ALREADY_EXISTS,
    PermissionDenied: status.PERMISSION_DENIED,
    ResourceExhausted: status.RESOURCE_EXHAUSTED,
    FailedPrecondition: status.FAILED_PRECONDITION,
    Aborted: status.ABORTED,
    OutOfRange: status.OUT_OF_RANGE,
    Unimplemented: status.UNIMPLEMENTED,
    Internal: status.INTERNAL,
    Unavailable: status.UNAVAILABLE,
    DataLoss: status.DATA_LOSS,
    Unauthenticated: status.UNAUTHENTICATED,
  }).map(([name, code]) => [code as number, name]),
);

/** Has one peer simulate the proposal and says what its answer means to a gateway. */
export async function askEndorser(asked: Peer, signedProposal: Buffer, local: Peer): Promise<Answer> {
  const isLocal = asked === local;
  try {
    const bytes = await asked.endorser.process(signedProposal, { local: isLocal });
    return judge(asked, peer.ProposalResponse.deserializeBinary(bytes));
  } catch (error) {
    if (!(error instanceof FabricError)) throw error;
    return isLocal
      ? failure(asked, status.FAILED_PRECONDITION, error.message, false)
      : failure(asked, status.UNAVAILABLE, remoteText(error), true);
  }
}

/** Status with which a peer itself, not the chaincode, says that it failed. */
const PEER_FAILURE = 500;

function judge(asked: Peer, response: peer.ProposalResponse): Answer {
  const { status: code = 0, message = '' } = response.getResponse()?.toObject() ?? {};
  if (code >= 200 && code < 400) return { ok: true, response };
  if (code === PEER_FAILURE && response.getPayload_asU8().length === 0) {
    return failure(asked, status.ABORTED, message, true);
  }
  return failure(asked, status.UNKNOWN, `chaincode response ${code}, ${message}`, false);
}

function failure({ endorser }: Peer, code: number, message: string, retry: boolean): Answer {
  return { ok: false, code, retry, detail: { address: endorser.address, mspId: endorser.mspId, message } };
}

function remoteText({ code, message }: FabricError): string {
  return `rpc error: code = ${GO_CODE_NAMES.get(code) ?? 'Unknown'} desc = ${message}`;
}
