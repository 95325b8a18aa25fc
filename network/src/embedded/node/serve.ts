import { mspRoots } from '../../identity/layout.js';
import type { NetworkFile } from '../../prepare.js';
import type { BlockCache } from '../deliver/block-cache.js';
import type { CommitWatch } from '../deliver/commit-watch.js';
import { deliverHandlers, deliverService } from '../deliver/handlers.js';
import type { DeliverContext } from '../deliver/stream.js';
import type { GatewayContext } from '../gateway/context.js';
import { Planner, type Peer } from '../gateway/planner.js';
import { gatewayHandlers, gatewayService } from '../gateway/handlers.js';
import type { SoloOrderer } from '../orderer/orderer.js';
import { ordererHandlers, ordererService } from '../orderer/handlers.js';
import { serveParticipation } from '../orderer/participation.js';
import type { Chain, Channel, Definition } from '../ports.js';
import type { HandlerContext } from '../rpc/handlers.js';
import { CONCURRENCY, Limiter } from '../rpc/limiter.js';
import { servePort, type ServedPort } from '../rpc/server.js';
import type { CommittedDefinitions } from './definitions.js';
import { endorserHandlers, endorserService } from './endorser-handlers.js';
import { serverTls, type NodeOfMember } from './members.js';

/** What all ports of the network share. */
export interface NetworkParts {
  readonly channel: Channel;
  readonly chain: Chain;
  readonly blocks: BlockCache;
  readonly commits: CommitWatch;
  readonly orderer: SoloOrderer;
  readonly definitions: CommittedDefinitions;
  readonly now: () => Date;
  readonly log: (line: string) => void;
}

/** Serves gateway, deliver and endorser on every peer's port. */
export function servePeers(
  nodes: readonly NodeOfMember[],
  peers: readonly Peer[],
  parts: NetworkParts,
): Promise<ServedPort[]> {
  const definition = (name: string): Definition | undefined => parts.definitions.newest(name);
  const planner = new Planner({ channel: parts.channel, peers, definition });
  return Promise.all(
    nodes.map(({ node, member, tls }, index) => {
      const local = peerAt(peers, index);
      const own = peers.filter(({ endorser }) => endorser.mspId === member.mspId && endorser !== local.endorser);
      const others = peers.filter(({ endorser }) => endorser.mspId !== member.mspId);
      const context: GatewayContext = {
        ...parts,
        planner,
        local,
        definition,
        ownPeers: [local, ...own],
        peers: [local, ...own, ...others],
      };
      return servePort({
        host: node.host,
        port: node.port,
        tls,
        services: [
          [gatewayService, gatewayHandlers(context, handler('gateway.Gateway', CONCURRENCY.gateway, parts))],
          [
            deliverService,
            deliverHandlers(
              member.mspId,
              { ...deliverContext(parts), chain: parts.chain, definition },
              handler('protos.Deliver', CONCURRENCY.deliver, parts),
            ),
          ],
          [endorserService, endorserHandlers(local.endorser, handler('protos.Endorser', CONCURRENCY.endorser, parts))],
        ],
      });
    }),
  );
}

/** Serves the one ordering service on every orderer's port, and tells of its channel on that for administrators. */
export function serveOrderers({ topology, material }: NetworkFile, parts: NetworkParts): Promise<ServedPort[]> {
  const context = handler('orderer.AtomicBroadcast', Number.POSITIVE_INFINITY, parts);
  return Promise.all(
    topology.members.flatMap(({ name, orderer }) => {
      const own = material.members.find((each) => each.name === name)?.orderer;
      if (!orderer || !own) return [];
      return [
        servePort({
          host: orderer.host,
          port: orderer.port,
          tls: serverTls(own.tlsDir, own.clientRoots),
          services: [[ordererService, ordererHandlers(parts.orderer, deliverContext(parts), context)]],
        }),
        serveParticipation({
          host: orderer.host,
          port: orderer.adminPort,
          tls: serverTls(own.tlsDir, mspRoots(own.mspDir).ca),
          channel: topology.channel,
          chain: parts.chain,
        }),
      ];
    }),
  );
}

function deliverContext({ channel, blocks, commits, now }: NetworkParts): DeliverContext {
  return { channel, blocks, now, untilHeight: (height, signal) => commits.untilHeight(height, signal) };
}

function handler(service: string, limit: number, { log }: NetworkParts): HandlerContext {
  return { limiter: new Limiter(service, limit), log };
}

function peerAt(peers: readonly Peer[], index: number): Peer {
  const found = peers[index];
  if (!found) throw new Error(`peer ${index} was not made`);
  return found;
}
