import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';

import { commitmentOf, merkleRoot } from '@salus/chaincode/supply/api';
import { packEpc } from '@salus/gateway/supply/packs/identity';

import { holders } from '../support/bytes-search.js';
import { networkOfSuite } from '../support/network.js';
import { GTIN, pack, sscc, tell, TradeSystem } from './packs.js';

const LOT = 'CANARYLOT77';
const NAME = 'Canaryproductol';
const PARTIES = ['acme', 'meridian', 'northside'];

describe('what a member that takes no part learns of a trade', function () {
  this.timeout(120_000);
  const network = networkOfSuite();
  const serials = [770_077_001, 770_077_002, 770_077_003];
  const [one = '', two = '', three = ''] = serials.map(pack);
  const pallet = sscc(770_077);
  /** All that is not the parties' own: more than one member holds, the ledger's files with everybody's ciphertext among it. */
  let files: readonly string[];
  const known = new Set<string>();

  before(async () => {
    const [acme, meridian] = [new TradeSystem(network, 'acme'), new TradeSystem(network, 'meridian')];
    const commissioned = tell.commissioned(serials, LOT) as { readonly ilmd: object };
    const made = await acme.capture(
      'supply-operator',
      { ...commissioned, ilmd: { ...commissioned.ilmd, 'cbvmda:regulatedProductName': NAME } },
      tell.packed(pallet, [one, two]),
      tell.shipped([pallet], 'meridian'),
      // Nobody receives this one: its receiver did nothing on the ledger.
      tell.shipped([three], 'northside'),
    );
    const received = await meridian.capture('supply-operator', tell.received([pallet]));
    assert.ok(
      [...made, ...received].every(({ state }) => state === 'done'),
      JSON.stringify([made, received]),
    );
    const own = PARTIES.map((member) => ['members', member].join(sep) + sep);
    files = readdirSync(network.stateDir, { recursive: true, encoding: 'utf8' }).filter(
      (file) => !own.some((folder) => file.startsWith(folder)) && statSync(join(network.stateDir, file)).isFile(),
    );
    for (const file of files) {
      const text = readFileSync(join(network.stateDir, file)).toString('latin1');
      for (const [found] of text.matchAll(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g)) known.add(found);
    }
  });

  it('is no product, lot, serial or container, in whatever shape it may be written', () => {
    const words = [GTIN, GTIN.slice(1), LOT, NAME, ...serials.map(String), pallet.slice('urn:epc:id:sscc:'.length)];
    const held: string[] = [];
    for (const word of words) {
      const found = holders(network.stateDir, word);
      held.push(...found);
      const foreign = found.filter((file) => files.includes(file));
      assert.deepEqual(foreign, [], word);
    }
    // The search finds what is there: at the parties themselves.
    assert.notDeepEqual(held, []);
  });

  it('is no pack by guessing: not its plain hash, and no HMAC under anything that is public', () => {
    assert.ok(known.size > 50, String(known.size));
    const epcs = [
      ...serials.map((serial) => packEpc(GTIN, String(serial))),
      one,
      two,
      three,
      pallet,
      LOT,
      `${GTIN}.${LOT}`,
    ];
    const keys = [...known].map((hex) => Buffer.from(hex, 'hex'));
    const guesses = epcs.flatMap((epc) => [
      createHash('sha256').update(epc).digest('hex'),
      createHmac('sha256', '').update(epc).digest('hex'),
      ...keys.map((key) => createHmac('sha256', key).update(epc).digest('hex')),
      ...keys.map((key) => createHash('sha256').update(key).update(epc).digest('hex')),
    ]);
    assert.deepEqual(
      guesses.filter((guess) => known.has(guess)),
      [],
    );
  });

  it('is no event by guessing: the root of a capture is not made of what the events say alone', async () => {
    const token = await network.token({ member: 'acme', role: 'supply-operator' });
    const job = await network.ask('acme', '/epcis/events?perPage=50', {
      token,
      headers: { accept: 'application/json' },
    });
    const results = (job.body['epcisBody'] as { queryResults: { resultsBody: { eventList: { eventID: string }[] } } })
      .queryResults.resultsBody;
    const hashes = results.eventList.map(({ eventID }) => eventID);
    const lists = [...hashes.map((hash) => [hash]), hashes, [...hashes].reverse()];
    const roots = lists.map((list) => merkleRoot(list.map((hash) => Buffer.from(hash))).toString('hex'));
    assert.ok(hashes.length >= 4 && hashes.every((hash) => hash.startsWith('ni:///sha-256;')), hashes.join());
    assert.deepEqual(
      roots.filter((root) => known.has(root)),
      [],
    );
  });

  it('is no quantity of what lies in a container: its tree is of one size whatever it holds', () => {
    const contents = files.flatMap((file) => [
      ...readFileSync(join(network.stateDir, file))
        .toString('latin1')
        .matchAll(/"children":(\{.*?\})/g),
    ]);
    assert.ok(contents.length > 0);
    for (const [, content = ''] of contents) {
      const { root, others, ...more } = JSON.parse(content) as { root: string; others?: boolean };
      assert.match(root, /^[0-9a-f]{64}$/);
      assert.ok(others === undefined || others);
      assert.deepEqual(more, {});
    }
  });

  it('is no partner before it acts itself: commitments open by nothing that is public', () => {
    const names = Object.keys(network.consortium.endpoints.members);
    const salts = ['', ...known];
    const opened = new Set(names.filter((name) => salts.some((salt) => known.has(commitmentOf(name, salt)))));
    // Who acted was seen to act: its own salts are opened by its next act.
    assert.ok(opened.has('meridian'), [...opened].join());
    assert.deepEqual(
      [...opened].filter((name) => !['acme', 'meridian'].includes(name)),
      [],
    );
  });
});
