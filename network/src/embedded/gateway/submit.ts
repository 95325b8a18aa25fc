import { status } from '@grpc/grpc-js';
import { common, gateway } from '@hyperledger/fabric-protos';
import { RpcFailure } from '../rpc/failure.js';
import type { GatewayContext } from './context.js';

const STATUS_NAMES = new Map(Object.entries(common.Status).map(([name, code]) => [code as number, name]));

/** gateway.Gateway/Submit: hands the signed envelope to the orderer. */
export async function submit(bytes: Buffer, { channel, orderer }: GatewayContext): Promise<Buffer> {
  const request = gateway.SubmitRequest.deserializeBinary(bytes);
  const envelope = request.getPreparedTransaction();
  if (!envelope) throw new RpcFailure(status.INVALID_ARGUMENT, 'a prepared transaction is required');
  if (envelope.getSignature_asU8().length === 0) {
    throw new RpcFailure(status.INVALID_ARGUMENT, 'prepared transaction must be signed');
  }
  const channelId = request.getChannelId();
  if (channelId !== channel.id) {
    const text = `failed to get config for channel [${channelId}]: could not get last config for channel ${channelId}`;
    throw new RpcFailure(status.FAILED_PRECONDITION, text);
  }
  const verdict = await orderer.broadcast(Buffer.from(envelope.serializeBinary()));
  if (verdict.status !== common.Status.SUCCESS) throw refusal(verdict);
  return Buffer.from(new gateway.SubmitResponse().serializeBinary());
}

function refusal(verdict: { status: number; info: string }): RpcFailure {
  if (verdict.status >= 400 && verdict.status < 500) {
    const name = STATUS_NAMES.get(verdict.status) ?? String(verdict.status);
    const text = `received unsuccessful response from orderer: status=${name}, info=${verdict.info}`;
    return new RpcFailure(status.ABORTED, text);
  }
  return new RpcFailure(status.UNAVAILABLE, 'no orderers could successfully process transaction');
}
