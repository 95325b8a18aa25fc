/** Transactions no honest peer would make, for networks that are thrown away: endorsed with the peers' own keys. */
import { createHash, randomBytes } from 'node:crypto';
import { common, ledger, peer } from '@hyperledger/fabric-protos';
import type { Signer } from '@salus/network/embedded/ports';
import timestamps from 'google-protobuf/google/protobuf/timestamp_pb.js';

/** What of the transaction is not as it should be; the rest is. */
export interface Craft {
  readonly endorsers: readonly Signer[];
  readonly headerType?: number;
  readonly epoch?: number;
  readonly txId?: string;
  readonly nonce?: Buffer;
  /** Chaincode named in the header; null leaves the id out. */
  readonly headerChaincode?: string | null;
  /** Chaincode named in the action; null leaves the id out. */
  readonly actionChaincode?: string | null;
  readonly version?: string;
  /** Namespaces with writes of keys and values; none is a transaction that touches nothing. */
  readonly writes?: readonly (readonly [namespace: string, key: string, value: string])[];
  readonly reads?: readonly (readonly [namespace: string, key: string, version?: readonly [number, number]])[];
  /** Instead of writes and reads. */
  readonly results?: Buffer;
  readonly status?: number;
  readonly eventChaincode?: string;
  readonly proposalHash?: Buffer;
  /** The response payload without its extension. */
  readonly withoutAction?: boolean;
  /** How many times the action stands in the transaction; 1 is right. */
  readonly actions?: number;
  /** Changes an endorsement's signature. */
  readonly bend?: (signature: Buffer, index: number) => Buffer;
}

/** A crafted transaction, signed by its creator, and its id. */
export function craft(creator: Signer, parts: Craft): { readonly envelope: common.Envelope; readonly txId: string } {
  const nonce = parts.nonce ?? randomBytes(24);
  const txId = parts.txId ?? createHash('sha256').update(nonce).update(creator.identity).digest('hex');
  const channelHeader = channelHeaderOf(parts, txId).serializeBinary();
  const signatureHeader = new common.SignatureHeader();
  signatureHeader.setCreator(creator.identity);
  signatureHeader.setNonce(nonce);
  const header = new common.Header();
  header.setChannelHeader(channelHeader);
  header.setSignatureHeader(signatureHeader.serializeBinary());
  const proposalPayload = proposalPayloadOf().serializeBinary();
  const hash = createHash('sha256')
    .update(channelHeader)
    .update(signatureHeader.serializeBinary())
    .update(proposalPayload)
    .digest();
  const action = new peer.TransactionAction();
  action.setHeader(signatureHeader.serializeBinary());
  action.setPayload(actionPayload(parts, proposalPayload, responsePayload(parts, txId, hash)).serializeBinary());
  const transaction = new peer.Transaction();
  transaction.setActionsList(Array.from({ length: parts.actions ?? 1 }, () => action));
  const payload = new common.Payload();
  payload.setHeader(header);
  payload.setData(transaction.serializeBinary());
  const envelope = new common.Envelope();
  envelope.setPayload(payload.serializeBinary());
  envelope.setSignature(creator.sign(Buffer.from(payload.serializeBinary())));
  return { envelope, txId };
}

function channelHeaderOf(parts: Craft, txId: string): common.ChannelHeader {
  const extension = new peer.ChaincodeHeaderExtension();
  if (parts.headerChaincode !== null) extension.setChaincodeId(chaincodeId(parts.headerChaincode ?? 'salus'));
  const header = new common.ChannelHeader();
  header.setType(parts.headerType ?? common.HeaderType.ENDORSER_TRANSACTION);
  header.setEpoch(parts.epoch ?? 0);
  header.setChannelId('health');
  header.setTxId(txId);
  header.setTimestamp(timestamps.Timestamp.fromDate(new Date()));
  header.setExtension$(extension.serializeBinary());
  return header;
}

function proposalPayloadOf(): peer.ChaincodeProposalPayload {
  const input = new peer.ChaincodeInput();
  input.setArgsList([Buffer.from('run'), Buffer.from('[]')]);
  const spec = new peer.ChaincodeSpec();
  spec.setChaincodeId(chaincodeId('salus'));
  spec.setInput(input);
  const invocation = new peer.ChaincodeInvocationSpec();
  invocation.setChaincodeSpec(spec);
  const payload = new peer.ChaincodeProposalPayload();
  payload.setInput(invocation.serializeBinary());
  return payload;
}

function responsePayload(parts: Craft, txId: string, hash: Buffer): Buffer {
  const payload = new peer.ProposalResponsePayload();
  payload.setProposalHash(parts.proposalHash ?? hash);
  if (!parts.withoutAction) payload.setExtension$(chaincodeAction(parts, txId).serializeBinary());
  return Buffer.from(payload.serializeBinary());
}

function chaincodeAction(parts: Craft, txId: string): peer.ChaincodeAction {
  const response = new peer.Response();
  response.setStatus(parts.status ?? 200);
  const action = new peer.ChaincodeAction();
  action.setResponse(response);
  action.setResults(parts.results ?? readWriteSet(parts));
  if (parts.actionChaincode !== null) {
    const id = chaincodeId(parts.actionChaincode ?? 'salus');
    id.setVersion(parts.version ?? '0.1.0');
    action.setChaincodeId(id);
  }
  if (parts.eventChaincode !== undefined) {
    const event = new peer.ChaincodeEvent();
    event.setChaincodeId(parts.eventChaincode);
    event.setTxId(txId);
    event.setEventName('crafted');
    action.setEvents(event.serializeBinary());
  }
  return action;
}

/** rwset.TxReadWriteSet, namespaces and keys in the order given. */
export function readWriteSet({ writes = [], reads = [] }: Pick<Craft, 'writes' | 'reads'>): Buffer {
  const set = new ledger.rwset.TxReadWriteSet();
  for (const namespace of new Set([...reads, ...writes].map(([name]) => name))) {
    const inner = new ledger.rwset.kvrwset.KVRWSet();
    for (const [name, key, version] of reads) {
      if (name === namespace) inner.addReads(keyRead(key, version));
    }
    for (const [name, key, value] of writes) {
      if (name !== namespace) continue;
      const write = inner.addWrites();
      write.setKey(key);
      write.setValue(Buffer.from(value));
    }
    const outer = set.addNsRwset();
    outer.setNamespace(namespace);
    outer.setRwset(inner.serializeBinary());
  }
  return Buffer.from(set.serializeBinary());
}

function keyRead(key: string, version?: readonly [number, number]): ledger.rwset.kvrwset.KVRead {
  const read = new ledger.rwset.kvrwset.KVRead();
  read.setKey(key);
  if (version) {
    const height = new ledger.rwset.kvrwset.Version();
    height.setBlockNum(version[0]);
    height.setTxNum(version[1]);
    read.setVersion(height);
  }
  return read;
}

function actionPayload(parts: Craft, proposalPayload: Uint8Array, response: Buffer): peer.ChaincodeActionPayload {
  const endorsed = new peer.ChaincodeEndorsedAction();
  endorsed.setProposalResponsePayload(response);
  endorsed.setEndorsementsList(
    parts.endorsers.map((endorser, index) => {
      const signature = endorser.sign(Buffer.concat([response, endorser.identity]));
      const endorsement = new peer.Endorsement();
      endorsement.setEndorser(endorser.identity);
      endorsement.setSignature(parts.bend ? parts.bend(signature, index) : signature);
      return endorsement;
    }),
  );
  const payload = new peer.ChaincodeActionPayload();
  payload.setChaincodeProposalPayload(proposalPayload);
  payload.setAction(endorsed);
  return payload;
}

function chaincodeId(name: string): peer.ChaincodeID {
  const id = new peer.ChaincodeID();
  id.setName(name);
  return id;
}
