/** The judge of the fault runs finds what is wrong: it is shown histories and networks in which something is. */
import { strict as assert } from 'node:assert';
import { execFile } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { glucose } from '../story/people.js';
import { networkOfSuite } from '../support/network.js';
import { scratchFolder } from '../support/scratch.js';
import type { Evidence } from './judge/evidence.js';
import { History, type HistoryLine, linesOf, readHistory } from './judge/history.js';
import { startLoad } from './load/load.js';
import { markOf } from './load/marks.js';
import { meaningOf } from './load/writer.js';
import { HOSPITALS, Members } from './members.js';
import { until } from './until.js';

const JUDGE = fileURLToPath(new URL('./judge/main.js', import.meta.url));
const PATIENCE_MS = 60_000;
/** Acknowledged writes of each client, and reads, before the load stops. */
const ENOUGH = 4;

interface Judged {
  readonly code: number;
  readonly out: string;
}

/** Runs the judge as the fault run does. */
function judge(...args: readonly string[]): Promise<Judged> {
  return new Promise((resolve) => {
    execFile(process.execPath, [JUDGE, ...args], (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out: out + err });
    });
  });
}

/** What the judge counted, without what it counted none of. */
function wrongIn({ out }: Judged): Record<string, number> {
  const counts = [...out.matchAll(/^ *(\d+) ([^:\n]*)/gm)].map(
    ([, count, what = '']) => [what, Number(count)] as const,
  );
  return Object.fromEntries(counts.filter(([what, count]) => count > 0 && !what.startsWith('reads that showed')));
}

describe('the judge of the fault runs', function () {
  this.timeout(300_000);
  const network = networkOfSuite({ overrides: { gateways: { stmary: 2 } } });
  const scratch = scratchFolder();
  const file = (name: string): string => join(scratch.path, name);
  const [history, evidence] = [file('history.jsonl'), file('evidence.json')];
  let lines: HistoryLine[];

  before(async () => {
    const members = new Members(network.stateDir);
    const kept = History.open(history);
    const load = await startLoad(members, kept);
    const isEnough = (): boolean =>
      load.writers.every(({ writes }) => writes.filter(({ told }) => told === 'acknowledged').length >= ENOUGH) &&
      load.reader.shown.filter(({ remote }) => remote).length >= 2;
    assert.ok(await until(isEnough, PATIENCE_MS), 'the load does not come along');
    await load.stop(PATIENCE_MS);
    kept.close();
    lines = readHistory(history);
    const gathered = await judge('gather', network.stateDir, history, evidence);
    assert.equal(gathered.code, 0, gathered.out);
  });
  after(() => {
    scratch.remove();
  });

  /** The verdict on another history, or on other evidence. */
  async function judged(other: readonly HistoryLine[], changed: Partial<Evidence> = {}): Promise<Judged> {
    const [told, found] = [file('other.jsonl'), file('other.json')];
    writeFileSync(told, other.map((line) => `${JSON.stringify(line)}\n`).join(''));
    const whole = JSON.parse(readFileSync(evidence, 'utf8')) as Evidence;
    writeFileSync(found, JSON.stringify({ ...whole, ...changed }));
    return await judge('verdict', told, found);
  }
  const found = (): Evidence => JSON.parse(readFileSync(evidence, 'utf8')) as Evidence;
  /** The write of a client that the history tells of first. */
  const first = (kind: string) => linesOf(lines, 'asked').find((line) => line.kind === kind) ?? assert.fail(kind);

  it('finds nothing wrong with a load of every kind at which nothing went wrong', async () => {
    const kinds = new Set(linesOf(lines, 'asked').map(({ kind }) => kind));
    assert.deepEqual([...kinds].sort(), ['bundle', 'capture', 'consent', 'observation', 'withdrawal']);
    const { code, out } = await judge('verdict', history, evidence);
    assert.equal(code, 0, out);
    const chains = Object.values(found().chains);
    assert.ok(chains.length === 7 && chains.every(({ length }) => length > ENOUGH));
    assert.equal(Object.keys(found().found).length, linesOf(lines, 'asked').flatMap(({ marks }) => marks).length);
  });

  for (const kind of ['observation', 'bundle', 'consent', 'withdrawal', 'capture']) {
    it(`finds an acknowledged ${kind} that is lost, and one that was answered failed and is there`, async () => {
      const { key, marks } = first(kind);
      const mark = marks.at(-1) ?? '';
      const gone = Object.fromEntries(Object.entries(found().found).filter(([name]) => name !== mark));
      assert.deepEqual(wrongIn(await judged(lines, { found: gone })), { 'acknowledged and lost': 1 });
      const failed = lines.map((line) =>
        line.line === 'told' && line.key === key ? { ...line, told: 'failed' as const } : line,
      );
      assert.deepEqual(wrongIn(await judged(failed)), { 'answered failed, yet there': 1 });
    });
  }

  it('finds an acknowledgement of what was never written', async () => {
    const at = Date.now();
    const marks = [markOf.observation(7)];
    const told: HistoryLine[] = [
      { line: 'asked', at, client: 'one', member: 'stmary', kind: 'observation', key: 'k', marks },
      { line: 'told', at, key: 'k', told: 'acknowledged', ids: ['x'] },
    ];
    assert.deepEqual(wrongIn(await judged([...lines, ...told])), { 'acknowledged and lost': 1 });
  });

  it('finds a write whose end nobody was told, and one told under another id', async () => {
    const { key } = first('bundle');
    const isTold = (line: HistoryLine): boolean => line.line === 'told' && line.key === key;
    assert.deepEqual(wrongIn(await judged(lines.filter((line) => !isTold(line)))), {
      'neither acknowledged nor failed': 1,
    });
    const other = lines.map((line) => (line.line === 'told' && line.key === key ? { ...line, ids: ['x'] } : line));
    assert.deepEqual(wrongIn(await judged(other)), { 'acknowledged under an id that is not its own': 1 });
  });

  it('finds a read that left no record, or one later than the answer, at home and across members', async () => {
    const [local, remote] = [false, true].map(
      (is) => linesOf(lines, 'shown').find((line) => line.remote === is) ?? assert.fail('nothing was read'),
    );
    const recorded = found().recorded;
    const what = { 'reads of a patient’s data without a record before': 1 };
    for (const [where, shown] of [
      ['local', local],
      ['remote', remote],
    ] as const) {
      assert.ok(shown !== undefined);
      const others = Object.fromEntries(Object.entries(recorded[where]).filter(([user]) => user !== shown.user));
      const after = { ...others, [shown.user]: shown.at + 1 };
      for (const changed of [others, after]) {
        assert.deepEqual(wrongIn(await judged(lines, { recorded: { ...recorded, [where]: changed } })), what);
      }
      assert.deepEqual(wrongIn(await judged([...lines, { ...shown, user: 'reader-0' }])), what);
    }
  });

  it('finds a peer with another header, another flag, another commit hash, or a block less', async () => {
    const { chains } = found();
    const [own = []] = Object.values(chains);
    const [header, data, flags = '', commit] = (own.at(-1) ?? '').split('/');
    const flipped = Buffer.from(flags, 'hex').map((flag, at) => (at === 0 ? 11 : flag));
    const others = [
      [...own.slice(0, -1), ['00', data, flags, commit].join('/')],
      [...own.slice(0, -1), [header, data, Buffer.from(flipped).toString('hex'), commit].join('/')],
      [...own.slice(0, -1), [header, data, flags, '00'].join('/')],
      own.slice(0, -1),
    ];
    for (const other of others) {
      const wrong = wrongIn(await judged(lines, { chains: { ...chains, 'peer0.tally': other } }));
      assert.deepEqual(wrong, { 'peers with other blocks, flags or commit hashes': 1 });
    }
    const apart = Object.fromEntries(Object.keys(chains).map((peer) => [peer, [...own, peer]]));
    assert.deepEqual(wrongIn(await judged(lines, { chains: apart })), {
      'peers with other blocks, flags or commit hashes': Object.keys(chains).length - 1,
    });
  });

  it('finds calls left open, projections unlike their rebuild, reads not anchored and words elsewhere', async () => {
    const wrong = wrongIn(
      await judged(lines, { openCalls: ['a'], unlikeRebuild: ['b'], unanchored: ['c'], escaped: ['d'] }),
    );
    assert.deepEqual(wrong, {
      'calls left open in outboxes': 1,
      'projections unlike their rebuild': 1,
      'reads not anchored': 1,
      'files outside a hospital’s own that hold its words': 1,
    });
  });

  it('finds faults after which a client never went on, kinds that never came about, gateways that ended', async () => {
    const at = Date.now();
    const fault: HistoryLine = { line: 'fault', at, kind: 'none', came: false, ended: 1 };
    const { code, out } = await judged([...lines, fault]);
    assert.equal(code, 1);
    assert.match(out, /\| none +\| +1 \| +0 \| +Infinity/);
    assert.deepEqual(wrongIn({ code, out }), {
      'faults after which a client never went on': 1,
      'gateways that ended by themselves': 1,
      'kinds that never came about': 1,
    });
  });

  it('is wrong use without its files', async () => {
    assert.equal((await judge('verdict', history)).code, 2);
    assert.equal((await judge('condemn', history, evidence)).code, 2);
  });

  it('asks the network itself: finds what was written twice, as another or as its next version, what was written unasked, and words that escaped', async () => {
    const [custodian = ''] = HOSPITALS;
    const { patient } = linesOf(lines, 'patient').find(({ member }) => member === custodian) ?? assert.fail();
    const token = await network.token({ member: custodian, role: 'physician', user: 'dr-other' });
    const [twice, changed] = linesOf(lines, 'asked').filter(
      ({ kind, member }) => kind === 'observation' && member === custodian,
    );
    const value = Number(twice?.marks[0]?.split('/')[1]);
    const [id = ''] = found().found[changed?.marks[0] ?? ''] ?? [];
    const { text: before } = await network.ask(custodian, `Observation/${id}`, { token });
    const next = { ...(JSON.parse(before) as object), status: 'amended' };
    const amended = await network.ask(custodian, `Observation/${id}`, { token, method: 'PUT', body: next });
    assert.equal(amended.status, 200, amended.text);
    for (const each of [value, 1]) {
      const { status, text } = await network.ask(custodian, 'Observation', { token, body: glucose(patient, each) });
      assert.equal(status, 201, text);
    }
    const again = file('again.json');
    const gathered = await judge('gather', network.stateDir, history, again);
    assert.equal(gathered.code, 0, gathered.out);
    assert.deepEqual(wrongIn(await judge('verdict', history, again)), {
      'written twice': 2,
      'there, and asked for by nobody': 1,
    });
    await network.kill();
    assert.equal((await judge('words', network.stateDir, again)).code, 0);
    assert.deepEqual((JSON.parse(readFileSync(again, 'utf8')) as Evidence).escaped, []);
    const projection = join(network.stateDir, 'members', custodian, 'data', 'projection-gateway0.db-wal');
    copyFileSync(projection, join(network.stateDir, 'members', 'acme', 'copy'));
    assert.equal((await judge('words', network.stateDir, again)).code, 0);
    const { out } = await judge('verdict', history, again);
    assert.match(out, / 1 files outside a hospital’s own that hold its words: members\/acme\/copy/);
  });
});

describe('a client of the fault runs', () => {
  it('takes a refusal as the end, but where an earlier try is open', () => {
    for (const status of [400, 403, 404, 409, 412, 422, 429, 503]) assert.equal(meaningOf(status, false), 'failed');
    for (const status of [200, 201]) assert.equal(meaningOf(status, false), 'acknowledged');
    for (const status of [0, 202, 500, 502, 504]) assert.equal(meaningOf(status, false), undefined);
    for (const status of [409, 429, 503]) assert.equal(meaningOf(status, true), undefined);
    assert.equal(meaningOf(422, true), 'failed');
  });
});
