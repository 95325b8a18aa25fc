import { strict as assert } from 'node:assert';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { campaign } from '../support/campaigns.js';
import { salus } from '../support/command.js';
import { freePortBase } from '../support/free-ports.js';
import { type TestNetwork, startNetwork } from '../support/network.js';
import { projectRoot } from '../support/shared.js';
import { glucose, patient } from '../story/people.js';

/** Kills in the slice that every test run takes, and in the whole campaign. */
const kills = campaign('kill').size({ slice: 2, full: 20 });
/** Who writes one resource at a time, and who writes transaction Bundles. */
const clients = { single: 4, bundles: 2 };
const bundleSize = 25;
/** Files that `salus load` finds more at each kill. */
const filesPerKill = 20;

/** One write: its key, and the value of each Observation in it. */
interface Attempt {
  readonly key: string;
  readonly values: readonly number[];
}

describe(`kill -9 of the whole system while it writes and loads, ${kills} times`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'salus-kill-'));
  const stateDir = join(folder, 'state');
  const files = join(folder, 'bundles');
  const random = campaign('kill').random();
  const acknowledged: (Attempt & { readonly ids: readonly string[] })[] = [];
  const unresolved: Attempt[] = [];
  const inFiles: number[] = [];
  let network: TestNetwork;
  let portBase: number;
  let token: string;
  let patientId: string;
  let written = 0;
  let interrupted = 0;

  const up = async (): Promise<void> => {
    network = await startNetwork({ stateDir, portBase });
    token = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
  };

  before(async () => {
    mkdirSync(files);
    portBase = await freePortBase();
    await up();
    const created = await network.ask('stmary', 'Patient', { token, body: patient });
    assert.equal(created.status, 201, created.text);
    patientId = String(created.body.id);
  });

  after(async () => {
    await network.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const nextValues = (count: number): number[] => Array.from({ length: count }, () => (written += 1));
  const entries = (values: readonly number[]): object[] =>
    values.map((value) => ({
      resource: glucose(patientId, value),
      request: { method: 'POST', url: 'Observation' },
    }));
  const transaction = (values: readonly number[]): object => ({
    resourceType: 'Bundle',
    type: 'transaction',
    entry: entries(values),
  });

  /** Writes until the system is gone; the values tell the resources apart. */
  async function writeUntilKilled(size: number): Promise<void> {
    for (;;) {
      const values = nextValues(size);
      if (!(await write({ key: `kill-${values[0] ?? 0}`, values }))) return;
    }
  }

  /** False when nobody answered. */
  async function write(attempt: Attempt): Promise<boolean> {
    const { key, values } = attempt;
    const [value = 0] = values;
    const single = values.length === 1;
    const question = { token, body: single ? glucose(patientId, value) : transaction(values) };
    try {
      const headers = { 'idempotency-key': key };
      const answer = await network.ask('stmary', single ? 'Observation' : '', { ...question, headers });
      if (answer.status !== (single ? 201 : 200)) unresolved.push(attempt);
      else acknowledged.push({ ...attempt, ids: single ? [String(answer.body.id)] : idsIn(answer.text) });
      return true;
    } catch {
      unresolved.push(attempt);
      return false;
    }
  }

  /** More files, and a value in the first of them. */
  function moreFiles(): number {
    const known = inFiles.length;
    for (let file = 0; file < filesPerKill; file += 1) {
      const values = nextValues(bundleSize);
      inFiles.push(...values);
      const name = String(values[0] ?? 0).padStart(8, '0');
      writeFileSync(join(files, `${name}.json`), JSON.stringify(transaction(values)));
    }
    return inFiles[known] ?? 0;
  }

  /** Resolves when the first new file is loaded: the load is in the midst of it. */
  async function underWay(value: number, load: ChildProcess): Promise<void> {
    const path = `Observation?patient=${patientId}&value-quantity=${value}&_summary=count`;
    while (load.exitCode === null && (await network.ask('stmary', path, { token })).body.total !== 1) await sleep(5);
  }

  const loading = (): ChildProcess => {
    const cli = join(projectRoot, 'network', 'dist', 'cli.js');
    const env = { ...process.env, SALUS_STATE: stateDir };
    return spawn(process.execPath, [cli, 'load', files, '--member', 'stmary'], { env, stdio: 'ignore' });
  };

  /** Ends a running load by a signal; one that was done already does not count as interrupted. */
  async function interrupt(load: ChildProcess, signal: 'SIGINT' | 'SIGKILL'): Promise<void> {
    if (load.exitCode !== null || load.signalCode !== null) return;
    const ended = once(load, 'exit');
    load.kill(signal);
    const [code] = (await ended) as [number | null];
    if (code !== 0) interrupted += 1;
  }

  it('loses nothing acknowledged and writes nothing twice', async () => {
    for (let round = 0; round < kills; round += 1) {
      const value = moreFiles();
      const writers = [
        ...Array.from({ length: clients.single }, () => writeUntilKilled(1)),
        ...Array.from({ length: clients.bundles }, () => writeUntilKilled(bundleSize)),
      ];
      const first = loading();
      await underWay(value, first);
      await interrupt(first, round % 2 === 0 ? 'SIGINT' : 'SIGKILL');
      const second = loading();
      await sleep(200 + random() * 1_500);
      await network.kill();
      await Promise.all(writers);
      await interrupt(second, 'SIGKILL');
      await up();
      // What was left open is asked again under its key, and takes effect once.
      for (const attempt of unresolved.splice(0)) assert.ok(await write(attempt), `${attempt.key} is not answered`);
      assert.deepEqual(unresolved.splice(0), [], 'every key is resolved after the restart');
      for (const id of acknowledged.slice(-10).flatMap(({ ids }) => ids)) {
        assert.equal((await network.ask('stmary', `Observation/${id}`, { token })).status, 200, id);
      }
    }
    assert.ok(interrupted > 0, 'no load was interrupted');
    await loadsAtLast();
    const values = await allValues(network, token, patientId);
    const expected = [...acknowledged.flatMap((attempt) => attempt.values), ...inFiles].sort((a, b) => a - b);
    assert.deepEqual(values, expected);
    await rebuildsAlike(network);
  }).timeout(kills * 180_000);

  /** The load that was interrupted again and again, to its end; once more, it finds all there. */
  async function loadsAtLast(): Promise<void> {
    const all = await salus(stateDir, ['load', files, '--member', 'stmary']);
    assert.equal(all.code, 0, all.err);
    const again = await salus(stateDir, ['load', files, '--member', 'stmary']);
    assert.match(again.out, new RegExp(`${kills * filesPerKill} Bundles were there already`));
  }
});

/** Ids that a transaction's response gives, in the order of its entries. */
function idsIn(text: string): string[] {
  return [...text.matchAll(/"location":"[^"]*Observation\/([^/"]+)/g)].map((match) => match[1] ?? '');
}

/** Every hospital's projection is what the ledger gives from genesis on. */
async function rebuildsAlike(network: TestNetwork): Promise<void> {
  for (const member of ['stmary', 'northside']) {
    const rebuilt = await salus(network.stateDir, ['rebuild', '--member', member]);
    assert.equal(rebuilt.code, 0, rebuilt.err);
  }
}

async function allValues(network: TestNetwork, token: string, patientId: string): Promise<number[]> {
  const values: number[] = [];
  for (let next: string | undefined = `Observation?patient=${patientId}&_count=1000`; next !== undefined;) {
    const { body } = await network.ask('stmary', next, { token });
    for (const { resource } of body.entry ?? []) {
      values.push((resource?.['valueQuantity'] as { value: number }).value);
    }
    const url = ((body['link'] ?? []) as { relation: string; url: string }[]).find(
      (link) => link.relation === 'next',
    )?.url;
    next = url === undefined ? undefined : new URL(url).pathname + new URL(url).search;
  }
  return values.sort((a, b) => a - b);
}
