import assert from 'node:assert/strict';

import { MAX_MANIFESTS, merkleRoot, type DiscloseAccess, type Manifest } from '@salus/chaincode/access/api';
import { Manifests, MOST_WAITING } from '@salus/gateway/door/manifests';
import { Refusal } from '@salus/gateway/ledger/refusal';
import type { LedgerCall } from '@salus/gateway/ports';

import { random } from '../support/contract-world.js';

const entry = JSON.stringify({ resourceType: 'Observation', id: 'o' });

describe('what a door handed over', () => {
  let sent: readonly Manifest[][];
  let unanchored: unknown[];
  let refusing: (manifest: Manifest) => boolean;
  let manifests: Manifests;

  beforeEach(() => {
    sent = [];
    unanchored = [];
    refusing = () => false;
    const submit = ({ transient }: LedgerCall) => {
      const request = JSON.parse(Buffer.from(transient!.request!).toString('utf8')) as DiscloseAccess;
      if (request.manifests.some(refusing)) {
        return Promise.reject(new Refusal('not-found', 'unknown-access', 'no such access'));
      }
      sent = [...sent, [...request.manifests]];
      return Promise.resolve({ txId: '', block: 0 });
    };
    manifests = new Manifests({ ledger: { submit }, onUnanchored: (error) => unanchored.push(error) });
  });

  it('is anchored together, each under its own access', async () => {
    const [first, second] = [random(), random()];
    manifests.add(first, [entry]);
    manifests.add(second, [entry, entry]);
    assert.equal(sent.length, 0);
    await manifests.settled();
    assert.deepEqual(
      sent.map((each) => each.map(({ aid, count }) => [aid, count])),
      [
        [
          [first, 1],
          [second, 2],
        ],
      ],
    );
    assert.notEqual(sent[0]?.[0]?.root, sent[0]?.[1]?.root);
  });

  it('is one manifest for all that went out under an access within a second, resource by resource', async () => {
    const aid = random();
    const page = (n: number) => JSON.stringify({ resourceType: 'Observation', id: `o${n}` });
    manifests.add(aid, [page(1), page(2)]);
    manifests.add(random(), [entry]);
    manifests.add(aid, [page(3)]);
    await manifests.settled();
    const [[own, other] = []] = sent;
    assert.equal(sent.length, 1);
    assert.equal(other?.count, 1);
    const salt = Buffer.from(own?.salt ?? '', 'hex');
    const items = [page(1), page(2), page(3)].map((text) => Buffer.concat([salt, Buffer.from(text)]));
    assert.deepEqual(
      { ...own, manifestId: '', salt: '' },
      {
        ...{ aid, manifestId: '', salt: '' },
        root: merkleRoot(items).toString('hex'),
        count: 3,
      },
    );
  });

  it(`goes out at once when ${MOST_WAITING} resources wait`, async () => {
    const aid = random();
    manifests.add(
      aid,
      Array.from({ length: MOST_WAITING - 1 }, () => entry),
    );
    assert.equal(sent.length, 0);
    manifests.add(aid, [entry]);
    assert.deepEqual(
      sent.map((each) => each.map(({ count }) => count)),
      [[MOST_WAITING]],
    );
    await manifests.settled();
  });

  it(`goes out by itself when a second is over, and at once when ${MAX_MANIFESTS} wait`, async () => {
    manifests.add(random(), [entry]);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    assert.deepEqual(
      sent.map(({ length }) => length),
      [1],
    );
    for (let count = 0; count <= MAX_MANIFESTS; count += 1) manifests.add(random(), [entry]);
    assert.deepEqual(
      sent.map(({ length }) => length),
      [1, MAX_MANIFESTS],
    );
    await manifests.settled();
    assert.deepEqual(
      sent.map(({ length }) => length),
      [1, MAX_MANIFESTS, 1],
    );
  });

  it('is not kept back by what the ledger refuses of it, which is told', async () => {
    const refused = random();
    refusing = ({ aid }) => aid === refused;
    for (const aid of [random(), refused, random()]) manifests.add(aid, [entry]);
    await manifests.settled();
    assert.deepEqual(
      sent.map(({ length }) => length),
      [1, 1],
    );
    assert.equal(unanchored.length, 1);
  });
});
