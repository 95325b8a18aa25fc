import { status } from '@grpc/grpc-js';
import { peer } from '@hyperledger/fabric-protos';
import { FabricError } from '../ports.js';

const { ChaincodeMessage } = peer;

/** The kinds of message between peer and chaincode. */
export const Type = ChaincodeMessage.Type;

const names = new Map(Object.entries(Type).map(([name, value]) => [value, name]));

/** Fabric's name of a message kind, as it stands in error texts. */
export function typeName(type: number): string {
  return names.get(type) ?? String(type);
}

/** A message of the peer within a transaction. */
export function transactionMessage(
  type: peer.ChaincodeMessage.TypeMap[keyof peer.ChaincodeMessage.TypeMap],
  transaction: { readonly channelId: string; readonly txId: string },
  payload: Uint8Array,
): peer.ChaincodeMessage {
  const message = new ChaincodeMessage();
  message.setType(type);
  message.setPayload(payload);
  message.setTxid(transaction.txId);
  message.setChannelId(transaction.channelId);
  return message;
}

/** A refusal in Fabric's own words; it reaches the chaincode or, as a 500 of the peer, the client. */
export function refusal(text: string): FabricError {
  return new FabricError(status.UNKNOWN, text);
}

/** Runs an action and puts what was being done in front of a refusal's text. */
export async function prefixed<T>(doing: string, action: () => T | Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof FabricError) throw new FabricError(error.code, `${doing}: ${error.message}`);
    throw error;
  }
}
