import type { Chain, Channel, Definition, Orderer } from '../ports.js';
import type { BlockCache } from '../deliver/block-cache.js';
import type { CommitWatch } from '../deliver/commit-watch.js';
import type { Peer, Planner } from './planner.js';

/** What the gateway service of one peer works with. */
export interface GatewayContext {
  readonly channel: Channel;
  readonly chain: Chain;
  readonly blocks: BlockCache;
  readonly commits: CommitWatch;
  readonly orderer: Orderer;
  readonly planner: Planner;
  /** The peer whose gateway this is. */
  readonly local: Peer;
  /** The peers of its member, the local one first. */
  readonly ownPeers: readonly Peer[];
  /** All peers of the channel, the local one first. */
  readonly peers: readonly Peer[];
  readonly definition: (chaincode: string) => Definition | undefined;
}
