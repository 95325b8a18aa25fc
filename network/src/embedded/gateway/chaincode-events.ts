import { status } from '@grpc/grpc-js';
import { common, gateway, orderer, type peer } from '@hyperledger/fabric-protos';
import type { ReadBlock } from '../deliver/block-cache.js';
import { RpcFailure } from '../rpc/failure.js';
import type { Outlet } from '../rpc/handlers.js';
import { checkRequest } from './access.js';
import type { GatewayContext } from './context.js';

const VALID = 0;

/** gateway.Gateway/ChaincodeEvents: events of valid transactions, a message for each block with any. */
export async function chaincodeEvents(bytes: Buffer, context: GatewayContext, outlet: Outlet): Promise<void> {
  const request = authorised(bytes, context);
  const matches = matcher(request);
  for (let number = startBlock(request, context); ; number++) {
    await context.commits.untilHeight(number + 1, outlet.signal);
    const block = outlet.signal.aborted ? undefined : context.blocks.block(number);
    if (!block) return;
    const events = eventsOf(block).filter(matches);
    if (events.length === 0) continue;
    const response = new gateway.ChaincodeEventsResponse();
    response.setBlockNumber(number);
    response.setEventsList(events);
    await outlet.send(Buffer.from(response.serializeBinary()));
  }
}

function authorised(bytes: Buffer, { channel }: GatewayContext): gateway.ChaincodeEventsRequest {
  const signed = gateway.SignedChaincodeEventsRequest.deserializeBinary(bytes);
  const data = Buffer.from(signed.getRequest_asU8());
  if (data.length === 0) throw new RpcFailure(status.INVALID_ARGUMENT, 'a chaincode events request is required');
  const request = gateway.ChaincodeEventsRequest.deserializeBinary(data);
  const identity = Buffer.from(request.getIdentity_asU8());
  const signature = Buffer.from(signed.getSignature_asU8());
  checkRequest(channel, request.getChannelId(), 'gateway/ChaincodeEvents', { identity, data, signature });
  return request;
}

function startBlock(request: gateway.ChaincodeEventsRequest, { chain }: GatewayContext): number {
  const after = request.getAfterTransactionId();
  const position = after === '' ? undefined : chain.transaction(after);
  return position?.block ?? seekBlock(request.getStartPosition(), chain.height);
}

function seekBlock(start: orderer.SeekPosition | undefined, height: number): number {
  const { TYPE_NOT_SET, NEXT_COMMIT, SPECIFIED } = orderer.SeekPosition.TypeCase;
  if (!start) return height;
  switch (start.getTypeCase()) {
    case TYPE_NOT_SET:
    case NEXT_COMMIT:
      return height;
    case SPECIFIED:
      return start.getSpecified()?.getNumber() ?? 0;
    default:
      throw new RpcFailure(status.INVALID_ARGUMENT, `invalid start position type: ${goType(start)}`);
  }
}

function goType(position: orderer.SeekPosition): string {
  return `*orderer.SeekPosition_${position.hasOldest() ? 'Oldest' : 'Newest'}`;
}

function eventsOf(block: ReadBlock): peer.ChaincodeEvent[] {
  return block.transactions
    .filter(({ type, code }) => type === common.HeaderType.ENDORSER_TRANSACTION && code === VALID)
    .flatMap(({ events }) => events ?? []);
}

/** After a transaction id everything up to and including that transaction's event is passed over. */
function matcher(request: gateway.ChaincodeEventsRequest): (event: peer.ChaincodeEvent) => boolean {
  const [chaincode, after] = [request.getChaincodeId(), request.getAfterTransactionId()];
  let passed = after === '';
  return (event) => {
    if (passed) return event.getChaincodeId() === chaincode;
    passed = event.getTxId() === after;
    return false;
  };
}
