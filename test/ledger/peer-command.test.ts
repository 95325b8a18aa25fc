import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { common } from '@hyperledger/fabric-protos';
import { renderPeer } from '@salus/network/fabric/render';
import { tlsFiles } from '@salus/network/identity/layout';
import { memberOf } from '@salus/network/topology';
import { run, startTestLedger, type TestLedger } from '../support/embedded-network.js';
import { programsOrPending } from '../support/fabric-network.js';

const execute = promisify(execFile);

describe("Fabric's peer command against the embedded ledger", function () {
  this.timeout(120_000);
  let ledger: TestLedger;
  let program = '';
  const started: { stop(): Promise<void> }[] = [];

  before(async function () {
    program = (await programsOrPending(this)).peer;
    ledger = await startTestLedger();
    started.push(ledger);
  });

  after(async () => {
    for (const each of started) await each.stop();
  });

  /** Runs the command as the member's administrator; what it printed. */
  const peer = async (member: string, ...args: string[]): Promise<string> => {
    const own = ledger.prepared.material.members.find(({ name }) => name === member)!;
    const node = memberOf(ledger.prepared.topology, member).peers[0]!;
    const { configDir } = renderPeer(memberOf(ledger.prepared.topology, member), node, own, own.peers[0]!);
    const tls = tlsFiles(own.peers[0]!.tlsDir);
    const { stdout, stderr } = await execute(program, args, {
      env: {
        FABRIC_CFG_PATH: configDir,
        CORE_PEER_LOCALMSPID: own.mspId,
        CORE_PEER_MSPCONFIGPATH: own.adminMspDir,
        CORE_PEER_ADDRESS: `${node.host}:${node.port}`,
        CORE_PEER_TLS_ROOTCERT_FILE: tls.ca,
        CORE_PEER_TLS_CLIENTAUTHREQUIRED: 'true',
        CORE_PEER_TLS_CLIENTCERT_FILE: tls.cert,
        CORE_PEER_TLS_CLIENTKEY_FILE: tls.key,
      },
    });
    return stdout + stderr;
  };

  const constructor = (...operations: string[][]): string => JSON.stringify({ Args: run(...operations) });

  const orderer = (): string[] => {
    const member = ledger.prepared.topology.members.find((each) => each.orderer)!;
    const own = ledger.prepared.material.members.find(({ name }) => name === member.name)!;
    const peerTls = tlsFiles(own.peers[0]!.tlsDir);
    return [
      ...['-o', `${member.orderer!.host}:${member.orderer!.port}`, '--tls', '--clientauth'],
      ...['--cafile', tlsFiles(own.orderer!.tlsDir).ca, '--certfile', peerTls.cert, '--keyfile', peerTls.key],
    ];
  };

  const endorsers = (members: readonly string[]): string[] =>
    members.flatMap((name) => {
      const own = ledger.prepared.material.members.find((each) => each.name === name)!;
      const node = memberOf(ledger.prepared.topology, name).peers[0]!;
      const root = tlsFiles(own.peers[0]!.tlsDir).ca;
      return ['--peerAddresses', `${node.host}:${node.port}`, '--tlsRootCertFiles', root];
    });

  it('invokes, waits for the commit at every endorser, and queries', async () => {
    const said = await peer(
      'stmary',
      ...['chaincode', 'invoke', ...orderer(), '-C', 'health', '-n', 'salus'],
      ...endorsers(['stmary', 'northside', 'acme', 'meridian']),
      ...['-c', constructor(['put', 'by', 'command']), '--waitForEvent'],
    );
    assert.match(said, /committed with status \(VALID\)/);
    assert.match(said, /Chaincode invoke successful. result: status:200/);
    const read = await peer(
      'acme',
      'chaincode',
      'query',
      '-C',
      'health',
      '-n',
      'salus',
      '-c',
      constructor(['get', 'by']),
    );
    assert.equal(read.trim().split('\n').at(-1), '["command"]');
  });

  it('fetches blocks from the orderer', async () => {
    const file = join(ledger.prepared.stateDir, 'fetched.block');
    await peer('stmary', 'channel', 'fetch', 'oldest', file, '-c', 'health', ...orderer());
    const fetched = common.Block.deserializeBinary(readFileSync(file));
    assert.equal(fetched.getHeader()!.getNumber(), 0);
    const genesis = readFileSync(join(ledger.prepared.stateDir, 'channel', 'genesis.block'));
    assert.deepEqual(
      fetched.getData()!.getDataList_asB64(),
      common.Block.deserializeBinary(genesis).getData()!.getDataList_asB64(),
    );
  });

  it('is told what the embedded ledger does not take', async () => {
    await assert.rejects(
      peer('stmary', 'channel', 'getinfo', '-c', 'health'),
      /received bad response, status 500: make sure the chaincode qscc has been successfully defined/,
    );
  });
});
