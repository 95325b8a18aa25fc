/** gateway.Gateway/Evaluate. */
import assert from 'node:assert/strict';
import { evaluate, failureOf, parse, propose, submit } from '../../support/ledger-calls.js';
import type { TestClient } from '../../support/embedded-network.js';
import type { Engine } from '../../support/engine.js';

export function evaluateSuite(engine: () => Engine): void {
  describe('evaluate', () => {
    let stmary: TestClient;
    let northside: TestClient;

    before(async () => {
      stmary = engine().client({ member: 'stmary' });
      northside = engine().client({ member: 'northside' });
      await submit(northside, [['privatePut', 'of-northside', 'where', 'northside']], {
        endorsingOrganizations: ['NorthsideMSP'],
      });
    });

    const invocations = async () => (await evaluate(stmary, [['invocations']]))[0] as number;

    it('is run by exactly one peer', async () => {
      const first = await invocations();
      assert.equal(await invocations(), first + 1);
    });

    it('is run by the own organisation first, and by the named one when asked for', async () => {
      // Only northside's own peer has the value; another answers that it is missing.
      assert.deepEqual(await evaluate(northside, [['privateGet', 'of-northside', 'where']]), ['northside']);
      const asNorthside = engine().client({ member: 'stmary', as: engine().identity('northside') });
      const elsewhere = await failureOf(evaluate(asNorthside, [['privateGet', 'of-northside', 'where']]));
      assert.match(elsewhere.message, /private data matching public hash version is not available/);
      assert.deepEqual(
        await evaluate(asNorthside, [['privateGet', 'of-northside', 'where']], {
          endorsingOrganizations: ['NorthsideMSP'],
        }),
        ['northside'],
      );
    });

    it('finds no peers of an unknown organisation', async () => {
      const call = evaluate(stmary, [['get', 'a']], { endorsingOrganizations: ['NowhereMSP'] });
      assert.deepEqual(await failureOf(call), {
        error: 'GatewayError',
        code: 'FAILED_PRECONDITION',
        message: 'no peers available to evaluate chaincode salus in channel health',
        details: [],
      });
    });

    it('finds no peers for an unknown chaincode', async () => {
      const call = stmary.network.getContract('nope').evaluateTransaction('run', '[]');
      assert.deepEqual(await failureOf(call), {
        error: 'GatewayError',
        code: 'FAILED_PRECONDITION',
        message: 'no peers available to evaluate chaincode nope in channel health',
        details: [],
      });
    });

    it('does not know another channel', async () => {
      const call = stmary.gateway.getNetwork('elsewhere').getContract('salus').evaluateTransaction('run', '[]');
      assert.deepEqual(await failureOf(call), {
        error: 'GatewayError',
        code: 'UNAVAILABLE',
        message: 'failed to get config for channel [elsewhere]: could not get last config for channel elsewhere',
        details: [],
      });
    });

    for (const [what, operation, status, message] of [
      ['a thrown error', ['throw', 'no such bed'], 500, 'no such bed'],
      ['an error status', ['respond', '500', 'boom'], 500, 'boom'],
      ['a refusal of the chaincode', ['respond', '404', 'none', 'lost payload'], 404, 'none'],
      ['a status below success', ['respond', '100', 'low'], 100, 'low'],
    ] as const) {
      it(`hands on ${what} of the chaincode, and asks no other peer`, async () => {
        const before = await invocations();
        const expected = `chaincode response ${status}, ${message}`;
        assert.deepEqual(await failureOf(evaluate(stmary, [[...operation]])), {
          error: 'GatewayError',
          code: 'UNKNOWN',
          message: `evaluate call to endorser returned error: ${expected}`,
          details: [`StmaryMSP: ${expected}`],
        });
        assert.equal(await invocations(), before + 2);
      });
    }

    it('takes any status below 400 from 200 on for success', async () => {
      const result = await propose(stmary, [['respond', '302', 'moved', '["there"]']]).evaluate();
      assert.deepEqual(parse(result), ['there']);
    });

    it('says of every peer it tried that its chaincode is down, and works again once it is back', async function () {
      this.timeout(60_000);
      await engine().killChaincode('tally');
      const failure = await failureOf(evaluate(stmary, [['get', 'a']], { endorsingOrganizations: ['TallyMSP'] }));
      await engine().startChaincode('tally');
      assert.equal(failure.code, 'ABORTED');
      assert.equal(failure.message, 'failed to evaluate transaction, see attached details for more info');
      assert.equal(failure.details.length, 1);
      assert.match(
        failure.details[0]!,
        /^TallyMSP: error in simulation: failed to execute transaction <id>: could not launch chaincode salus_/,
      );
      assert.deepEqual(await evaluate(stmary, [['get', 'a']], { endorsingOrganizations: ['TallyMSP'] }), ['']);
    });
  });
}
