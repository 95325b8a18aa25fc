import assert from 'node:assert/strict';
import { peer } from '@hyperledger/fabric-protos';
import { Collector } from '@salus/network/embedded/gateway/collector';
import type { Answer } from '@salus/network/embedded/gateway/endorser-answer';
import type { Peer, Plan } from '@salus/network/embedded/gateway/planner';

function peerOf(mspId: string, address: string): Peer {
  const endorser = { mspId, address, process: () => Promise.reject(new Error('asked directly')) };
  return { endorser, identity: Buffer.from(address) };
}

function endorsed(by: Peer, payload = 'same'): Answer {
  const response = new peer.ProposalResponse();
  response.setPayload(Buffer.from(payload));
  const endorsement = new peer.Endorsement();
  endorsement.setEndorser(by.identity);
  response.setEndorsement(endorsement);
  return { ok: true, response };
}

function refused(by: Peer): Answer {
  const { address, mspId } = by.endorser;
  return { ok: false, code: 10, retry: true, detail: { address, mspId, message: 'no' } };
}

const a0 = peerOf('A', 'a0');
const a1 = peerOf('A', 'a1');
const b0 = peerOf('B', 'b0');
const c0 = peerOf('C', 'c0');
const groups = new Map([
  ['A', [a0, a1]],
  ['B', [b0]],
  ['C', [c0]],
]);

function collectorOf(layouts: readonly (readonly (readonly [string, number])[])[], answers: (asked: Peer) => Answer) {
  const asked: string[] = [];
  const plan: Plan = { layouts: layouts.map((layout) => new Map(layout)), groups };
  const collector = new Collector(plan, (one) => {
    asked.push(one.endorser.address);
    return Promise.resolve(answers(one));
  });
  return { collector, asked };
}

async function endorsers(collector: Collector): Promise<string[] | undefined> {
  const found = await collector.collect();
  return found?.endorsements.map((endorsement) => Buffer.from(endorsement.getEndorser_asU8()).toString());
}

const AB = [
  ['A', 1],
  ['B', 1],
] as const;
const AC = [
  ['A', 1],
  ['C', 1],
] as const;

describe('collecting endorsements', () => {
  it('asks one peer of each group', async () => {
    const { collector, asked } = collectorOf([AB, AC], endorsed);
    assert.deepEqual(await endorsers(collector), ['a0', 'b0']);
    assert.deepEqual(asked, ['a0', 'b0']);
  });

  it('asks the next peer of the same organisation after a failure', async () => {
    const { collector } = collectorOf([AB], (one) => (one === a0 ? refused(one) : endorsed(one)));
    assert.deepEqual((await endorsers(collector))?.sort(), ['a1', 'b0']);
    assert.deepEqual(
      collector.failures.map(({ address }) => address),
      ['a0'],
    );
  });

  it('goes on to another layout and uses what it has', async () => {
    const { collector, asked } = collectorOf([AB, AC], (one) => (one === b0 ? refused(one) : endorsed(one)));
    assert.deepEqual(await endorsers(collector), ['a0', 'c0']);
    assert.deepEqual(asked, ['a0', 'b0', 'c0']);
  });

  it('keeps the first endorser out when no layout wants it', async () => {
    const { collector } = collectorOf([[['B', 1]]], endorsed);
    collector.take(a0, endorsed(a0));
    assert.deepEqual(await endorsers(collector), ['b0']);
  });

  it('names the peer whose payload differs from the first', async () => {
    const { collector } = collectorOf([AB], (one) => endorsed(one, one === b0 ? 'other' : 'same'));
    collector.take(a0, endorsed(a0));
    assert.equal(await endorsers(collector), undefined);
    assert.deepEqual(collector.failures, [
      { address: 'b0', mspId: 'B', message: 'ProposalResponsePayloads do not match' },
    ]);
  });

  it('counts two peers of one group where two are needed', async () => {
    const { collector } = collectorOf([[['A', 2]]], endorsed);
    assert.deepEqual(await endorsers(collector), ['a0', 'a1']);
  });
});
