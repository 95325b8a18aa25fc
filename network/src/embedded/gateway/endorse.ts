import { status } from '@grpc/grpc-js';
import { gateway, peer } from '@hyperledger/fabric-protos';
import { RpcFailure, type FailureDetail } from '../rpc/failure.js';
import { Collector, type Endorsed } from './collector.js';
import type { GatewayContext } from './context.js';
import { askEndorser, type Answer } from './endorser-answer.js';
import { PlanFailure, planForOrganisations, type Peer, type Plan } from './planner.js';
import { prepareTransaction, unpackProposal, type ProposalParts } from './proposal.js';

const FIRST_FAILED = 'failed to endorse transaction, see attached details for more info';
const LATER_FAILED = 'failed to collect enough transaction endorsements, see attached details for more info';

interface Request {
  readonly parts: ProposalParts;
  readonly signedProposal: Buffer;
}

/** gateway.Gateway/Endorse: collects endorsements and returns the envelope for the client to sign. */
export async function endorse(bytes: Buffer, context: GatewayContext): Promise<Buffer> {
  const request = gateway.EndorseRequest.deserializeBinary(bytes);
  const organisations = request.getEndorsingOrganizationsList();
  const asked = unpack(request.getProposedTransaction());
  const endorsed = await (organisations.length > 0
    ? endorseBy(organisations, asked, context)
    : endorseByPolicy(asked, context));
  const response = new gateway.EndorseResponse();
  response.setPreparedTransaction(prepareTransaction(asked.parts, endorsed.responsePayload, endorsed.endorsements));
  return Buffer.from(response.serializeBinary());
}

function unpack(signed: peer.SignedProposal | undefined): Request {
  try {
    return { parts: unpackProposal(signed), signedProposal: Buffer.from(signed?.serializeBinary() ?? []) };
  } catch (error) {
    const missing = !signed?.getProposalBytes_asU8().length;
    const text = missing ? 'the proposed transaction must contain a signed proposal' : (error as Error).message;
    throw new RpcFailure(status.INVALID_ARGUMENT, text);
  }
}

/** The client names the organisations and answers for the policy itself. */
async function endorseBy(
  organisations: readonly string[],
  request: Request,
  context: GatewayContext,
): Promise<Endorsed> {
  const plan = planForOrganisations(organisations, candidates(request, context));
  if (!('layouts' in plan)) {
    throw new RpcFailure(status.UNAVAILABLE, `failed to find any endorsing peers for org(s): ${plan.join(', ')}`);
  }
  return complete(collector(plan, request, context));
}

/** The own organisation simulates first; what it read and wrote says who else must endorse. */
async function endorseByPolicy(request: Request, context: GatewayContext): Promise<Endorsed> {
  checkDefined(request.parts, context);
  const first = await firstEndorsement(request, context);
  const interest = interestOf(first.response, request.parts.chaincode);
  const plan = protectedPlan(interest, request.parts.hasTransient, context, first.peer);
  const collecting = collector(plan, request, context);
  collecting.take(first.peer, { ok: true, response: first.response });
  return complete(collecting);
}

function checkDefined({ channelId, chaincode }: ProposalParts, context: GatewayContext): void {
  if (channelId === '') throw new RpcFailure(status.FAILED_PRECONDITION, '');
  if (channelId === context.channel.id && context.definition(chaincode)) return;
  const why = new PlanFailure(`No metadata was found for chaincode ${chaincode} in channel ${channelId}`);
  throw new RpcFailure(status.FAILED_PRECONDITION, why.message);
}

async function firstEndorsement(
  { signedProposal }: Request,
  context: GatewayContext,
): Promise<{ peer: Peer; response: peer.ProposalResponse }> {
  const failures: FailureDetail[] = [];
  for (const own of context.ownPeers) {
    const answer = await askEndorser(own, signedProposal, context.local);
    if (answer.ok) return { peer: own, response: answer.response };
    failures.push(answer.detail);
  }
  throw new RpcFailure(status.ABORTED, FIRST_FAILED, failures);
}

function interestOf(response: peer.ProposalResponse, chaincode: string): peer.ChaincodeInterest {
  const interest = response.getInterest();
  if (interest && interest.getChaincodesList().length > 0) return interest;
  const call = new peer.ChaincodeCall();
  call.setName(chaincode);
  const bare = new peer.ChaincodeInterest();
  bare.addChaincodes(call);
  return bare;
}

/**
 * With transient data only members of the collections concerned may be asked, although they are merely written to:
 * every endorser sees the transient map.
 */
function protectedPlan(
  interest: peer.ChaincodeInterest,
  hasTransient: boolean,
  context: GatewayContext,
  first: Peer,
): Plan {
  const written = hasTransient ? interest.getChaincodesList().filter((call) => call.getNoPrivateReads()) : [];
  const collections = written.flatMap((call) => call.getCollectionNamesList());
  for (const call of written) call.setNoPrivateReads(false);
  try {
    return context.planner.plan(interest, first);
  } catch (error) {
    for (const call of written) call.setNoPrivateReads(true);
    throw planRefusal(error, collections, interest, context);
  }
}

function planRefusal(
  error: unknown,
  collections: readonly string[],
  interest: peer.ChaincodeInterest,
  context: GatewayContext,
): unknown {
  if (!(error instanceof PlanFailure)) return error;
  if (collections.length > 0 && plannable(interest, context)) {
    const names = `[${collections.join(' ')}]`;
    return new RpcFailure(
      status.FAILED_PRECONDITION,
      `requires endorsement from organisation(s) that are not in the distribution policy of the private data collection(s): ${names}; retry specifying trusted endorsing organizations to protect transient data`,
    );
  }
  return new RpcFailure(status.FAILED_PRECONDITION, error.message);
}

function plannable(interest: peer.ChaincodeInterest, context: GatewayContext): boolean {
  try {
    context.planner.plan(interest);
    return true;
  } catch {
    return false;
  }
}

function collector(plan: Plan, { signedProposal }: Request, context: GatewayContext): Collector {
  return new Collector(plan, (asked): Promise<Answer> => askEndorser(asked, signedProposal, context.local));
}

async function complete(collecting: Collector): Promise<Endorsed> {
  const endorsed = await collecting.collect();
  if (!endorsed) throw new RpcFailure(status.ABORTED, LATER_FAILED, collecting.failures);
  return endorsed;
}

/** Peers that have the chaincode: every one of the channel, once it is defined. */
function candidates({ parts }: Request, { channel, definition, peers }: GatewayContext): readonly Peer[] {
  return parts.channelId === channel.id && definition(parts.chaincode) ? peers : [];
}
