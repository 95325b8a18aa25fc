/** What Fabric offers and the embedded ledger refuses, loudly, instead of doing something like it. */
import assert from 'node:assert/strict';
import { status, type ServiceError } from '@grpc/grpc-js';
import { common } from '@hyperledger/fabric-protos';
import { memberOf } from '@salus/network/topology';
import type { Operation } from '../../support/chaincode/operations.js';
import type { TestClient } from '../../support/embedded-network.js';
import type { Engine } from '../../support/engine.js';
import { adminIdentity } from '../../support/identities.js';
import { evaluate, failureOf } from '../../support/ledger-calls.js';
import { signedProposal, signerFrom } from '../../support/proposal.js';
import { RawClient } from '../../support/raw-client.js';
import { seekEnvelope } from '../../support/seek.js';

export function embeddedRefusalSuite(engine: () => Engine): void {
  describe('what the embedded ledger does not offer', () => {
    let stmary: TestClient;
    let raw: RawClient;
    before(function () {
      if (engine().name !== 'embedded') this.skip();
      stmary = engine().client({ member: 'stmary' });
      raw = new RawClient(engine().prepared, 'stmary');
    });
    after(() => {
      if (engine().name === 'embedded') raw.close();
    });

    for (const [what, operation, reason] of [
      [
        'a key-level endorsement policy',
        ['policy', 'k'],
        /PUT_STATE_METADATA failed: .* the embedded ledger offers no key-level endorsement policies; state who must endorse in the policy of the chaincode or of a collection$/,
      ],
      [
        'a call from chaincode to chaincode',
        ['call', 'other', '', 'run', '[]'],
        /INVOKE_CHAINCODE failed: .* the embedded ledger offers no calls from chaincode to chaincode; put the domains in one chaincode$/,
      ],
      [
        'an implicit collection',
        ['privatePut', '_implicit_org_StmaryMSP', 'k', 'v'],
        /PUT_STATE failed: .* the embedded ledger offers no implicit collections: _implicit_org_StmaryMSP; use a collection of the chaincode's definition$/,
      ],
    ] as readonly (readonly [string, Operation, RegExp])[]) {
      it(`is ${what}`, async () => {
        assert.match((await failureOf(evaluate(stmary, [operation]))).message, reason);
      });
    }

    it('is a chaincode of the system through the gateway', async () => {
      const call = stmary.network.getContract('qscc').evaluateTransaction('GetChainInfo', 'health');
      const failure = await failureOf(call);
      assert.equal(failure.code, 'FAILED_PRECONDITION');
      assert.equal(failure.message, 'no peers available to evaluate chaincode qscc in channel health');
    });

    it('is a chaincode of the system or an approval of a definition, at a peer that is asked directly', async () => {
      const by = signerFrom(adminIdentity(engine().prepared, 'stmary'));
      for (const [chaincode, ...args] of [
        ['qscc', 'GetChainInfo', 'health'],
        ['cscc', 'GetConfigBlock', 'health'],
        ['_lifecycle', 'ApproveChaincodeDefinitionForMyOrg', ''],
      ] as const) {
        const proposal = signedProposal(by, { channel: 'health', chaincode, args });
        const answer = (await raw.process(proposal.message)).getResponse()!;
        assert.deepEqual(
          [answer.getStatus(), answer.getMessage()],
          [
            500,
            `make sure the chaincode ${chaincode} has been successfully defined on channel health and try again: ` +
              `chaincode ${chaincode} not found`,
          ],
        );
      }
    });

    it('is discovery, gossip or the making of snapshots', async () => {
      for (const method of ['/discovery.Discovery/Discover', '/gossip.Gossip/Ping', '/protos.Snapshot/QueryPendings']) {
        const refused = new Promise<ServiceError | null>((resolve) => {
          raw.endorser.makeUnaryRequest(
            method,
            () => Buffer.alloc(0),
            (bytes) => bytes,
            undefined,
            resolve,
          );
        });
        assert.equal((await refused)?.code, status.UNIMPLEMENTED, method);
      }
    });

    it('is a port for operations', async () => {
      const { peers, orderer } = memberOf(engine().prepared.topology, 'stmary');
      for (const node of [peers[0]!, orderer!]) {
        await assert.rejects(fetch(`https://${node.host}:${node.operationsPort}/healthz`), (error: Error) =>
          String(error.cause).includes('ECONNREFUSED'),
        );
      }
    });

    it('is an update of the channel’s configuration', async () => {
      const by = signerFrom(engine().identity('stmary'));
      // Any signed envelope of that type: it is refused for what it is, not for what it says.
      const update = seekEnvelope(by, { headerType: common.HeaderType.CONFIG_UPDATE }, raw.tlsHash);
      const [answer] = await raw.broadcast([update]);
      assert.equal(answer!.status, 'BAD_REQUEST');
      assert.match(answer!.info, /embedded ledger/);
    });
  });
}
