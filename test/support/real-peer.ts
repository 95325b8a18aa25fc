/** One of Fabric's own peers that joins the channel of a running embedded ledger from its genesis block. */
import { join } from 'node:path';
import { chaincodePackage } from '@salus/network/config/archive';
import { readGenesis } from '@salus/network/config/channel-files';
import type { NodeAddress } from '@salus/network/fabric/clients';
import { approve } from '@salus/network/fabric/lifecycle';
import { PeerAdmin } from '@salus/network/fabric/peer-admin';
import { ProcessGroup } from '@salus/network/fabric/processes';
import type { Programs } from '@salus/network/fabric/programs';
import { renderPeer } from '@salus/network/fabric/render';
import { tlsFiles } from '@salus/network/identity/layout';
import type { PreparedState } from '@salus/network/prepare';
import { memberOf, type PeerNode } from '@salus/network/topology';
import { ChaincodeProcess } from './chaincode-process.js';
import { freePortBase } from './free-ports.js';
import { connectClient, type TestClient } from './embedded-network.js';

export interface RealPeer {
  readonly admin: PeerAdmin;
  /** The network as one sees it for whom this peer is its member's only one. */
  readonly prepared: PreparedState;
  /** A client of the real peer with the certificate of its member's gateway. */
  client(): TestClient;
  /** Installs the chaincode, starts it for this peer, and has its member approve the definition in force. */
  useChaincode(): Promise<void>;
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
  const seen = withPeer(prepared, memberName, node);
  let chaincode: ChaincodeProcess | undefined;
  return {
    admin,
    prepared: seen,
    useChaincode: async () => {
      chaincode = await startOwnChaincode(prepared, memberName);
      const { definition, topology } = prepared;
      await admin.install(chaincodePackage(definition.name));
      await approve({ channel: topology.channel, orderers: orderersOf(prepared, admin) }, admin, definition);
    },
    failed: processes.failed,
    client: () => {
      const client = connectClient(seen, { member: memberName, peer: node.name });
      clients.push(client);
      return client;
    },
    stop: async () => {
      for (const client of clients) client.close();
      await processes.stop();
      await chaincode?.kill();
    },
  };
}

async function ownPorts(node: PeerNode): Promise<PeerNode> {
  const port = await freePortBase();
  return { ...node, port, operationsPort: port + 1, chaincodeListenPort: port + 2 };
}

/** A chaincode process at the address that the real peer's builder names. */
function startOwnChaincode(
  { topology, material, definition }: PreparedState,
  memberName: string,
): Promise<ChaincodeProcess> {
  const { host, chaincodePort } = memberOf(topology, memberName);
  const own = material.members.find(({ name }) => name === memberName)!;
  const { key, cert, ca } = tlsFiles(own.chaincodeTlsDir);
  const tls = { key, cert, clientCa: ca };
  return ChaincodeProcess.start({ address: `${host}:${chaincodePort}`, packageId: definition.packageId, tls });
}

function orderersOf({ topology, material }: PreparedState, { node }: PeerAdmin): NodeAddress[] {
  return topology.members.flatMap(({ name, orderer }) => {
    const own = material.members.find((each) => each.name === name)?.orderer;
    if (!orderer || !own) return [];
    const address = `${orderer.host}:${orderer.port}`;
    return [{ address, serverName: `orderer.${name}`, tlsCa: own.tlsCa, clientMspDir: node.clientMspDir }];
  });
}

function withPeer(prepared: PreparedState, memberName: string, node: PeerNode): PreparedState {
  const members = prepared.topology.members.map((member) =>
    member.name === memberName ? { ...member, peers: [node] } : member,
  );
  return { ...prepared, topology: { ...prepared.topology, members } };
}
