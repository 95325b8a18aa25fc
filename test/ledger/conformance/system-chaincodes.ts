/** The chaincodes of Fabric's own that hand out blocks, and to whom: as deliver does (fabric-behaviour A9, L9). */
import assert from 'node:assert/strict';
import { common } from '@hyperledger/fabric-protos';
import { plainIdentity } from '../../support/embedded-network.js';
import type { Engine } from '../../support/engine.js';
import { adminIdentity, ordererAdminIdentity, peerIdentity, type IdentityFiles } from '../../support/identities.js';
import { failureOf, submit } from '../../support/ledger-calls.js';

/** A chaincode, its function and the function's arguments. */
type Query = readonly [string, string, ...(string | Uint8Array)[]];

export function systemChaincodeSuite(engine: () => Engine): void {
  describe('chaincodes of the system', () => {
    /** Every function that gives a block, a transaction or the channel's configuration. */
    let functions: readonly Query[];

    before(async function () {
      // The embedded ledger has none, which a test of what it refuses holds.
      if (engine().name !== 'fabric') this.skip();
      const stmary = engine().client({ member: 'stmary' });
      const { transactionId } = await submit(stmary, [['put', 'system', '1']]);
      const info = await stmary.network.getContract('qscc').evaluateTransaction('GetChainInfo', 'health');
      const newest = common.BlockchainInfo.deserializeBinary(info).getCurrentblockhash_asU8();
      functions = [
        ['qscc', 'GetChainInfo', 'health'],
        ['qscc', 'GetBlockByNumber', 'health', '0'],
        ['qscc', 'GetBlockByHash', 'health', newest],
        ['qscc', 'GetBlockByTxID', 'health', transactionId],
        ['qscc', 'GetTransactionByID', 'health', transactionId],
        ['cscc', 'GetConfigBlock', 'health'],
        ['cscc', 'GetChannelConfig', 'health'],
      ];
    });

    const asked = (as: IdentityFiles, [chaincode, name, ...args]: Query, at = 'stmary') =>
      engine()
        .client({ member: 'stmary', at, as })
        .network.getContract(chaincode)
        .evaluateTransaction(name, ...args);

    it('give blocks to gateways, peers and administrators of members, at any member’s peer', async () => {
      const { prepared } = engine();
      for (const identity of [
        engine().identity('acme'),
        peerIdentity(prepared, 'tally'),
        adminIdentity(prepared, 'northside'),
      ]) {
        for (const call of functions) assert.ok((await asked(identity, call)).length > 0, call[1]);
      }
    });

    it('give nothing to any other client, the peer’s own member’s included', async () => {
      const { prepared } = engine();
      for (const identity of [await plainIdentity(prepared, 'stmary'), ordererAdminIdentity(prepared, 'stmary')]) {
        for (const call of functions) {
          for (const at of ['stmary', 'acme']) {
            const failure = await failureOf(asked(identity, call, at));
            assert.match(failure.message + failure.details.join(), new RegExp(`access denied for \\[${call[1]}\\]`));
          }
        }
      }
    });
  });
}
