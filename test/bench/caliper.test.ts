import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import { connect, type Gateway, signers } from '@hyperledger/fabric-gateway';
import { parse } from 'yaml';
import { prepareTestState, startTestLedger } from '../support/embedded-network.js';
import { scratchFolder } from '../support/scratch.js';
import { projectRoot } from '../support/shared.js';
import { CALIPER, networkFile } from './caliper.js';

interface NetworkFile {
  readonly caliper: { readonly blockchain: string };
  readonly salus: { readonly tls: Readonly<Record<'key' | 'cert', string>> };
  readonly channels: readonly {
    readonly channelName: string;
    readonly contracts: readonly { readonly id: string }[];
  }[];
  readonly organizations: readonly {
    readonly mspid: string;
    readonly identities: {
      readonly certificates: readonly {
        readonly name: string;
        readonly clientPrivateKey: { readonly path: string };
        readonly clientSignedCert: { readonly path: string };
      }[];
    };
    readonly peers: readonly { readonly endpoint: string; readonly tlsCACerts: { readonly path: string } }[];
  }[];
}

/** What a round of the benchmark file says of its workload. */
interface Round {
  readonly workload: { readonly module: string; readonly arguments: object };
}

/** What the workload asks of Caliper's connector. */
interface Asked {
  readonly contractId: string;
  readonly contractFunction: string;
  readonly contractArguments: string[];
  readonly invokerIdentity: string;
  readonly readOnly?: boolean;
  readonly targetOrganizations?: string[];
}

/** As much of Caliper's core as a workload stands on; Caliper itself is not part of the project. */
const CORE = `exports.WorkloadModuleBase = class {
  async initializeWorkloadModule(workerIndex, totalWorkers, roundIndex, roundArguments, sutAdapter) {
    Object.assign(this, { workerIndex, totalWorkers, roundIndex, roundArguments, sutAdapter });
  }
};`;
const MAIN = `(async () => {
  const asked = [];
  for (const [index, { workload }] of JSON.parse(process.argv[2]).entries()) {
    const module = require(require('node:path').resolve(workload.module)).createWorkloadModule();
    const sendRequests = async (request) => void asked.push(request);
    await module.initializeWorkloadModule(0, 1, index, workload.arguments, { sendRequests }, {});
    await module.submitTransaction();
  }
  console.log(JSON.stringify(asked));
})();`;

/** What each round's workload asks first, run from the project's folder as Caliper runs it. */
function askedBy(rounds: readonly Round[]): Asked[] {
  const scratch = scratchFolder();
  const core = join(scratch.path, 'node_modules', '@hyperledger', 'caliper-core');
  mkdirSync(core, { recursive: true });
  writeFileSync(join(core, 'index.js'), CORE);
  const main = join(scratch.path, 'main.cjs');
  writeFileSync(main, MAIN);
  try {
    const said = execFileSync(process.execPath, [main, JSON.stringify(rounds)], { cwd: projectRoot, encoding: 'utf8' });
    return JSON.parse(said) as Asked[];
  } finally {
    scratch.remove();
  }
}

const read = (file: string): Buffer => readFileSync(join(projectRoot, file));

/** A stock client with nothing but what the network file says. */
function connected({ salus, organizations: [organisation] }: NetworkFile): { gateway: Gateway; close: () => void } {
  const [peer] = organisation!.peers;
  const [identity] = organisation!.identities.certificates;
  const [key, cert] = [read(salus.tls.key), read(salus.tls.cert)];
  const client = new Client(peer!.endpoint, credentials.createSsl(read(peer!.tlsCACerts.path), key, cert));
  const gateway = connect({
    client,
    identity: { mspId: organisation!.mspid, credentials: read(identity!.clientSignedCert.path) },
    signer: signers.newPrivateKeySigner(createPrivateKey(read(identity!.clientPrivateKey.path))),
    tlsClientCertificateHash: createHash('sha256').update(new X509Certificate(cert).raw).digest(),
  });
  return {
    gateway,
    close: () => {
      gateway.close();
      client.close();
    },
  };
}

const inWorkspace = (file: string): boolean => existsSync(join(projectRoot, file));

describe('the network file for Hyperledger Caliper', () => {
  it('names keys, certificates and roots that are there, and the connector and files that go with it', async () => {
    const prepared = await prepareTestState();
    try {
      const { caliper, salus, organizations } = parse(networkFile(prepared)) as NetworkFile;
      const [stmary] = organizations;
      const roots = stmary?.peers.map(({ tlsCACerts }) => tlsCACerts.path) ?? [];
      assert.equal(stmary?.mspid, 'StmaryMSP');
      assert.equal(roots.length, 1);
      const files = [caliper.blockchain, ...Object.values(salus.tls), ...roots];
      for (const file of [...files, `${CALIPER}/benchmark.yaml`, `${CALIPER}/workload.cjs`]) {
        assert.ok(inWorkspace(file), file);
      }
    } finally {
      rmSync(prepared.stateDir, { recursive: true, force: true });
    }
  });

  it('has a running network asked in its own names: channel, contract, function, identity, organisation', async function () {
    this.timeout(120_000);
    const ledger = await startTestLedger();
    const file = parse(networkFile(ledger.prepared)) as NetworkFile;
    const { test } = parse(read(`${CALIPER}/benchmark.yaml`).toString()) as { test: { rounds: Round[] } };
    const requests = askedBy(test.rounds);
    const { gateway, close } = connected(file);
    try {
      const [channel] = file.channels;
      assert.deepEqual(
        requests.map(({ readOnly }) => readOnly === true),
        [false, false, true],
      );
      for (const request of requests) {
        const names = file.organizations.flatMap(({ identities }) => identities.certificates.map(({ name }) => name));
        assert.ok(names.includes(request.invokerIdentity), request.invokerIdentity);
        assert.ok(
          channel?.contracts.some(({ id }) => id === request.contractId),
          request.contractId,
        );
        const contract = gateway.getNetwork(channel!.channelName).getContract(request.contractId);
        const { contractFunction, contractArguments, targetOrganizations = [] } = request;
        if (request.readOnly) await contract.evaluateTransaction(contractFunction, ...contractArguments);
        else {
          const options = { arguments: contractArguments, endorsingOrganizations: targetOrganizations };
          await contract.submit(contractFunction, options);
        }
      }
    } finally {
      close();
      await ledger.stop();
    }
  });
});
