import assert from 'node:assert/strict';

import { runTicker } from '@salus/gateway/clock/ticker';
import { parseRefusal, Refusal } from '@salus/gateway/ledger/refusal';
import type { Ledger } from '@salus/gateway/ports';
import { approveRegistry, type Approving, missingEntries, readRegistry } from '@salus/gateway/registry/approve';
import type { GatewaySettings, MemberSettings } from '@salus/gateway/settings';

import {
  ContractWorld,
  gatewayCertificate,
  manyMembers,
  memberEntry as contractEntry,
  members,
} from '../support/contract-world.js';
import { eventually } from '../support/eventually.js';
import { exampleSettings } from '../support/example-settings.js';

const mspIdOf = (name: string): string => `${name.charAt(0).toUpperCase()}${name.slice(1)}MSP`;

/** The contracts' double as one member's gateway sees the ledger; notes what it submits. */
function ledgerOf(
  world: ContractWorld,
  member: string,
  submitted: string[],
  channel: readonly string[] = members,
): Ledger & Approving {
  const argumentsOf = (argument: string | undefined) => ({ args: argument === undefined ? [] : [argument] });
  return {
    evaluate: async ({ transaction }) => Buffer.from((await world.evaluate(member, transaction)).payload),
    submit: async ({ transaction, argument }) => {
      const outcome = await world.evaluate(member, transaction, argumentsOf(argument));
      if (outcome.status !== 200) throw parseRefusal(outcome.message) ?? new Error(outcome.message);
      submitted.push(`${transaction} by ${member}`);
      if (world.commit(outcome) !== 'VALID') throw new Refusal('conflict', 'busy', 'voided by another');
      return { txId: outcome.txId, block: 1 };
    },
    blocks: () => {
      throw new Error('not followed here');
    },
    members: () => Promise.resolve(new Set(channel.map(mspIdOf))),
  };
}

describe('what gateways do at first start', () => {
  /** PEM of each member's own. */
  const doorRoots = new Map<string, string>();
  let world: ContractWorld;
  let submitted: string[];
  const never = new AbortController().signal;

  before(async () => {
    for (const name of manyMembers) doorRoots.set(name, await gatewayCertificate(name));
  });

  beforeEach(async () => {
    world = await ContractWorld.empty();
    submitted = [];
  });

  function settingsOf(
    member: string,
    change: Partial<MemberSettings> = {},
    all: readonly string[] = members,
  ): GatewaySettings {
    const example = exampleSettings();
    const cards = all.map((name, index): MemberSettings => {
      const mspId = mspIdOf(name);
      const [jwk] = contractEntry(name).keys as [MemberSettings['jwk']];
      const own = { doorRoot: doorRoots.get(name)!, jwk, kid: jwk.kid, keys: [jwk] };
      const card = { ...example.members[0]!, ...own, name, mspId, baseUrl: `http://127.0.0.1:${8101 + index}` };
      return name === member ? { ...card, ...change } : card;
    });
    return { ...example, member, members: cards };
  }

  async function approveAll(): Promise<void> {
    await Promise.all(
      members.map((member) => approveRegistry(ledgerOf(world, member, submitted), settingsOf(member), never)),
    );
  }

  it('puts consortium and members in force, no approval voiding another', async () => {
    await approveAll();
    const view = await readRegistry(ledgerOf(world, 'acme', []));
    assert.deepEqual(view.members.map(({ entry }) => entry.name).sort(), [...members].sort());
    assert.ok(view.consortium !== undefined);
    assert.ok(submitted.length <= members.length, submitted.join(', '));
  });

  it('changes nothing when done again', async () => {
    await approveAll();
    const before = submitted.length;
    await approveAll();
    assert.equal(submitted.length, before);
  });

  it("makes a new entry of the member's own address, and of nobody else's", async () => {
    await approveAll();
    const moved = settingsOf('stmary', { baseUrl: 'http://127.0.0.1:9999' });
    await approveRegistry(ledgerOf(world, 'stmary', submitted), moved, never);
    const view = await readRegistry(ledgerOf(world, 'acme', []));
    const found = view.members.find(({ entry }) => entry.name === 'stmary');
    assert.equal(found?.entry.gatewayUrl, 'http://127.0.0.1:9999');
    assert.deepEqual(missingEntries(view, { ...moved, member: 'acme' }), []);
  });

  it('takes a newcomer in and lets a member go once a majority has the channel’s members in its settings, and ticks meanwhile', async () => {
    world = await ContractWorld.empty(manyMembers);
    await approveAll();
    const joined = manyMembers.slice(0, 5);
    const [newcomer = ''] = joined.filter((name) => !members.includes(name));
    const stopping = new AbortController();
    const ticking = new Set<string>();
    const started = (member: string, all: readonly string[], channel: readonly string[]) =>
      approveRegistry(ledgerOf(world, member, submitted, channel), settingsOf(member, {}, all), stopping.signal, () =>
        ticking.add(member),
      );
    const inForce = async () => {
      const { consortium, members: entries } = await readRegistry(ledgerOf(world, 'acme', []));
      const names = consortium?.entry.members.map(({ name }) => name) ?? [];
      return { names, described: entries.map(({ entry }) => entry.name).filter((name) => names.includes(name)) };
    };
    const before = submitted.length;
    const first = [newcomer, 'stmary', 'northside'].map((member) => started(member, joined, joined));
    // Settings before the channel, and settings behind it: nobody is voted in, or out again.
    const early = missingEntries(
      await readRegistry(ledgerOf(world, 'acme', [])),
      settingsOf('acme', {}, joined),
      new Set(),
    );
    assert.deepEqual(early, []);
    await eventually(() => {
      assert.deepEqual([...ticking].sort(), ['northside', 'stmary']);
      assert.equal(submitted.length, before + 2);
      return Promise.resolve();
    });
    assert.deepEqual((await inForce()).names, [...members]);
    await Promise.all([...first, started('acme', joined, joined)]);
    assert.deepEqual((await inForce()).names, joined);
    assert.deepEqual((await inForce()).described.sort(), [...joined].sort());
    assert.ok(ticking.has(newcomer));
    const after = submitted.length;
    const behind = started('authority', members, joined);
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal(submitted.length, after, 'an older folder votes for nothing');
    await Promise.all(['stmary', 'northside', 'acme'].map((member) => started(member, members, members)));
    assert.deepEqual((await inForce()).names, [...members]);
    stopping.abort();
    await behind;
  });

  it('ticks the clock once, whoever comes first', async () => {
    await approveAll();
    submitted = [];
    const stopping = new AbortController();
    const options = (member: string) => ({ member, order: () => members, now: () => world.clockMs });
    const tickers = members.map((member) =>
      runTicker(ledgerOf(world, member, submitted), options(member), stopping.signal),
    );
    while (submitted.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await new Promise((resolve) => setTimeout(resolve, 300));
    stopping.abort();
    await Promise.all(tickers);
    assert.deepEqual(submitted, ['clock:tick by stmary']);
  });
});
