/** One of Fabric's own peers that joins the channel of a running embedded ledger from its genesis block. */
import { join } from 'node:path';
import { readGenesis } from '@salus/network/config/channel-files';
import { PeerAdmin } from '@salus/network/fabric/peer-admin';
import { ProcessGroup } from '@salus/network/fabric/processes';
import type { Programs } from '@salus/network/fabric/programs';
import { renderPeer } from '@salus/network/fabric/render';
import type { PreparedState } from '@salus/network/prepare';
import { memberOf, type PeerNode } from '@salus/network/topology';
import { freePort } from './chaincode-process.js';
import { connectClient, type TestClient } from './embedded-network.js';

export interface RealPeer {
  readonly admin: PeerAdmin;
  /** A client of the real peer with the certificate of its member's gateway. */
  client(): TestClient;
  /** How the peer's process ended, should it. */
  readonly failed: Promise<string>;
  stop(): Promise<void>;
}

/**
 * Starts a peer of the member with the keys of its second peer, which the embedded ledger plays too, on ports of its
 * own, and has it join the channel.
 */
export async function startRealPeer(
  prepared: PreparedState,
  memberName: string,
  programs: Programs,
): Promise<RealPeer> {
  const member = memberOf(prepared.topology, memberName);
  const own = prepared.material.members.find(({ name }) => name === memberName)!;
  const node = await ownPorts(member.peers[1]!);
  const { configDir, environment } = renderPeer(member, node, own, own.peers[1]!);
  const processes = new ProcessGroup(join(prepared.stateDir, 'real-peer.json'));
  const address = `${node.host}:${node.port}`;
  await processes.start({
    name: `${node.name}.${memberName}`,
    command: programs.peer,
    args: ['node', 'start'],
    environment: { ...environment, FABRIC_CFG_PATH: configDir },
    logFile: join(prepared.stateDir, 'log', 'real-peer.log'),
    listens: [address],
  });
  await processes.listening();
  const serverName = `${node.name}.${memberName}`;
  const admin = new PeerAdmin({ address, serverName, tlsCa: own.tlsCa, clientMspDir: own.adminMspDir }, own.mspId);
  await admin.join(readGenesis(prepared.stateDir));
  const clients: TestClient[] = [];
  return {
    admin,
    failed: processes.failed,
    client: () => {
      const client = connectClient(withPeer(prepared, memberName, node), { member: memberName, peer: node.name });
      clients.push(client);
      return client;
    },
    stop: async () => {
      for (const client of clients) client.close();
      await processes.stop();
    },
  };
}

async function ownPorts(node: PeerNode): Promise<PeerNode> {
  return {
    ...node,
    port: await freePort(),
    operationsPort: await freePort(),
    chaincodeListenPort: await freePort(),
  };
}

/** The state as seen by a client that is to reach this peer. */
function withPeer(prepared: PreparedState, memberName: string, node: PeerNode): PreparedState {
  const members = prepared.topology.members.map((member) =>
    member.name === memberName
      ? { ...member, peers: member.peers.map((each) => (each.name === node.name ? node : each)) }
      : member,
  );
  return { ...prepared, topology: { ...prepared.topology, members } };
}
