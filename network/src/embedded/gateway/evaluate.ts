import { status } from '@grpc/grpc-js';
import { gateway, peer } from '@hyperledger/fabric-protos';
import { RpcFailure, type FailureDetail } from '../rpc/failure.js';
import type { GatewayContext } from './context.js';
import { askEndorser } from './endorser-answer.js';
import type { Peer } from './planner.js';
import { checkAddressed, unpackProposal, type ProposalParts } from './proposal.js';

/** gateway.Gateway/Evaluate: one peer simulates, the next one where it failed. */
export async function evaluate(bytes: Buffer, context: GatewayContext): Promise<Buffer> {
  const request = gateway.EvaluateRequest.deserializeBinary(bytes);
  const signed = request.getProposedTransaction();
  const parts = unpack(signed);
  if (parts.channelId !== context.channel.id) {
    const text = `failed to get config for channel [${parts.channelId}]: could not get last config for channel ${parts.channelId}`;
    throw new RpcFailure(status.UNAVAILABLE, text);
  }
  const peers = evaluators(parts, request.getTargetOrganizationsList(), context);
  const result = await firstAnswer(peers, Buffer.from(signed?.serializeBinary() ?? []), context);
  const response = new gateway.EvaluateResponse();
  response.setResult(result);
  return Buffer.from(response.serializeBinary());
}

function unpack(signed: peer.SignedProposal | undefined): ProposalParts {
  try {
    const parts = unpackProposal(signed);
    checkAddressed(parts);
    return parts;
  } catch (error) {
    const text = `failed to unpack transaction proposal: ${(error as Error).message}`;
    throw new RpcFailure(status.INVALID_ARGUMENT, text);
  }
}

function evaluators(parts: ProposalParts, targets: readonly string[], context: GatewayContext): readonly Peer[] {
  const guarded = parts.hasTransient && targets.length === 0;
  const organisations = guarded ? [context.local.endorser.mspId] : targets;
  const wanted =
    organisations.length === 0
      ? context.peers
      : context.peers.filter(({ endorser }) => organisations.includes(endorser.mspId));
  if (wanted.length > 0 && context.definition(parts.chaincode)) return wanted;
  const text = `no peers available to evaluate chaincode ${parts.chaincode} in channel ${parts.channelId}`;
  const protection =
    "no endorsers found in the gateway's organization; retry specifying target organization(s) to protect transient data: ";
  throw new RpcFailure(status.FAILED_PRECONDITION, guarded ? protection + text : text);
}

async function firstAnswer(
  peers: readonly Peer[],
  signedProposal: Buffer,
  context: GatewayContext,
): Promise<peer.Response> {
  const details: FailureDetail[] = [];
  let code: number = status.ABORTED;
  for (const asked of peers) {
    const answer = await askEndorser(asked, signedProposal, context.local);
    if (answer.ok) return resultOf(answer.response);
    details.push(answer.detail);
    code = answer.code;
    if (!answer.retry) {
      throw new RpcFailure(code, `evaluate call to endorser returned error: ${answer.detail.message}`, details);
    }
  }
  throw new RpcFailure(code, 'failed to evaluate transaction, see attached details for more info', details);
}

/** The result lies in the endorsed action; the response beside it need not carry it. */
function resultOf(proposalResponse: peer.ProposalResponse): peer.Response {
  const response = proposalResponse.getResponse() ?? new peer.Response();
  const payload = peer.ProposalResponsePayload.deserializeBinary(proposalResponse.getPayload_asU8());
  const action = peer.ChaincodeAction.deserializeBinary(payload.getExtension_asU8());
  response.setPayload(action.getResponse()?.getPayload_asU8() ?? new Uint8Array());
  return response;
}
