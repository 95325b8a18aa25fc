import { Metadata, status } from '@grpc/grpc-js';
import { gateway, google } from '@hyperledger/fabric-protos';
import anyMessages from 'google-protobuf/google/protobuf/any_pb.js';
import { FabricError } from '../ports.js';

/** Which node refused, and why: gateway.ErrorDetail. */
export interface FailureDetail {
  readonly address: string;
  readonly mspId: string;
  readonly message: string;
}

/** A call's end with a gRPC code, Fabric's text and what single nodes said. */
export class RpcFailure extends FabricError {
  constructor(
    code: number,
    message: string,
    readonly details: readonly FailureDetail[] = [],
  ) {
    super(code, message);
    this.name = 'RpcFailure';
  }
}

/** Trailer in which gRPC carries google.rpc.Status. */
const DETAILS_TRAILER = 'grpc-status-details-bin';
const DETAIL_TYPE = 'type.googleapis.com/gateway.ErrorDetail';

/** How a call ends; code is a grpc.status. */
export interface CallStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

/** The gRPC status of an error. What is no FabricError is a defect of this program: INTERNAL, and it is logged. */
export function statusOf(error: unknown, log: (line: string) => void): CallStatus {
  if (!(error instanceof FabricError)) {
    log(`internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return {
      code: status.INTERNAL,
      details: 'internal error of the embedded ledger; its log says more',
      metadata: new Metadata(),
    };
  }
  const metadata = new Metadata();
  if (error instanceof RpcFailure && error.details.length > 0) metadata.set(DETAILS_TRAILER, encode(error));
  return { code: error.code, details: error.message, metadata };
}

function encode(failure: RpcFailure): Buffer {
  const encoded = new google.rpc.Status();
  encoded.setCode(failure.code);
  encoded.setMessage(failure.message);
  for (const { address, mspId, message } of failure.details) {
    const detail = new gateway.ErrorDetail();
    detail.setAddress(address);
    detail.setMspId(mspId);
    detail.setMessage(message);
    const any = new anyMessages.Any();
    any.setTypeUrl(DETAIL_TYPE);
    any.setValue(detail.serializeBinary());
    encoded.addDetails(any);
  }
  return Buffer.from(encoded.serializeBinary());
}
