import { common, peer } from '@hyperledger/fabric-protos';
import type { Chain } from '../ports.js';
import { content, contents } from './wire.js';

/** Parsed blocks kept: all streams at the chain's end read the same few. */
const KEPT = 64;

/** What the event services say about a transaction of a block. */
export interface BlockTransaction {
  readonly txId: string;
  readonly channelId: string;
  /** common.HeaderType */
  readonly type: number;
  /** peer.TxValidationCode */
  readonly code: number;
  /** The chaincode event of each action that has one; undefined when the actions cannot be read. */
  readonly events: readonly peer.ChaincodeEvent[] | undefined;
}

/** A block, its stored bytes and what is read out of it, each at most once. */
export class ReadBlock {
  #transactions: readonly BlockTransaction[] | undefined;
  #isConfig: boolean | undefined;

  constructor(
    readonly number: number,
    /** common.Block as the chain holds it. */
    readonly bytes: Buffer,
  ) {}

  get transactions(): readonly BlockTransaction[] {
    this.#transactions ??= readTransactions(this.bytes);
    return this.#transactions;
  }

  get isConfig(): boolean {
    this.#isConfig ??= this.transactions[0]?.type === common.HeaderType.CONFIG;
    return this.#isConfig;
  }
}

/** Reads blocks for all the streams of the process. */
export class BlockCache {
  readonly #kept = new Map<number, ReadBlock>();

  constructor(private readonly chain: Pick<Chain, 'height' | 'block'>) {}

  get height(): number {
    return this.chain.height;
  }

  /** The block, or undefined while it is not committed. */
  block(number: number): ReadBlock | undefined {
    const kept = this.#kept.get(number);
    if (kept) return kept;
    const bytes = this.chain.block(number);
    if (!bytes) return undefined;
    const block = new ReadBlock(number, bytes);
    this.#kept.set(number, block);
    const oldest = this.#kept.keys().next().value;
    if (this.#kept.size > KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return block;
  }
}

/** Fields of common.Block, BlockData, BlockMetadata and Envelope that are read without parsing the rest. */
const BLOCK = { data: 2, metadata: 3 };
const LIST = 1;
const ENVELOPE_PAYLOAD = 1;

function readTransactions(block: Buffer): BlockTransaction[] {
  const metadata = contents(content(block, BLOCK.metadata), LIST);
  const flags = metadata[common.BlockMetadataIndex.TRANSACTIONS_FILTER] ?? Buffer.alloc(0);
  return contents(content(block, BLOCK.data), LIST).flatMap((envelope, index) => {
    const transaction = readTransaction(envelope, flags[index] ?? 0);
    return transaction ? [transaction] : [];
  });
}

/** Undefined for what has no readable header: Fabric's event services pass over it. */
function readTransaction(envelope: Buffer, code: number): BlockTransaction | undefined {
  try {
    const payload = common.Payload.deserializeBinary(content(envelope, ENVELOPE_PAYLOAD));
    const bytes = payload.getHeader()?.getChannelHeader_asU8();
    if (!bytes) return undefined;
    const header = common.ChannelHeader.deserializeBinary(bytes);
    const endorsed = header.getType() === common.HeaderType.ENDORSER_TRANSACTION;
    return {
      txId: header.getTxId(),
      channelId: header.getChannelId(),
      type: header.getType(),
      code,
      events: endorsed ? tryReadEvents(payload.getData_asU8()) : [],
    };
  } catch {
    return undefined;
  }
}

function tryReadEvents(data: Uint8Array): peer.ChaincodeEvent[] | undefined {
  try {
    return readEvents(data);
  } catch {
    return undefined;
  }
}

function readEvents(data: Uint8Array): peer.ChaincodeEvent[] {
  return peer.Transaction.deserializeBinary(data)
    .getActionsList()
    .flatMap((action) => {
      const payload = peer.ChaincodeActionPayload.deserializeBinary(action.getPayload_asU8());
      const response = payload.getAction()?.getProposalResponsePayload_asU8();
      if (!response) return [];
      const extension = peer.ProposalResponsePayload.deserializeBinary(response).getExtension_asU8();
      const event = peer.ChaincodeEvent.deserializeBinary(
        peer.ChaincodeAction.deserializeBinary(extension).getEvents_asU8(),
      );
      return event.getChaincodeId() === '' ? [] : [event];
    });
}
