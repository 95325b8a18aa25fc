import { join } from 'node:path';
import { common, peer } from '@hyperledger/fabric-protos';
import { PeerEndorser } from '../endorser/endorser.js';
import type { MemberPeer } from '../endorser/distribution.js';
import { FabricError } from '../ports.js';
import type { Ledger } from '../ledger.js';
import { readLines } from './recorded-chain.js';
import { Difference, Recording, type RecordedMessage } from './recorded-stream.js';

/** Chaincodes of the recorded chain that are of the second package; the others are of the first. */
const SECOND_PACKAGE = new Set(['two']);

/** A simulation of a real peer: what it was asked, what it and the chaincode said to each other, what it answered. */
export interface RecordedSimulation {
  readonly n: number;
  readonly label: string;
  /** MSP id of the peer. */
  readonly org: string;
  /** Number of blocks committed when it ran. */
  readonly height: number;
  /** peer.SignedProposal. */
  readonly proposal: Buffer;
  readonly messages: readonly RecordedMessage[];
  /** peer.ProposalResponse. */
  readonly response?: Buffer;
  readonly error?: { readonly code: number; readonly message: string };
}

/** The simulations a folder of vectors holds, ordered by height. */
export function readSimulations(folder: string): RecordedSimulation[] {
  return readLines(join(folder, 'simulations.jsonl.gz')).map(parseLine);
}

interface Line {
  n: number;
  label: string;
  org: string;
  height: number;
  proposal: string;
  messages: { from: RecordedMessage['from']; stream: string; bytes: string }[];
  response?: string;
  error?: { code: number; message: string };
}

function parseLine(text: string): RecordedSimulation {
  const { proposal, messages, response, ...rest } = JSON.parse(text) as Line;
  return {
    ...rest,
    proposal: Buffer.from(proposal, 'base64'),
    messages: messages.map((message) => ({ ...message, bytes: Buffer.from(message.bytes, 'base64') })),
    ...(response === undefined ? {} : { response: Buffer.from(response, 'base64') }),
  };
}

/** How replayed simulations compare with the recorded ones. */
export interface SimulationTally {
  equal: number;
  /** What differed, a sentence each. */
  readonly differences: string[];
}

/** Replays simulations on the embedded ledger's endorser and compares every message and the answer, byte for byte. */
export class SimulationReplay {
  readonly tally: SimulationTally = { equal: 0, differences: [] };
  readonly #peers: readonly MemberPeer[];

  constructor(private readonly recorded: readonly RecordedSimulation[]) {
    this.#peers = endorsersIn(recorded);
  }

  /** Plays what ran at a height of the chain; the hook of replayBlocks. */
  async at(ledger: Ledger, height: number): Promise<void> {
    for (const simulation of this.recorded) {
      if (simulation.height !== height) continue;
      const difference = await this.#difference(ledger, simulation);
      if (difference === undefined) this.tally.equal++;
      else this.tally.differences.push(`simulation ${simulation.n} (${simulation.label}): ${difference}`);
    }
  }

  async #difference(ledger: Ledger, recorded: RecordedSimulation): Promise<string | undefined> {
    const recording = new Recording(recorded.messages);
    const outcome = await this.#process(ledger, recorded, recording);
    if (outcome instanceof Difference) return outcome.message;
    if (!recording.complete) return `only ${recording.played} of ${recorded.messages.length} messages were exchanged`;
    return compare(recorded, outcome);
  }

  async #process(
    ledger: Ledger,
    recorded: RecordedSimulation,
    recording: Recording,
  ): Promise<Buffer | FabricError | Difference> {
    const endorser = new PeerEndorser({
      extras: true,
      mspId: recorded.org,
      address: '',
      // The recorded peer's key is not ours: its signature is compared with nothing.
      signer: { identity: identityOf(this.#peers, recorded.org), sign: () => Buffer.alloc(0) },
      chain: ledger.chain,
      channel: () => ledger.channel(),
      definition: (chaincode, snapshot) => ledger.definition(chaincode, snapshot),
      stream: (chaincode) => Promise.resolve(recording.stream(SECOND_PACKAGE.has(chaincode) ? 'b' : 'a')),
      // What is to be committed comes with the recording.
      transient: { put: () => undefined, get: () => [] },
      peers: this.#peers,
      now: () => timeOf(recorded.proposal),
    });
    try {
      return await endorser.process(recorded.proposal);
    } catch (error) {
      if (error instanceof FabricError || error instanceof Difference) return error;
      throw error;
    }
  }
}

function endorsersIn(recorded: readonly RecordedSimulation[]): MemberPeer[] {
  const identities = new Map<string, Buffer>();
  for (const { org, response } of recorded) {
    const endorsement = response && peer.ProposalResponse.deserializeBinary(response).getEndorsement();
    if (endorsement) identities.set(org, Buffer.from(endorsement.getEndorser_asU8()));
  }
  return [...identities].map(([mspId, identity]) => ({ mspId, identity }));
}

function identityOf(peers: readonly MemberPeer[], org: string): Buffer {
  return peers.find(({ mspId }) => mspId === org)?.identity ?? Buffer.alloc(0);
}

/** The recorded certificates' validity is judged at the time of the proposal. */
function timeOf(proposal: Buffer): Date {
  try {
    const bytes = peer.SignedProposal.deserializeBinary(proposal).getProposalBytes_asU8();
    const header = common.Header.deserializeBinary(peer.Proposal.deserializeBinary(bytes).getHeader_asU8());
    const channelHeader = common.ChannelHeader.deserializeBinary(header.getChannelHeader_asU8());
    return channelHeader.getTimestamp()?.toDate() ?? new Date();
  } catch {
    return new Date();
  }
}

function compare(recorded: RecordedSimulation, outcome: Buffer | FabricError): string | undefined {
  if (outcome instanceof FabricError) {
    const now = `${outcome.code} ${outcome.message}`;
    const then = recorded.error ? `${recorded.error.code} ${spaced(recorded.error.message)}` : 'a response';
    return now === then ? undefined : `recorded ${then}, now ${now}`;
  }
  if (!recorded.response) return `recorded a refusal, ${recorded.error?.message ?? ''}, now a response`;
  return compareResponses(
    peer.ProposalResponse.deserializeBinary(recorded.response),
    peer.ProposalResponse.deserializeBinary(outcome),
  );
}

function compareResponses(theirs: peer.ProposalResponse, ours: peer.ProposalResponse): string | undefined {
  const checks: [string, (response: peer.ProposalResponse) => string][] = [
    ['version', (one) => String(one.getVersion())],
    ['response', (one) => JSON.stringify(one.getResponse()?.toObject())],
    ['endorser', (one) => one.getEndorsement()?.getEndorser_asB64() ?? ''],
    ['payload', (one) => one.getPayload_asB64()],
    ['interest', (one) => interestOf(one)],
  ];
  for (const [what, read] of checks) {
    if (spaced(read(theirs)) !== spaced(read(ours))) return `${what}: recorded ${read(theirs)}, now ${read(ours)}`;
  }
  return undefined;
}

/** Fabric lists the calls of an interest, and a call's key policies, in no order. */
function interestOf(response: peer.ProposalResponse): string {
  const calls = response.getInterest()?.getChaincodesList();
  if (!calls) return '';
  const ordered = calls.map((call) => {
    const policies = call.getKeyPoliciesList().map((policy) => Buffer.from(policy.serializeBinary()).toString('hex'));
    return JSON.stringify({ ...call.toObject(), keyPoliciesList: policies.sort() });
  });
  return ordered.sort().join();
}

/** Go's protobuf library puts a no-break space into some of its error texts, at random. */
function spaced(text: string): string {
  return text.replaceAll('\u00a0', ' ');
}
