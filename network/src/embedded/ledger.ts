import { join } from 'node:path';
import { ConfiguredChannel } from './channel/channel.js';
import { readConfigBlock } from './channel/config-block.js';
import { readDefinition, type StateSource } from './lifecycle/definition.js';
import type { Chain, Channel, Committer, Definition, TransientStore } from './ports.js';
import { PrivateStore } from './store/private-store.js';
import { PublicStore } from './store/public-store.js';
import { Snapshots } from './store/snapshots.js';
import { BlockCommitter, type Tip } from './validation/committer.js';
import { LedgerChain } from './chain.js';
import { checkTip } from './validation/tip.js';

/** Where the embedded ledger keeps its files. */
export interface LedgerFiles {
  readonly public: string;
  /** A member's own file, by MSP id. */
  readonly private: (mspId: string) => string;
}

/** What the embedded ledger is opened with. */
export interface LedgerOptions {
  readonly files: LedgerFiles;
  /** The channel's first block, common.Block; committed when the ledger is new. */
  readonly genesis: Buffer;
  /** MSP ids of the members whose private values this process holds. */
  readonly members: readonly string[];
  /**
   * Follow configuration blocks without checking who authorized the change: for chains that real Fabric has already
   * checked. Otherwise such a block is refused, for this ledger does not implement configuration updates.
   */
  readonly followConfig?: boolean;
}

/** An open ledger. */
export interface Ledger {
  /** The channel as the newest configuration block defines it. */
  channel(): Channel;
  readonly chain: Chain;
  readonly committer: Committer;
  readonly transient: TransientStore;
  /** The committed definition of a chaincode as of a snapshot. */
  definition(name: string, snapshot: StateSource): Definition | undefined;
  /** Ends all snapshots and closes the files. Commits under way must have ended. */
  close(): void;
}

/** The files of a network's state folder: the shared store, and one below each member's folder. */
export function ledgerFiles(
  stateDir: string,
  members: readonly { readonly name: string; readonly mspId: string }[],
): LedgerFiles {
  const names = new Map(members.map(({ name, mspId }) => [mspId, name]));
  return {
    public: join(stateDir, 'ledger', 'ledger.db'),
    private: (mspId) => join(stateDir, 'members', names.get(mspId) ?? mspId, 'ledger', 'private.db'),
  };
}

/**
 * Opens the ledger, or makes it from its first block. What a crash left half-written is dropped; a newest block whose
 * hashes do not fit is refused with an error that names the file.
 */
export async function openLedger({ files, genesis, members, followConfig = false }: LedgerOptions): Promise<Ledger> {
  const store = new PublicStore(files.public);
  const tip = openTip(store, files.public, genesis);
  const { height } = tip;
  const privates = new Map(members.map((mspId) => [mspId, openPrivate(files.private(mspId), store, height)]));
  const snapshots = new Snapshots(store, privates, () => {
    const { height: now } = committer.current;
    for (const member of privates.values()) member.settle(now, snapshots.oldest(now));
  });
  const chain = new LedgerChain(store, privates, snapshots);
  const committer: BlockCommitter = new BlockCommitter(tip, store, privates, snapshots, {
    followConfig,
    onCommit: (block) => {
      chain.announce(block);
    },
  });
  if (height === 0) await committer.commit(genesis);
  return {
    channel: () => committer.current.channel,
    chain,
    committer,
    transient: {
      put: (mspId, txId, privateSet, at) => privates.get(mspId)?.transient.put(txId, privateSet, at),
      get: (mspId, txId) => privates.get(mspId)?.transient.get(txId) ?? [],
    },
    definition: readDefinition,
    close: () => {
      snapshots.close();
      store.close();
      for (const member of privates.values()) member.close();
    },
  };
}

function openTip(store: PublicStore, file: string, genesis: Buffer): Tip {
  try {
    return store.height() === 0 ? emptyTip(genesis) : storedTip(store, file, genesis);
  } catch (error) {
    store.close();
    throw error;
  }
}

function emptyTip(genesis: Buffer): Tip {
  const channel = new ConfiguredChannel(readConfigBlock(genesis));
  return { height: 0, headerHash: undefined, commitHash: Buffer.alloc(0), channel };
}

function storedTip(store: PublicStore, file: string, genesis: Buffer): Tip {
  const { height, headerHash, commitHash, configBlock } = checkTip(store, file, genesis);
  return { height, headerHash, commitHash, channel: new ConfiguredChannel(readConfigBlock(configBlock)) };
}

function openPrivate(file: string, store: PublicStore, height: number): PrivateStore {
  const member = new PrivateStore(file);
  member.recover(height);
  const ended = member.transient.ids().filter((txId) => store.transaction(txId) !== undefined);
  member.transient.drop(ended, 0);
  return member;
}
