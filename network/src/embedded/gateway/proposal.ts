import { common, peer } from '@hyperledger/fabric-protos';

/** A proposal as far as the gateway looks into it. */
export interface ProposalParts {
  readonly channelId: string;
  readonly chaincode: string;
  readonly hasTransient: boolean;
  readonly header: common.Header;
  /** peer.ChaincodeProposalPayload.input */
  readonly input: Uint8Array;
}

/** Takes a signed proposal apart. Throws an Error in Fabric's words when there is none or it is malformed. */
export function unpackProposal(signed: peer.SignedProposal | undefined): ProposalParts {
  const bytes = signed?.getProposalBytes_asU8();
  if (!bytes?.length) throw new Error('a signed proposal is required');
  const proposal = peer.Proposal.deserializeBinary(bytes);
  const header = common.Header.deserializeBinary(proposal.getHeader_asU8());
  const channel = common.ChannelHeader.deserializeBinary(header.getChannelHeader_asU8());
  const payload = peer.ChaincodeProposalPayload.deserializeBinary(proposal.getPayload_asU8());
  const spec = peer.ChaincodeInvocationSpec.deserializeBinary(payload.getInput_asU8()).getChaincodeSpec();
  return {
    channelId: channel.getChannelId(),
    chaincode: spec?.getChaincodeId()?.getName() ?? '',
    hasTransient: payload.getTransientmapMap().getLength() > 0,
    header,
    input: payload.getInput_asU8(),
  };
}

/** Refuses a proposal without channel or chaincode, as Evaluate does. */
export function checkAddressed({ channelId, chaincode }: ProposalParts): void {
  if (channelId === '') throw new Error('no channel id provided');
  if (chaincode === '') throw new Error(`no chaincode name is provided, channel id [${channelId}]`);
}

/** The unsigned envelope of an endorsed proposal, without its transient map. */
export function prepareTransaction(
  { header, input }: ProposalParts,
  responsePayload: Uint8Array,
  endorsements: readonly peer.Endorsement[],
): common.Envelope {
  const withoutTransient = new peer.ChaincodeProposalPayload();
  withoutTransient.setInput(input);
  const action = new peer.ChaincodeEndorsedAction();
  action.setProposalResponsePayload(responsePayload);
  action.setEndorsementsList(unique(endorsements));
  const actionPayload = new peer.ChaincodeActionPayload();
  actionPayload.setChaincodeProposalPayload(withoutTransient.serializeBinary());
  actionPayload.setAction(action);
  const transactionAction = new peer.TransactionAction();
  transactionAction.setHeader(header.getSignatureHeader_asU8());
  transactionAction.setPayload(actionPayload.serializeBinary());
  const transaction = new peer.Transaction();
  transaction.addActions(transactionAction);
  const payload = new common.Payload();
  payload.setHeader(header);
  payload.setData(transaction.serializeBinary());
  const envelope = new common.Envelope();
  envelope.setPayload(payload.serializeBinary());
  return envelope;
}

function unique(endorsements: readonly peer.Endorsement[]): peer.Endorsement[] {
  const byEndorser = new Map<string, peer.Endorsement>();
  for (const endorsement of endorsements) {
    const key = endorsement.getEndorser_asB64();
    if (!byEndorser.has(key)) byEndorser.set(key, endorsement);
  }
  return [...byEndorser.values()];
}
