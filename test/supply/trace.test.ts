import assert from 'node:assert/strict';

import { isIncluded } from '@salus/chaincode/supply/api';
import { eventHash } from '@salus/gateway/supply/event/hash';
import { STANDARD, withContext } from '@salus/gateway/supply/event/namespaces';
import { type KeptTrace, MAX_TRACED_EVENTS, type TracedEvent, tracedHere } from '@salus/gateway/supply/trade/trace';
import type { TraceBundle } from '@salus/gateway/supply/trade/tracing';

import { networkOfSuite } from '../support/network.js';
import { GTIN, pack, sscc, tell, TradeSystem } from './packs.js';

const CASE = 'FDA-2026/17';

/** By what is on the ledger for everybody. */
function isProven({ event, context, proof }: TracedEvent): boolean {
  const { hash, salt, index, count, path, merkleRoot } = proof as { path: string[] } & Record<string, unknown>;
  const siblings = path.map((each) => Buffer.from(each, 'hex'));
  const root = Buffer.from(String(merkleRoot), 'hex');
  const leaf = Buffer.concat([Buffer.from(String(hash)), Buffer.from(String(salt), 'hex')]);
  const isItsHash = eventHash(event, withContext(STANDARD, context)) === hash;
  return isItsHash && isIncluded(root, leaf, Number(index), Number(count), siblings);
}

describe('a regulator’s trace of a product', function () {
  this.timeout(120_000);
  const network = networkOfSuite();
  const serials = [8101, 8102, 8103];
  const [one = '', , three = ''] = serials.map(pack);
  const pallet = sscc(81);
  let acme: TradeSystem;
  let meridian: TradeSystem;
  let authority: TradeSystem;

  const trace = async (wish: object): Promise<TraceBundle> => {
    const { status, text, body } = await authority.ask('regulator', 'traces', {
      caseNumber: CASE,
      gtin: GTIN,
      ...wish,
    });
    assert.equal(status, 200, text);
    return body as unknown as TraceBundle;
  };
  const ofMember = ({ members }: TraceBundle, name: string) => members.find(({ member }) => member === name);
  const stepsOf = (bundle: TraceBundle, name: string) =>
    ofMember(bundle, name)?.events?.map(({ event }) => event['bizStep']);

  before(async () => {
    const of = (member: string): TradeSystem => new TradeSystem(network, member);
    [acme, meridian, authority] = [of('acme'), of('meridian'), of('authority')];
    await acme.capture(
      'supply-operator',
      tell.commissioned(serials, 'TRACE-1'),
      tell.packed(pallet, serials.slice(0, 2).map(pack)),
      tell.shipped([pallet, three], 'meridian'),
    );
    const received = await meridian.capture('supply-operator', tell.received([pallet, three]));
    assert.ok(
      received.every(({ state }) => state === 'done'),
      JSON.stringify(received),
    );
  });

  it('is one bundle of what every member holds of a pack, in containers too, with proofs anybody checks', async () => {
    const bundle = await trace({ serial: '8101' });
    assert.deepEqual(stepsOf(bundle, 'acme'), ['commissioning', 'packing', 'shipping']);
    assert.deepEqual(stepsOf(bundle, 'meridian'), ['receiving']);
    assert.deepEqual(
      bundle.members.map(({ said, unproven }) => [said, unproven]),
      bundle.members.map(() => ['answered', []]),
    );
    const shipped = bundle.members.map(({ member, shipments = [] }) => [
      member,
      shipments.map(({ from }) => from.member),
    ]);
    assert.deepEqual(
      shipped.filter(([, from]) => from?.length !== 0),
      ['acme', 'meridian'].map((member) => [member, ['acme']]),
    );
    assert.equal(bundle.ledger?.item?.state, 'active');
    assert.ok(ofMember(bundle, 'meridian')?.events?.every(isProven));
  });

  it('is of a whole lot, too', async () => {
    const bundle = await trace({ lot: 'TRACE-1' });
    assert.deepEqual(stepsOf(bundle, 'acme'), ['commissioning', 'packing', 'shipping']);
    assert.equal(ofMember(bundle, 'meridian')?.shipments?.length, 1);
    assert.deepEqual(stepsOf(await trace({ serial: '8103' }), 'acme'), ['commissioning', 'shipping']);
  });

  it('follows a pack through every container that it ever lay in, over every hand', async () => {
    const box = sscc(82);
    const sent = await meridian.capture(
      'supply-operator',
      tell.unpacked(pallet, [one]),
      tell.packed(box, [one]),
      tell.shipped([box], 'stmary'),
    );
    const taken = await new TradeSystem(network, 'stmary').capture('supply-operator', tell.received([box]));
    assert.deepEqual(new Set([...sent, ...taken].map(({ state }) => state)), new Set(['done']), JSON.stringify(sent));
    const bundle = await trace({ serial: '8101' });
    assert.deepEqual(stepsOf(bundle, 'acme'), ['commissioning', 'packing', 'shipping']);
    assert.deepEqual(stepsOf(bundle, 'meridian'), ['receiving', 'unpacking', 'packing', 'shipping']);
    assert.deepEqual(stepsOf(bundle, 'stmary'), ['receiving']);
    assert.equal(ofMember(bundle, 'meridian')?.shipments?.length, 2);
    // What lay in the first one alone is in none of the second's.
    assert.deepEqual(stepsOf(await trace({ serial: '8102' }), 'stmary'), []);
  });

  it('is on record at the ledger and at each member before it is answered, with its case number', async () => {
    const { traceId, record } = await trace({ serial: '8102' });
    const token = await network.token({ member: 'acme', role: 'auditor' });
    const found = await network.ask('acme', `/ledger/transactions/${record.txId}`, { token });
    assert.equal(found.status, 200, found.text);
    assert.doesNotMatch(found.text, new RegExp(`${CASE}|${GTIN}|8102`));
    for (const system of [acme, meridian, authority]) {
      const { body } = await system.ask('quality-officer', 'traces');
      const kept = (body['traces'] as readonly KeptTrace[]).find((each) => each.traceId === traceId);
      assert.deepEqual([kept?.caseNumber, kept?.by, kept?.serial], [CASE, 'authority', '8102']);
    }
  });

  it('is the regulator’s alone, for one product, under a case number', async () => {
    const wish = { caseNumber: CASE, gtin: GTIN, serial: '8101' };
    assert.equal((await authority.ask('quality-officer', 'traces', wish)).status, 403);
    const foreign = await acme.ask('regulator', 'traces', wish);
    assert.deepEqual([foreign.status, foreign.body['error']], [403, 'not-a-regulator']);
    for (const wrong of [{ caseNumber: '' }, { lot: 'L' }, { gtin: '1' }, { serial: 'x'.repeat(21) }]) {
      assert.equal((await authority.ask('regulator', 'traces', { ...wish, ...wrong })).status, 400);
    }
  });

  it(`shows at most ${MAX_TRACED_EVENTS} events of a member, and says where there are more`, () => {
    const epc = `https://id.gs1.org/01/${GTIN}/21/1`;
    const event = (n: number) => ({ event: { eventID: String(n), epcList: [epc] } });
    const events = Array.from({ length: MAX_TRACED_EVENTS + 1 }, (_, n) => event(n));
    const answered = (some: readonly object[]) => {
      const desk = { repository: { all: () => some }, proof: () => ({}) };
      const shelf = { parentsOf: () => [] };
      const ports = { shelf, desk, projection: { fact: () => undefined, facts: () => [] } };
      return tracedHere(ports as never, { caseNumber: CASE, gtin: GTIN, serial: '1' });
    };
    const [most, over] = [answered(events.slice(1)), answered(events)];
    assert.deepEqual([most.events.length, most.isCut], [MAX_TRACED_EVENTS, false]);
    assert.deepEqual(
      [over.events.length, over.isCut, over.events[0]?.event['eventID']],
      [MAX_TRACED_EVENTS, true, '0'],
    );
  });
});
