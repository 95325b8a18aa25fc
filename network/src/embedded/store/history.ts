import { common, peer } from '@hyperledger/fabric-protos';
import { parseReadWriteSet } from '../rwset/parse.js';
import type { HistoryEntry } from '../ports.js';

/** What a committed envelope wrote to a public key, or undefined when it did not write it. */
export function historyEntry(envelope: Uint8Array, namespace: string, key: string): HistoryEntry | undefined {
  const payload = common.Payload.deserializeBinary(common.Envelope.deserializeBinary(envelope).getPayload_asU8());
  const header = common.ChannelHeader.deserializeBinary(
    payload.getHeader()?.getChannelHeader_asU8() ?? new Uint8Array(),
  );
  const written = parseReadWriteSet(resultsOf(payload.getData_asU8()))
    .filter((set) => set.namespace === namespace)
    .flatMap((set) => set.public.getWritesList())
    .findLast((write) => write.getKey() === key);
  if (written === undefined) return undefined;
  const value = Buffer.from(written.getValue_asU8());
  const isDelete = written.getIsDelete() || value.length === 0;
  return {
    txId: header.getTxId(),
    value: isDelete ? Buffer.alloc(0) : value,
    timestamp: Buffer.from(header.getTimestamp()?.serializeBinary() ?? new Uint8Array()),
    isDelete,
  };
}

function resultsOf(data: Uint8Array): Uint8Array {
  const [action] = peer.Transaction.deserializeBinary(data).getActionsList();
  const payload = peer.ChaincodeActionPayload.deserializeBinary(action?.getPayload_asU8() ?? new Uint8Array());
  const response = peer.ProposalResponsePayload.deserializeBinary(
    payload.getAction()?.getProposalResponsePayload_asU8() ?? new Uint8Array(),
  );
  return peer.ChaincodeAction.deserializeBinary(response.getExtension_asU8()).getResults_asU8();
}
