/** What a chaincode sees of the ledger while it is simulated. */
import assert from 'node:assert/strict';
import type { Operation } from '../../support/chaincode/operations.js';
import type { TestClient } from '../../support/embedded-network.js';
import type { Engine } from '../../support/engine.js';
import { endorse, evaluate, failureOf, propose, submit } from '../../support/ledger-calls.js';
import { eventOf, readWriteSets } from '../../support/transactions.js';

export function simulationSuite(engine: () => Engine): void {
  describe('a simulation', () => {
    let stmary: TestClient;
    before(async () => {
      stmary = engine().client({ member: 'stmary' });
      await submit(
        stmary,
        Array.from({ length: 250 }, (_, n) => ['put', `ahead/${String(n).padStart(3, '0')}`, 'x'] as const),
      );
    });

    const own = { endorsingOrganizations: ['StmaryMSP'] };
    /** What one peer of stmary answers to operations that nobody submits. */
    const simulate = async (operations: readonly Operation[]) =>
      JSON.parse(Buffer.from((await endorse(stmary, operations, own)).getResult()).toString()) as unknown[];
    /** The reason the chaincode gives for its 500. */
    const reason = async (operations: readonly Operation[]) => {
      const failure = await failureOf(evaluate(stmary, operations));
      return failure.message.replace('evaluate call to endorser returned error: chaincode response 500, ', '');
    };

    it('never reads its own writes, by key or by range', async () => {
      await submit(stmary, [['put', 'c1', 'committed']]);
      const results = await simulate([
        ['put', 'c1', 'mine'],
        ['get', 'c1'],
        ['del', 'c1'],
        ['get', 'c1'],
        ['put', 'c1x', 'mine'],
        ['range', 'c1', 'c2'],
      ]);
      assert.deepEqual(results, [null, 'committed', null, 'committed', null, [['c1', 'committed']]]);
    });

    it('reads nothing of a key that is absent', async () => {
      assert.deepEqual(await evaluate(stmary, [['get', 'absent']]), ['']);
    });

    it('takes the writing of nothing for a delete', async () => {
      await submit(stmary, [['put', 'c2', 'there']]);
      const writes = readWriteSets(await endorse(stmary, [['put', 'c2', '']], own))
        .get('salus')!
        .public.getWritesList();
      assert.deepEqual([writes[0]!.getKey(), writes[0]!.getIsDelete()], ['c2', true]);
      await submit(stmary, [['put', 'c2', '']]);
      assert.deepEqual(
        await evaluate(stmary, [
          ['get', 'c2'],
          ['range', 'c2', 'c2z'],
        ]),
        ['', []],
      );
    });

    it('keeps the last of several writes of one key', async () => {
      await submit(stmary, [
        ['put', 'c3', 'first'],
        ['del', 'c3'],
        ['put', 'c3', 'last'],
      ]);
      assert.deepEqual(await evaluate(stmary, [['get', 'c3']]), ['last']);
    });

    it('may delete what does not exist', async () => {
      assert.equal((await submit(stmary, [['del', 'never']])).successful, true);
    });

    it('knows keys of any characters and of any length, the empty one included', async () => {
      const keys = ['', '\u0000x', '_', '\u{10ffff}', '\ue000', 'é', 'k'.repeat(100_000)];
      await submit(
        stmary,
        keys.map((key, n) => ['put', key, String(n)]),
      );
      assert.deepEqual(
        await evaluate(
          stmary,
          keys.map((key) => ['get', key]),
        ),
        keys.map((_, n) => String(n)),
      );
    });

    it('refuses composite keys with an empty type or attribute', async () => {
      const expected = 'object type or attribute not a non-zero length string';
      assert.equal(await reason([['composite', '', 'a']]), expected);
      assert.equal(await reason([['composite', 'type', 'a', '']]), expected);
      assert.deepEqual(await evaluate(stmary, [['composite', 'type', 'a', 'b']]), ['\u0000type\u0000a\u0000b\u0000']);
      assert.deepEqual(await evaluate(stmary, [['composite', 'type']]), ['\u0000type\u0000']);
    });

    it('finds composite keys by whole attributes only', async () => {
      await submit(stmary, [
        ['putComposite', '1', 'bed', 'ward', '1'],
        ['putComposite', '2', 'bed', 'ward', '2'],
        ['putComposite', '3', 'bed', 'wards', '1'],
      ]);
      assert.deepEqual(
        await evaluate(stmary, [
          ['partial', 'bed', 'ward'],
          ['partial', 'bed', 'war'],
        ]),
        [
          [
            [['ward', '1'], '1'],
            [['ward', '2'], '2'],
          ],
          [],
        ],
      );
    });

    it('reads ranges from start to before end, in the order of the UTF-8 bytes', async () => {
      await submit(stmary, [
        ['put', 'r/a', '1'],
        ['put', 'r/b', '2'],
        ['put', 'r/\ue000', '3'],
        ['put', 'r/\u{10ffff}', '4'],
      ]);
      assert.deepEqual(
        await evaluate(stmary, [
          ['range', 'r/', 'r0'],
          ['range', 'r/a', 'r/b'],
          ['range', 'r0', 'r/'],
        ]),
        [
          [
            ['r/a', '1'],
            ['r/b', '2'],
            ['r/\ue000', '3'],
            ['r/\u{10ffff}', '4'],
          ],
          [['r/a', '1']],
          [],
        ],
      );
    });

    it('hides composite keys and the empty key from an open range', async () => {
      const [all] = (await evaluate(stmary, [['range', '', '']])) as [[string, string][]];
      assert.ok(all.length > 0);
      assert.deepEqual(
        all.filter(([key]) => key === '' || key.startsWith('\u0000')),
        [],
      );
    });

    it('reads a range ahead of the chaincode, and records what it read', async () => {
      const rangesOf = async (operation: Operation) =>
        readWriteSets(await endorse(stmary, [operation], own))
          .get('salus')!
          .public.getRangeQueriesInfoList();
      const [few] = await rangesOf(['range', 'ahead/000', 'ahead/003', '1']);
      assert.equal(few!.getItrExhausted(), true);
      assert.equal(few!.getEndKey(), 'ahead/003');
      assert.equal(few!.getRawReads()?.getKvReadsList().length, 3);
      const [many] = await rangesOf(['range', 'ahead/', 'ahead0', '1']);
      assert.equal(many!.getItrExhausted(), false);
      assert.equal(many!.getEndKey(), 'ahead/100');
      assert.equal(many!.getReadsMerkleHashes()?.getMaxDegree(), 50);
    });

    it('delivers ranges of more than one batch whole', async () => {
      const [rows] = (await evaluate(stmary, [['range', 'ahead/', 'ahead0']])) as [[string, string][]];
      assert.equal(rows.length, 250);
      assert.equal(new Set(rows.map(([key]) => key)).size, 250);
    });

    it('pages with the next page’s first key as bookmark, and none at the end', async () => {
      const results = await evaluate(stmary, [
        ['page', 'ahead/000', 'ahead/005', '2'],
        ['page', 'ahead/000', 'ahead/005', '2', 'ahead/002'],
        ['page', 'ahead/000', 'ahead/005', '2', 'ahead/004'],
        ['page', 'ahead/000', 'ahead/004', '4'],
      ]);
      assert.deepEqual(
        (results as { rows: unknown[]; count: number; bookmark: string }[]).map(({ rows, count, bookmark }) => [
          rows.length,
          count,
          bookmark,
        ]),
        [
          [2, 2, 'ahead/002'],
          [2, 2, 'ahead/004'],
          [1, 1, ''],
          [4, 4, ''],
        ],
      );
    });

    it('does not mix pages with writes, either way round', async () => {
      const page: Operation = ['page', 'ahead/', 'ahead0', '2'];
      assert.equal(
        await reason([page, ['put', 'c9', 'x']]),
        'PUT_STATE failed: transaction ID: <id>: txid [<id>]: unsuppored transaction. Transaction has already performed a paginated query. Writes are not allowed',
      );
      assert.equal(
        await reason([['put', 'c9', 'x'], page]),
        'GET_STATE_BY_RANGE failed: transaction ID: <id>: txid [<id>]: unsuppored transaction. Paginated queries are supported only in a read-only transaction',
      );
    });

    it('knows no rich queries', async () => {
      assert.equal(
        await reason([['query', '{"selector":{}}']]),
        'GET_QUERY_RESULT failed: transaction ID: <id>: ExecuteQuery not supported for leveldb',
      );
    });

    it('tells a key’s history newest first, deletes with an empty value', async () => {
      await submit(stmary, [['put', 'c12', 'one']]);
      await submit(stmary, [['put', 'c12', 'two']]);
      await submit(stmary, [['del', 'c12']]);
      const transaction = await endorse(stmary, [['history', 'c12']], own);
      assert.deepEqual(JSON.parse(Buffer.from(transaction.getResult()).toString()), [
        [
          ['', true],
          ['two', false],
          ['one', false],
        ],
      ]);
      assert.equal(readWriteSets(transaction).has('salus'), false);
    });

    it('leaves invalid transactions out of the history', async () => {
      const proposal = propose(stmary, [['put', 'c12i', 'invalid']], own);
      assert.equal((await (await (await proposal.endorse()).submit()).getStatus()).successful, false);
      await submit(stmary, [['put', 'c12i', 'valid']]);
      assert.deepEqual(await evaluate(stmary, [['history', 'c12i']]), [[['valid', false]]]);
    });

    it('keeps the last of several events', async () => {
      const transaction = await endorse(
        stmary,
        [
          ['event', 'first', '1'],
          ['event', 'last', '2'],
        ],
        own,
      );
      const event = eventOf(transaction)!;
      assert.deepEqual(
        [
          event.getEventName(),
          Buffer.from(event.getPayload_asU8()).toString(),
          event.getChaincodeId(),
          event.getTxId(),
        ],
        ['last', '2', 'salus', transaction.getTransactionId()],
      );
    });

    it('refuses an event without a name', async () => {
      assert.equal(await reason([['event', '', 'x']]), 'Event name must be a non-empty string');
    });

    it('tells the client’s own time and organisation', async () => {
      const [time, creator] = await evaluate(stmary, [['timestamp'], ['creator']]);
      assert.ok(Math.abs(Date.parse(time as string) - Date.now()) < 60_000);
      assert.equal(creator, 'StmaryMSP');
    });

    it('has no member of its own to tell as a service', async () => {
      assert.match(await reason([['mspId']]), /CORE_PEER_LOCALMSPID is unset in chaincode process/);
    });

    it('carries arguments of 3 MB', async () => {
      const argument = 'x'.repeat(3 * 1024 * 1024);
      assert.deepEqual(await simulate([['put', 'large', argument]]), [null]);
    });
  });
}
