/** What a holder of the gateway's own certificate writes straight at the member's peer, past the gateway's validation. */
import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { transactions, type VersionEntry, type WriteVersions } from '@salus/chaincode/ehr/api';
import { codeOf, toEntry, type VersionContent } from '@salus/gateway/ehr/translate';
import { freshSecrets } from '@salus/gateway/keys/content';
import { KeyStore } from '@salus/gateway/keys/key-store';
import { connectLedger, type ConnectedLedger } from '@salus/gateway/ledger/fabric-ledger';
import { actorBytes, GATEWAY_ACTOR } from '@salus/gateway/ledger/vouched';

import { salus } from '../support/command.js';
import { gatewaySettings } from '../support/gateway-settings.js';
import { type Answer, networkOfSuite } from '../support/network.js';
import { glucose, patient } from '../story/people.js';

const CANARY = 'CANARY-PAST-VALIDATION';
const random = (): string => randomBytes(32).toString('hex');

/** What /readyz says of the channel. */
interface Standing {
  readonly height: number;
  readonly channelHeight: number;
  readonly unreadable: number;
  readonly unindexed: number;
}

describe('a value written past the gateway’s validation', function () {
  this.timeout(120_000);
  const network = networkOfSuite();
  let keys: KeyStore;
  let ledger: ConnectedLedger;
  let token: string;
  let patientId: string;

  before(async () => {
    const settings = gatewaySettings(network.stateDir, 'stmary');
    keys = new KeyStore(settings.dataDir);
    ledger = connectLedger(settings);
    token = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    const { body } = await network.ask('stmary', 'Patient', { token, body: patient });
    patientId = String(body.id);
  });
  after(() => {
    ledger.close();
    keys.close();
  });

  /** An entry whose key the member's store has, under the code of another name where one is given. */
  function entryOf(content: VersionContent, version = 1, { type, id } = content): VersionEntry {
    const [secrets] = freshSecrets(1);
    const made = toEntry(content, version, codeOf(keys, type, id), secrets!);
    keys.keepVersionKeys([{ ledgerKey: made.ledgerKey, ...secrets!, patient: patientId }]);
    return made.entry;
  }

  async function write(entries: readonly VersionEntry[]): Promise<number> {
    const request: WriteVersions = { idempotencyKey: random(), digest: random(), entries, salt: random() };
    const transient = { request: Buffer.from(JSON.stringify(request)), actor: actorBytes(GATEWAY_ACTOR) };
    const { mspId } = gatewaySettings(network.stateDir, 'stmary');
    const { block } = await ledger.submit({ transaction: transactions.write, transient, endorsers: [mspId] });
    return block;
  }

  const observation = (id: string, more: object = {}): VersionContent => {
    const text = JSON.stringify({ resourceType: 'Observation', id, ...glucose(patientId, 91), ...more });
    return { type: 'Observation', id, patient: patientId, text };
  };

  const read = (path: string, block: number) =>
    network.ask('stmary', path, { token, headers: { 'x-min-block': String(block) } });

  async function standing(): Promise<Standing> {
    const { body } = await network.ask('stmary', '/readyz');
    return (body.channels as Record<string, Standing>).health!;
  }

  it('is read by its id and found by what can be derived of it, and the gateway goes on', async () => {
    const damaged = { code: 'no concept', category: {}, component: { code: 7 }, note: [{ text: CANARY }] };
    const block = await write([entryOf(observation('damaged', damaged))]);
    const { status, body } = await read('Observation/damaged', block);
    assert.deepEqual([status, body.code, body.note], [200, 'no concept', [{ text: CANARY }]]);
    for (const query of ['_id=damaged', `subject=Patient/${patientId}`, 'date=2026', 'value-quantity=91', '']) {
      const found = await read(`Observation?${query}`, block);
      assert.deepEqual(
        found.body.entry?.map(({ resource }) => resource?.id),
        ['damaged'],
        query,
      );
    }
    const record = await read(`Patient/${patientId}/$everything`, block);
    assert.deepEqual(record.body.entry?.map(({ resource }) => resource?.id).sort(), ['damaged', patientId].sort());
    assert.equal((await read('Observation/damaged/_history', block)).body.total, 1);
    const { unindexed, unreadable, height, channelHeight } = await standing();
    assert.deepEqual([unindexed, unreadable, height], [1, 0, channelHeight]);
  });

  it('is shown to nobody where it holds no resource, or takes the place of one', async () => {
    const kept = entryOf(observation('kept'));
    await write([kept]);
    const block = await write([
      entryOf({ ...observation('torn'), text: '{"resourceType":"Observation","id":"torn","code":' }),
      entryOf({ ...observation('list'), text: '[]' }),
      entryOf({ ...observation('nothing'), text: 'null' }),
      entryOf({ type: 'Observation', id: 5 as unknown as string, text: '{}' }),
      entryOf(observation('kept', { status: 'amended' }), 1, observation('another')),
      { ...entryOf(observation('swapped')), value: { ...kept.value, commitment: random() } },
      entryOf({ type: 'TrialSubject', id: 'x', patient: patientId, text: 'null' }),
    ]);
    for (const id of ['torn', 'list', 'nothing', 'swapped']) {
      assert.equal((await read(`Observation/${id}`, block)).status, 404, id);
    }
    assert.equal((await read('Observation/kept', block)).body.status, 'final');
    assert.equal((await standing()).unreadable, 7);
  });

  it('comes not into force under the ledger key of another resource, and the true version does', async () => {
    const forged = entryOf(observation('kept', { status: 'entered-in-error' }), 2, observation('another'));
    const block = await write([forged]);
    const before = await read('Observation/kept', block);
    assert.deepEqual([before.body.status, before.headers.get('etag')], ['final', 'W/"1"']);
    assert.equal((await standing()).unreadable, 8);
    const body = { id: 'kept', ...glucose(patientId, 93), status: 'corrected' };
    const answer = await network.ask('stmary', 'Observation/kept', { method: 'PUT', token, body });
    assert.equal(answer.status, 200, answer.text);
    const now = await read('Observation/kept', Number(answer.headers.get('x-block')));
    assert.deepEqual([now.body.status, now.headers.get('etag')], ['corrected', 'W/"2"']);
    assert.equal((await standing()).unreadable, 8);
  });

  /** Puts the next version, which refers to the version that the same transaction makes of it. */
  async function amended(id: string, inForce: number): Promise<Answer> {
    const fullUrl = 'urn:uuid:6f1c3a52-0d5f-4a10-9a64-0f6f5d1b2c3d';
    const derivedFrom = [{ reference: `${fullUrl}/_history/1` }];
    const resource = { id, ...glucose(patientId, 94), status: 'amended', derivedFrom };
    const url = `Observation/${id}`;
    const entry = [{ fullUrl, resource, request: { method: 'PUT', url, ifMatch: `W/"${inForce}"` } }];
    const body = { resourceType: 'Bundle', type: 'transaction', entry };
    const answer = await network.ask('stmary', '', { token, body });
    assert.equal(answer.status, 200, answer.text);
    return await read(url, Number(answer.headers.get('x-block')));
  }

  it('that no kept key opens is shown to nobody and counted, and does not stop the next true version', async () => {
    await write([entryOf(observation('blocked'))]);
    let block = 0;
    for (const version of [2, 3]) {
      const [secrets] = freshSecrets(1);
      const { entry } = toEntry(observation('blocked'), version, codeOf(keys, 'Observation', 'blocked'), secrets!);
      block = await write([entry]);
    }
    assert.equal((await read('Observation/blocked', block)).headers.get('etag'), 'W/"1"');
    assert.equal((await standing()).unreadable, 10);
    const now = await amended('blocked', 1);
    assert.deepEqual([now.headers.get('etag'), now.body.status], ['W/"4"', 'amended']);
    assert.equal((now.body.derivedFrom as { reference: string }[])[0]?.reference, 'Observation/blocked/_history/4');
    const history = await read('Observation/blocked/_history', block);
    const versions = history.body.entry?.map(({ resource }) => (resource?.meta as { versionId: string }).versionId);
    assert.deepEqual(versions, ['4', '1']);
    assert.equal((await read('Observation/blocked/_history/2', block)).status, 404);
  });

  it('brings no earlier version back into force, although its key is kept', async () => {
    const first = entryOf(observation('replayed'));
    await read('Observation/replayed', await write([first]));
    assert.equal((await amended('replayed', 1)).headers.get('etag'), 'W/"2"');
    const block = await write([{ ...first, version: 3 }]);
    const now = await read('Observation/replayed', block);
    assert.deepEqual([now.headers.get('etag'), now.body.status], ['W/"2"', 'amended']);
    assert.equal((await standing()).unreadable, 11);
    assert.equal((await amended('replayed', 2)).headers.get('etag'), 'W/"4"');
  });

  it('is told to the operator without its content, and a rebuild finds the same', async () => {
    const metrics = (await network.ask('stmary', '/metrics')).text.match(/^salus_(?!http).*$/gm)?.join('\n') ?? '';
    assert.match(metrics, /^salus_projection_unindexed_resources\{.*\} 1$/m);
    assert.match(metrics, /^salus_projection_unreadable_values\{.*\} 11$/m);
    assert.match(metrics, /^salus_alarms_total\{alarm="value-unindexed",.*\} 1$/m);
    const status = await salus(network.stateDir, ['status']);
    assert.match(status.out, /^stmary .* 12 stored values not indexed whole/m);
    assert.equal(status.out.match(/not indexed whole/g)?.length, 1);
    const logs = join(network.stateDir, 'log');
    const log = readdirSync(logs)
      .filter((file) => file.startsWith('gateway'))
      .map((file) => readFileSync(join(logs, file), 'utf8'))
      .join('\n');
    const alarm = log.split('\n').find((line) => line.includes('"alarm":"value-unindexed"')) ?? '';
    assert.match(alarm, /"txId":"[0-9a-f]{64}","block":"\d+"/);
    assert.ok(!log.includes(CANARY) && !log.includes('damaged'));
    const rebuilt = await salus(network.stateDir, ['rebuild', '--member', 'stmary']);
    assert.equal(rebuilt.code, 0, rebuilt.out + rebuilt.err);
  });

  it('is no fault any more once a version that is whole takes its place', async () => {
    const body = { id: 'damaged', ...glucose(patientId, 92) };
    const answer = await network.ask('stmary', 'Observation/damaged', { method: 'PUT', token, body });
    assert.equal(answer.status, 200, answer.text);
    assert.equal((await standing()).unindexed, 0);
    const found = await read('Observation?code=http://loinc.org|2339-0', Number(answer.headers.get('x-block')));
    assert.ok(
      found.body.entry?.some(({ resource }) => resource?.id === 'damaged'),
      found.text,
    );
  });
});
