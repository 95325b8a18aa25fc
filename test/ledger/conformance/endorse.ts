/** gateway.Gateway/Endorse: who is asked, and what a refusal looks like. */
import assert from 'node:assert/strict';
import { peer } from '@hyperledger/fabric-protos';
import { commit, endorse, evaluate, evaluateOnceSeen, failureOf, propose, submit } from '../../support/ledger-calls.js';
import type { TestClient } from '../../support/embedded-network.js';
import type { Engine } from '../../support/engine.js';
import { endorsersOf, open } from '../../support/transactions.js';

const FIRST_FAILED = 'failed to endorse transaction, see attached details for more info';
const MORE_FAILED = 'failed to collect enough transaction endorsements, see attached details for more info';
const NO_PLAN = 'no combination of peers can be derived which satisfy the endorsement policy: ';

export function endorseSuite(engine: () => Engine): void {
  describe('endorse', () => {
    let stmary: TestClient;
    let northside: TestClient;
    /** northside's identity at a peer of stmary. */
    let away: TestClient;

    before(async () => {
      stmary = engine().client({ member: 'stmary' });
      northside = engine().client({ member: 'northside' });
      away = engine().client({ member: 'stmary', as: engine().identity('northside') });
      await submit(northside, [['privatePut', 'of-northside', 'held', 'here']], {
        endorsingOrganizations: ['NorthsideMSP'],
      });
    });

    const invocations = async () => (await evaluate(stmary, [['invocations']]))[0] as number;

    it('satisfies a majority of the members by itself, the own organisation among them', async () => {
      const endorsers = endorsersOf(await endorse(stmary, [['put', 'majority', '1']]));
      assert.equal(endorsers.length, 4);
      assert.ok(endorsers.includes('StmaryMSP'));
      assert.equal(new Set(endorsers).size, 4);
    });

    it('asks the organisations it is told, one peer of each, and no others', async () => {
      const organisations = ['AcmeMSP', 'StmaryMSP', 'TallyMSP'];
      const transaction = await endorse(stmary, [['put', 'told', '1']], { endorsingOrganizations: organisations });
      assert.deepEqual(endorsersOf(transaction).sort(), organisations);
    });

    it('lets too few endorsements pass, which only the commit refuses', async () => {
      const status = await commit(stmary, [['put', 'few', '1']], { endorsingOrganizations: ['StmaryMSP'] });
      assert.equal(status.code, peer.TxValidationCode.ENDORSEMENT_POLICY_FAILURE);
    });

    it('takes more endorsements than needed', async () => {
      const endorsingOrganizations = engine().prepared.topology.members.map(({ mspId }) => mspId);
      assert.equal((await commit(stmary, [['put', 'all', '1']], { endorsingOrganizations })).successful, true);
    });

    it('finds no endorsing peers of an unknown organisation', async () => {
      const call = endorse(stmary, [['put', 'a', '1']], { endorsingOrganizations: ['StmaryMSP', 'NowhereMSP'] });
      assert.deepEqual(await failureOf(call), {
        error: 'EndorseError',
        code: 'UNAVAILABLE',
        message: 'failed to find any endorsing peers for org(s): NowhereMSP',
        details: [],
      });
    });

    it('plans the endorsement of a collection of another member', async () => {
      const transaction = await endorse(away, [['privatePut', 'of-northside', 'from', 'away']]);
      assert.deepEqual(endorsersOf(transaction), ['NorthsideMSP']);
      assert.equal((await (await transaction.submit()).getStatus()).successful, true);
      const read = [['privateGet', 'of-northside', 'from']] as const;
      assert.deepEqual(await evaluateOnceSeen(northside, read, ['away']), ['away']);
    });

    it('carries transient data to a collection of another member', async () => {
      const transientData = { value: 'secret' };
      await submit(away, [['privateStore', 'of-northside', 'secret', 'value']], { transientData });
      const read = [['privateGet', 'of-northside', 'secret']] as const;
      assert.deepEqual(await evaluateOnceSeen(northside, read, ['secret']), ['secret']);
    });

    it('keeps transient data from organisations outside the collection', async () => {
      const operations = [
        ['privateStore', 'of-stmary', 'guarded', 'value'],
        ['put', 'guarded', 'public'],
      ] as const;
      const refused = await failureOf(endorse(stmary, operations, { transientData: { value: 'secret' } }));
      assert.equal(refused.code, 'FAILED_PRECONDITION');
      assert.match(
        refused.message,
        /^requires endorsement from organisation\(s\) that are not in the distribution policy of the private data collection\(s\): \[of-stmary\]; retry specifying trusted endorsing organizations to protect transient data$/,
      );
      const without = [
        ['privatePut', 'of-stmary', 'guarded', 'value'],
        ['put', 'guarded', 'public'],
      ] as const;
      assert.equal((await commit(stmary, without)).successful, true);
    });

    for (const [status, message] of [
      [400, 'bad'],
      [404, 'none'],
      [500, 'boom'],
    ] as const) {
      it(`turns a chaincode's ${status} into ABORTED, after asking both peers of the organisation`, async () => {
        const before = await invocations();
        const detail = `StmaryMSP: chaincode response ${status}, ${message}`;
        assert.deepEqual(await failureOf(endorse(stmary, [['respond', String(status), message]])), {
          error: 'EndorseError',
          code: 'ABORTED',
          message: FIRST_FAILED,
          details: [detail, detail],
        });
        assert.equal(await invocations(), before + 3);
      });
    }

    it('does not know the metadata of an unknown chaincode', async () => {
      const call = stmary.network
        .getContract('nope')
        .newProposal('run', { arguments: ['[]'] })
        .endorse();
      assert.deepEqual(await failureOf(call), {
        error: 'EndorseError',
        code: 'FAILED_PRECONDITION',
        message: `${NO_PLAN}No metadata was found for chaincode nope in channel health`,
        details: [],
      });
    });

    it('does not know the metadata in an unknown channel', async () => {
      const contract = stmary.gateway.getNetwork('elsewhere').getContract('salus');
      assert.deepEqual(await failureOf(contract.newProposal('run', { arguments: ['[]'] }).endorse()), {
        error: 'EndorseError',
        code: 'FAILED_PRECONDITION',
        message: `${NO_PLAN}No metadata was found for chaincode salus in channel elsewhere`,
        details: [],
      });
    });

    it('does not endorse a chaincode of the system', async () => {
      const call = stmary.network
        .getContract('qscc')
        .newProposal('GetChainInfo', { arguments: ['health'] })
        .endorse();
      assert.deepEqual(await failureOf(call), {
        error: 'EndorseError',
        code: 'FAILED_PRECONDITION',
        message: `${NO_PLAN}No metadata was found for chaincode qscc in channel health`,
        details: [],
      });
    });

    it('names the organisation whose result differs from the first', async () => {
      const endorsingOrganizations = ['StmaryMSP', 'AcmeMSP'];
      const failure = await failureOf(propose(stmary, [['unequal', 'k']], { endorsingOrganizations }).endorse());
      assert.equal(failure.code, 'ABORTED');
      assert.equal(failure.message, MORE_FAILED);
      // One for each answer that differs from the first; a member with two peers may be asked twice.
      assert.ok(failure.details.length > 0);
      for (const detail of failure.details) {
        assert.match(detail, /^(StmaryMSP|AcmeMSP): ProposalResponsePayloads do not match/);
      }
    });

    it('names the second organisation when it is the one that refuses', async () => {
      const endorsingOrganizations = ['NorthsideMSP', 'AcmeMSP'];
      const call = endorse(northside, [['privateGet', 'of-northside', 'held']], { endorsingOrganizations });
      const failure = await failureOf(call);
      assert.equal(failure.code, 'ABORTED');
      assert.equal(failure.message, MORE_FAILED);
      assert.equal(failure.details.length, 1);
      assert.match(failure.details[0]!, /^AcmeMSP: chaincode response 500, GET_STATE failed: /);
    });

    it('fails to read a collection the organisation does not hold, though another could', async () => {
      const operations = [['privateGet', 'of-northside', 'held']] as const;
      const failure = await failureOf(endorse(away, operations));
      assert.equal(failure.code, 'ABORTED');
      assert.equal(failure.message, FIRST_FAILED);
      const transaction = await endorse(away, operations, { endorsingOrganizations: ['NorthsideMSP'] });
      assert.equal(Buffer.from(transaction.getResult()).toString(), '["here"]');
    });

    it('leaves the transient map out of the transaction', async () => {
      const transientData = { value: 'must not be found in any block' };
      const transaction = await endorse(stmary, [['transient', 'value']], {
        transientData,
        endorsingOrganizations: ['StmaryMSP'],
      });
      assert.equal(Buffer.from(transaction.getResult()).toString(), `["${transientData.value}"]`);
      assert.equal(open(transaction).proposalPayload.getTransientmapMap().getLength(), 0);
    });
  });
}
