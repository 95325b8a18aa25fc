import { strict as assert } from 'node:assert';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { prepareTestState } from '../support/embedded-network.js';
import { projectRoot } from '../support/shared.js';
import { CALIPER, networkFile } from './caliper.js';

interface NetworkFile {
  readonly caliper: { readonly blockchain: string };
  readonly salus: { readonly tls: Readonly<Record<string, string>> };
  readonly organizations: readonly {
    readonly mspid: string;
    readonly identities: { readonly certificates: readonly { readonly name: string }[] };
    readonly peers: readonly { readonly tlsCACerts: { readonly path: string } }[];
  }[];
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
});
