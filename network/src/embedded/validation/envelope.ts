import { createHash } from 'node:crypto';
import { common, peer } from '@hyperledger/fabric-protos';
import type { ConfiguredChannel } from '../channel/channel.js';
import { parseReadWriteSet, type NamespaceReadWriteSet } from '../rwset/parse.js';

/** peer.TxValidationCode. */
export const Code = peer.TxValidationCode;

/** The headers of an envelope as far as they can be read. */
export interface EnvelopeHeaders {
  readonly channel: common.ChannelHeader;
  readonly signature: common.SignatureHeader;
}

/** An endorsed transaction whose form holds: what the policies and the conflict checks need of it. */
export interface EndorsedTransaction {
  readonly txId: string;
  readonly chaincode: string;
  readonly sets: readonly NamespaceReadWriteSet[];
  /** peer.ProposalResponsePayload bytes, which endorsements sign together with the endorser. */
  readonly response: Buffer;
  readonly endorsements: readonly { readonly endorser: Buffer; readonly signature: Buffer }[];
}

/** An envelope of a block, checked in Fabric's order up to the proposal's hash. */
export type CheckedEnvelope =
  | { readonly code: number }
  | { readonly code: 0; readonly type: 'config'; readonly data: Buffer }
  | { readonly code: 0; readonly type: 'endorsed'; readonly headers: EnvelopeHeaders; readonly data: Buffer };

/** Header, creator's signature, transaction id, structure and proposal hash (core/common/validation). */
export function checkEnvelope(bytes: Buffer, channel: ConfiguredChannel): CheckedEnvelope {
  const envelope = parsed(() => common.Envelope.deserializeBinary(bytes));
  if (envelope === undefined) return { code: Code.INVALID_OTHER_REASON };
  const signed = Buffer.from(envelope.getPayload_asU8());
  const payload = parsed(() => common.Payload.deserializeBinary(signed));
  if (payload === undefined) return { code: Code.BAD_PAYLOAD };
  const headers = readHeaders(payload);
  if (headers === undefined || !isWellFormed(headers)) return { code: Code.BAD_COMMON_HEADER };
  if (!isSigned(headers, signed, Buffer.from(envelope.getSignature_asU8()), channel)) {
    return { code: Code.BAD_CREATOR_SIGNATURE };
  }
  const data = Buffer.from(payload.getData_asU8());
  switch (headers.channel.getType()) {
    case common.HeaderType.ENDORSER_TRANSACTION:
      return checkEndorsed(payload, headers, data);
    case common.HeaderType.CONFIG:
      return { code: 0, type: 'config', data };
    default:
      return { code: Code.UNSUPPORTED_TX_PAYLOAD };
  }
}

/** The transaction id by which the ledger finds an envelope: the header's, else the one that would be right. */
export function transactionId(bytes: Buffer): string | undefined {
  return parsed(() => {
    const payload = common.Payload.deserializeBinary(common.Envelope.deserializeBinary(bytes).getPayload_asU8());
    const headers = readHeaders(payload);
    return headers && (headers.channel.getTxId() || rightTransactionId(headers));
  });
}

/**
 * Reads what the dispatcher checks of a well-formed transaction, in its order: header extension, response payload,
 * read-write set, chaincode ids, event (v20/plugindispatcher/dispatcher.go). Returns the code of the first fault.
 */
export function readEndorsed(headers: EnvelopeHeaders, data: Buffer): EndorsedTransaction | number {
  const extension = parsed(() => peer.ChaincodeHeaderExtension.deserializeBinary(headers.channel.getExtension_asU8()));
  if (extension === undefined) return Code.BAD_HEADER_EXTENSION;
  const action = readAction(data);
  if (action === undefined) return Code.BAD_RESPONSE_PAYLOAD;
  const sets = parsed(() => parseReadWriteSet(action.result.getResults_asU8()));
  if (sets === undefined) return Code.BAD_RWSET;
  const fault = chaincodeFault(extension, action.result) ?? namespaceFault(sets);
  if (fault !== undefined) return fault;
  return {
    txId: headers.channel.getTxId(),
    chaincode: extension.getChaincodeId()?.getName() ?? '',
    sets,
    response: action.response,
    endorsements: action.endorsements.map((endorsement) => ({
      endorser: Buffer.from(endorsement.getEndorser_asU8()),
      signature: Buffer.from(endorsement.getSignature_asU8()),
    })),
  };
}

/** What an envelope's transaction read and wrote; nothing when it cannot be read. */
export function readWriteSetsOf(bytes: Buffer): NamespaceReadWriteSet[] {
  const sets = parsed(() => {
    const payload = common.Payload.deserializeBinary(common.Envelope.deserializeBinary(bytes).getPayload_asU8());
    const action = readAction(Buffer.from(payload.getData_asU8()));
    return action && parseReadWriteSet(action.result.getResults_asU8());
  });
  return sets ?? [];
}

function readHeaders(payload: common.Payload): EnvelopeHeaders | undefined {
  const header = payload.getHeader();
  if (header === undefined) return undefined;
  return parsed(() => ({
    channel: common.ChannelHeader.deserializeBinary(header.getChannelHeader_asU8()),
    signature: common.SignatureHeader.deserializeBinary(header.getSignatureHeader_asU8()),
  }));
}

function isWellFormed({ channel, signature }: EnvelopeHeaders): boolean {
  const { CONFIG, CONFIG_UPDATE, ENDORSER_TRANSACTION } = common.HeaderType;
  return (
    [CONFIG, CONFIG_UPDATE, ENDORSER_TRANSACTION].some((type) => type === channel.getType()) &&
    channel.getEpoch() === 0 &&
    isSignatureHeader(signature)
  );
}

function isSignatureHeader(header: common.SignatureHeader): boolean {
  return header.getNonce_asU8().length > 0 && header.getCreator_asU8().length > 0;
}

function isSigned(headers: EnvelopeHeaders, message: Buffer, signature: Buffer, channel: ConfiguredChannel): boolean {
  if (headers.channel.getChannelId() !== channel.id) return false;
  try {
    return channel.identity(Buffer.from(headers.signature.getCreator_asU8())).verify(message, signature);
  } catch {
    return false;
  }
}

function checkEndorsed(payload: common.Payload, headers: EnvelopeHeaders, data: Buffer): CheckedEnvelope {
  if (headers.channel.getTxId() !== rightTransactionId(headers)) return { code: Code.BAD_PROPOSAL_TXID };
  const channelHeader = payload.getHeader()?.getChannelHeader_asU8() ?? new Uint8Array();
  const holds = parsed(() => proposalHashHolds(Buffer.from(channelHeader), data)) ?? false;
  return holds ? { code: 0, type: 'endorsed', headers, data } : { code: Code.INVALID_ENDORSER_TRANSACTION };
}

function rightTransactionId({ signature }: EnvelopeHeaders): string {
  return createHash('sha256').update(signature.getNonce_asU8()).update(signature.getCreator_asU8()).digest('hex');
}

function proposalHashHolds(channelHeader: Buffer, data: Buffer): boolean {
  const actions = peer.Transaction.deserializeBinary(data).getActionsList();
  const [action] = actions;
  if (action === undefined || actions.length !== 1) return false;
  if (!isSignatureHeader(common.SignatureHeader.deserializeBinary(action.getHeader_asU8()))) return false;
  const payload = peer.ChaincodeActionPayload.deserializeBinary(action.getPayload_asU8());
  const response = peer.ProposalResponsePayload.deserializeBinary(
    payload.getAction()?.getProposalResponsePayload_asU8() ?? new Uint8Array(),
  );
  const proposal = peer.ChaincodeProposalPayload.deserializeBinary(payload.getChaincodeProposalPayload_asU8());
  proposal.getTransientmapMap().clear();
  const hash = createHash('sha256')
    .update(channelHeader)
    .update(action.getHeader_asU8())
    .update(proposal.serializeBinary())
    .digest();
  return hash.equals(response.getProposalHash_asU8());
}

interface Action {
  readonly response: Buffer;
  readonly result: peer.ChaincodeAction;
  readonly endorsements: readonly peer.Endorsement[];
}

function readAction(data: Buffer): Action | undefined {
  return parsed(() => {
    const [first] = peer.Transaction.deserializeBinary(data).getActionsList();
    const action = first && peer.ChaincodeActionPayload.deserializeBinary(first.getPayload_asU8()).getAction();
    if (action === undefined) return undefined;
    const response = Buffer.from(action.getProposalResponsePayload_asU8());
    const extension = peer.ProposalResponsePayload.deserializeBinary(response).getExtension_asU8();
    if (response.length === 0 || extension.length === 0) return undefined;
    const result = peer.ChaincodeAction.deserializeBinary(extension);
    return { response, result, endorsements: action.getEndorsementsList() };
  });
}

function chaincodeFault(extension: peer.ChaincodeHeaderExtension, result: peer.ChaincodeAction): number | undefined {
  const [invoked, acted] = [extension.getChaincodeId(), result.getChaincodeId()];
  if (invoked === undefined || acted === undefined) return Code.INVALID_OTHER_REASON;
  const name = invoked.getName();
  if (name === '' || name !== acted.getName() || acted.getVersion() === '') return Code.INVALID_CHAINCODE;
  const eventBytes = result.getEvents_asU8();
  if (eventBytes.length === 0) return undefined;
  const event = parsed(() => peer.ChaincodeEvent.deserializeBinary(eventBytes));
  return event?.getChaincodeId() === name ? undefined : Code.INVALID_OTHER_REASON;
}

function namespaceFault(sets: readonly NamespaceReadWriteSet[]): number | undefined {
  const names = new Set(sets.map(({ namespace }) => namespace));
  return names.size === sets.length ? undefined : Code.ILLEGAL_WRITESET;
}

function parsed<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
