import { strict as assert } from 'node:assert';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { gatewayCommands } from '@salus/gateway/commands';
import { type CommandIo } from '@salus/network/command';

import { type FhirBody, type TestNetwork, startNetwork } from '../support/network.js';
import { sharedOrPending } from '../support/shared.js';

interface Entry {
  readonly fullUrl: string;
  readonly resource: FhirBody;
}

describe('20 patients of Synthea, loaded with the salus command', () => {
  let network: TestNetwork;
  let folder: string;
  let token: string;
  const sent: Entry[] = [];
  const printed: string[] = [];

  before(async function () {
    folder = sharedOrPending(this, 'data/synthea');
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
      sent.push(...(JSON.parse(readFileSync(join(folder, file), 'utf8')) as { entry: Entry[] }).entry);
    }
    network = await startNetwork();
    token = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
  });

  after(async () => {
    // Absent when the data is, and the suite is pending.
    await (network as TestNetwork | undefined)?.stop();
  });

  const load = async (): Promise<void> => {
    const verb = gatewayCommands.find((command) => command.name === 'load');
    const io: CommandIo = {
      stateDir: network.stateDir,
      topologyFile: '',
      isTerminal: false,
      isKept: false,
      out: (line) => printed.push(line),
      err: (line) => printed.push(line),
      progress: () => undefined,
    };
    const code = await verb?.run({ args: [folder], options: { member: 'stmary', user: 'loader' } }, io);
    assert.equal(code, 0, printed.join('\n'));
  };
  const countOf = async (type: string): Promise<number> =>
    Number((await network.ask('stmary', `${type}?_summary=count`, { token })).body.total);

  it('are all there, each type in its number', async () => {
    await load();
    const [, transactions] =
      /^(\d+) transactions, \d+\.\d MB sent; told to wait \d+ times/m.exec(printed.join('\n')) ?? [];
    assert.ok(Number(transactions) > 0 && Number(transactions) <= 20, printed.join('\n'));
    const expected = new Map<string, number>();
    for (const { resource } of sent) {
      const type = String(resource.resourceType);
      expected.set(type, (expected.get(type) ?? 0) + 1);
    }
    for (const [type, count] of expected) assert.equal(await countOf(type), count, type);
  }).timeout(180_000);

  it('read back equal to what was sent but for id, meta and rewritten references', async () => {
    const stored = new Map<string, number>();
    for (const type of new Set(sent.map(({ resource }) => String(resource.resourceType)))) {
      for await (const resource of everyResource(network, token, type)) {
        const text = comparable(resource);
        stored.set(text, (stored.get(text) ?? 0) + 1);
      }
    }
    for (const { resource } of sent) {
      const text = comparable(resource);
      const left = stored.get(text) ?? 0;
      assert.ok(left > 0, `not read back as sent: ${text.slice(0, 300)}`);
      if (left === 1) stored.delete(text);
      else stored.set(text, left - 1);
    }
    assert.deepEqual([...stored.keys()], [], 'nothing more than was sent');
  }).timeout(180_000);

  it('make nothing new when loaded a second time', async () => {
    const types = [...new Set(sent.map(({ resource }) => String(resource.resourceType)))];
    const counted = async (): Promise<number[]> => {
      const counts: number[] = [];
      for (const type of types) counts.push(await countOf(type));
      return counts;
    };
    const before = await counted();
    await load();
    assert.deepEqual(await counted(), before);
    assert.match(printed.at(-3) ?? '', /^20 of 20 Bundles loaded in [\d.]+ s: 0 resources created/);
    assert.match(printed.at(-2) ?? '', /^0 a second; 20 Bundles were there already/);
    assert.match(printed.at(-1) ?? '', /^0 transactions, 0\.0 MB sent/);
  }).timeout(180_000);
});

/** A resource without what the server assigns: id, meta, and the targets of references. */
function comparable(resource: FhirBody): string {
  return JSON.stringify(resource, (key: string, value: unknown) => {
    if (key === 'meta' || key === 'id') return undefined;
    if (key === 'reference' && typeof value === 'string' && !value.startsWith('#')) return '<reference>';
    return isPlainObject(value) ? Object.fromEntries(Object.entries(value).sort(byName)) : value;
  });
}

const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}

async function* everyResource(network: TestNetwork, token: string, type: string): AsyncIterable<FhirBody> {
  for (let next: string | undefined = `${type}?_count=500`; next !== undefined;) {
    const page: FhirBody = (await network.ask('stmary', next, { token })).body;
    for (const entry of page.entry ?? []) if (entry.resource !== undefined) yield entry.resource;
    const links = (page['link'] ?? []) as { relation: string; url: string }[];
    const url = links.find((link) => link.relation === 'next')?.url;
    next = url === undefined ? undefined : new URL(url).pathname + new URL(url).search;
  }
}
