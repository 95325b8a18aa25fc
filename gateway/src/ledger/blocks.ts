/** Turns Fabric's blocks (protos.BlockAndPrivateData) into what the gateway reads of them. */
import { common, msp, peer } from '@hyperledger/fabric-protos';

import type { Held, LedgerBlock, LedgerTransaction } from '../ports.js';
import { blockDataHash, blockHeaderHash } from './header-hash.js';
import { decodeReads, decodeWrites, NOTHING_ELSEWHERE, privateWritesOf, type PrivateWrites } from './writes.js';

/** A block whose own hashes do not hold, or that Fabric could not have made. */
export class BlockError extends Error {
  constructor(
    readonly block: number,
    what: string,
  ) {
    super(`block ${block}: ${what}; the peer is not to be trusted, do not go on from here`);
    this.name = 'BlockError';
  }
}

/** Validation code of a transaction that took effect (protos.TxValidationCode). */
export const VALID = 0;
const FILTER = common.BlockMetadataIndex.TRANSACTIONS_FILTER;
const COMMIT_HASH = common.BlockMetadataIndex.COMMIT_HASH;

/**
 * Decodes a block with the private data its reader may see; writes of namespaces other than `chaincode` are left out,
 * those of collections that are not `held` here only counted. Throws BlockError when the data hash is not that of
 * the data, or a flag is missing.
 */
export function decodeBlock(
  message: peer.BlockAndPrivateData,
  chaincode: string,
  held: Held = everything,
): LedgerBlock {
  const block = message.getBlock();
  if (block === undefined) throw new BlockError(-1, 'no block in the message');
  const sets = message.getPrivateDataMapMap();
  const privateOf = (index: number): PrivateWrites | undefined => {
    const set = sets.get(index);
    return set === undefined ? undefined : privateWritesOf(set, chaincode);
  };
  return decodeBareBlock(block, chaincode, { privateOf, held });
}

const everything: Held = () => true;

interface PrivateSide {
  readonly privateOf: (index: number) => PrivateWrites | undefined;
  readonly held: Held;
}

const NO_PRIVATE_DATA: PrivateSide = { privateOf: () => undefined, held: everything };

/** As decodeBlock, for a block delivered without private data. */
export function decodeBareBlock(
  block: common.Block,
  chaincode: string,
  side: PrivateSide = NO_PRIVATE_DATA,
): LedgerBlock {
  const header = block.getHeader();
  if (header === undefined) throw new BlockError(-1, 'no header');
  const number = header.getNumber();
  const envelopes = block.getData()?.getDataList_asU8() ?? [];
  const dataHash = header.getDataHash_asU8();
  if (!blockDataHash(envelopes).equals(dataHash)) throw new BlockError(number, 'its data is not what its header says');
  const metadata = block.getMetadata()?.getMetadataList_asU8() ?? [];
  const flags = metadata[FILTER] ?? new Uint8Array();
  if (flags.length !== envelopes.length) throw new BlockError(number, 'validation flags are missing');
  return {
    number,
    hash: blockHeaderHash(number, header.getPreviousHash_asU8(), dataHash).toString('hex'),
    previousHash: hex(header.getPreviousHash_asU8()),
    dataHash: hex(dataHash),
    commitHash: commitHash(number, metadata[COMMIT_HASH]),
    transactions: envelopes.map((envelope, index) =>
      decodeTransaction({ ...side, number, index, code: flags[index] ?? 255, envelope, chaincode }),
    ),
  };
}

function commitHash(number: number, metadata: Uint8Array | undefined): string {
  const value = metadata === undefined ? undefined : common.Metadata.deserializeBinary(metadata).getValue_asU8();
  if (value?.length !== 32 && number > 0) throw new BlockError(number, 'commit hash is missing');
  return value === undefined ? '' : hex(value);
}

interface RawTransaction extends PrivateSide {
  readonly number: number;
  readonly index: number;
  readonly code: number;
  readonly envelope: Uint8Array;
  readonly chaincode: string;
}

function decodeTransaction(raw: RawTransaction): LedgerTransaction {
  try {
    return decodeEnvelope(raw);
  } catch (error) {
    if (raw.code === VALID) throw error;
    // Whoever may write can have junk ordered: the peers flagged it, it has no effect and need not be readable.
    return { ...nothing(raw), txId: '', timestamp: '', creatorMspId: '' };
  }
}

function nothing(
  raw: RawTransaction,
): Pick<LedgerTransaction, 'index' | 'code' | 'endorsers' | 'transaction' | 'argument' | 'writes' | 'elsewhere'> {
  return {
    index: raw.index,
    code: raw.code,
    endorsers: [],
    transaction: '',
    argument: '',
    writes: [],
    elsewhere: NOTHING_ELSEWHERE,
  };
}

function decodeEnvelope(raw: RawTransaction): LedgerTransaction {
  const payload = common.Payload.deserializeBinary(common.Envelope.deserializeBinary(raw.envelope).getPayload_asU8());
  const header = payload.getHeader();
  if (header === undefined) throw new BlockError(raw.number, `transaction ${raw.index} has no header`);
  const channel = common.ChannelHeader.deserializeBinary(header.getChannelHeader_asU8());
  const creator = common.SignatureHeader.deserializeBinary(header.getSignatureHeader_asU8()).getCreator_asU8();
  const base = {
    ...nothing(raw),
    txId: channel.getTxId(),
    timestamp: channel.getTimestamp()?.toDate().toISOString() ?? '',
    creatorMspId: mspIdOf(creator),
  };
  if (channel.getType() !== common.HeaderType.ENDORSER_TRANSACTION) return base;
  return { ...base, ...decodeAction(payload.getData_asU8(), raw) };
}

type ActionParts = Pick<LedgerTransaction, 'endorsers' | 'transaction' | 'argument' | 'writes' | 'elsewhere' | 'reads'>;

function decodeAction(data: Uint8Array, raw: RawTransaction): Partial<ActionParts> {
  const action = peer.Transaction.deserializeBinary(data).getActionsList()[0];
  if (action === undefined) return {};
  const body = peer.ChaincodeActionPayload.deserializeBinary(action.getPayload_asU8());
  const endorsed = body.getAction();
  const invoked = invocation(body.getChaincodeProposalPayload_asU8(), raw.chaincode);
  const endorsers = endorsed?.getEndorsementsList().map((each) => mspIdOf(each.getEndorser_asU8())) ?? [];
  // A write that did not take effect is none: readers cannot mistake it for one.
  if (raw.code !== VALID || endorsed === undefined) return { ...invoked, endorsers };
  const response = peer.ProposalResponsePayload.deserializeBinary(endorsed.getProposalResponsePayload_asU8());
  const results = peer.ChaincodeAction.deserializeBinary(response.getExtension_asU8()).getResults_asU8();
  const { writes, elsewhere } = decodeWrites(results, raw.chaincode, raw.privateOf(raw.index), raw.held);
  const purges = elsewhere.purges > 0 || writes.some(({ isPurge }) => isPurge);
  const reads = purges ? { reads: decodeReads(results, raw.chaincode) } : {};
  return { ...invoked, endorsers, writes, elsewhere, ...reads };
}

function invocation(bytes: Uint8Array, chaincode: string): Pick<ActionParts, 'transaction' | 'argument'> {
  const input = peer.ChaincodeProposalPayload.deserializeBinary(bytes).getInput_asU8();
  const spec = peer.ChaincodeInvocationSpec.deserializeBinary(input).getChaincodeSpec();
  if (spec?.getChaincodeId()?.getName() !== chaincode) return { transaction: '', argument: '' };
  const [name, argument] = spec.getInput()?.getArgsList_asU8() ?? [];
  return { transaction: text(name), argument: text(argument) };
}

function mspIdOf(identity: Uint8Array): string {
  return identity.length === 0 ? '' : msp.SerializedIdentity.deserializeBinary(identity).getMspid();
}

function text(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes).toString('utf8');
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
