import assert from 'node:assert/strict';

import { RETENTION_YEARS, shipmentOf, type ShipmentTerms } from '@salus/gateway/supply/trade/shipments';
import type { TraceBundle } from '@salus/gateway/supply/trade/tracing';

import { engineName } from '../support/engine.js';
import { freePortBase } from '../support/free-ports.js';
import { type TestNetwork, startNetwork } from '../support/network.js';
import { scratchFolder } from '../support/scratch.js';
import { GTIN, pack, tell, TradeSystem } from './packs.js';

const DAY_MS = 86_400_000;
/** As long as the certificates of a network that is not renewed meanwhile are good, and a month less. */
const LATER_DAYS = 330;

describe(`transaction information, kept for ${RETENTION_YEARS} years`, () => {
  const nothing = (): undefined => undefined;
  const until = (shipped: string): string => {
    const ports = {
      member: 'acme',
      shelf: { find: nothing, unit: nothing, container: nothing, parentOf: nothing, record: nothing, lot: nothing },
      directory: { gs1: () => ({ gcp: [] }) },
      titleOf: (member: string) => member,
      now: () => shipped,
    };
    return shipmentOf(ports, { shipmentId: 's', to: 'stmary', isReturn: false }, []).retainUntil;
  };

  it('is to be kept to the same day, and where that year has none, to the next', () => {
    assert.equal(until('2026-11-26T23:59:59.999Z'), '2032-11-26');
    assert.equal(until('2028-02-29T00:00:00.000Z'), '2034-03-01');
  });
});

describe(`transaction information, ${LATER_DAYS} days later`, function () {
  this.timeout(240_000);
  // Fabric's own programs know no other time than the machine's.
  if (engineName !== 'embedded') return;
  const folder = scratchFolder();
  let portBase: number;
  let network: TestNetwork;
  let before_: Readonly<Record<string, readonly ShipmentTerms[]>>;

  const shipmentsOf = async (member: string): Promise<readonly ShipmentTerms[]> => {
    const { body, text } = await new TradeSystem(network, member).ask('supply-operator', 'shipments');
    assert.ok(Array.isArray(body['shipments']), text);
    return body['shipments'] as readonly ShipmentTerms[];
  };
  const shipped = async (serial: number, batch: string): Promise<void> => {
    const effects = await new TradeSystem(network, 'acme').capture(
      'supply-operator',
      tell.commissioned([serial], batch),
      tell.shipped([pack(serial)], 'stmary'),
    );
    assert.ok(
      effects.every(({ state }) => state === 'done'),
      JSON.stringify(effects),
    );
  };

  before(async () => {
    portBase = await freePortBase();
    network = await startNetwork({ stateDir: folder.path, portBase });
    await shipped(8201, 'KEPT-1');
    before_ = { acme: await shipmentsOf('acme'), stmary: await shipmentsOf('stmary') };
    await network.stop();
    network = await startNetwork({ stateDir: folder.path, portBase, clockOffsetMs: LATER_DAYS * DAY_MS });
  });
  after(async () => {
    await network.stop();
    folder.remove();
  });

  it('lies at both sides as it did, with its statement, and nobody is offered to let go of it', async () => {
    for (const member of ['acme', 'stmary']) {
      const kept = await shipmentsOf(member);
      assert.deepEqual(kept, before_[member]);
      assert.equal(kept.length, 1);
      assert.ok((kept[0]?.statement.length ?? 0) > 0);
      const token = await network.token({ member, role: 'quality-officer' });
      for (const path of ['/supply/shipments', `/supply/shipments/${kept[0]?.shipmentId}`]) {
        const { status } = await network.ask(member, path, { method: 'DELETE', token });
        assert.equal(status, 404, path);
      }
    }
  });

  it('answers a regulator’s trace', async () => {
    const authority = new TradeSystem(network, 'authority');
    const wish = { caseNumber: 'FDA-2027/3', gtin: GTIN, serial: '8201' };
    const { status, text, body } = await authority.ask('regulator', 'traces', wish);
    assert.equal(status, 200, text);
    const { members } = body as unknown as TraceBundle;
    const told = members.filter(({ shipments = [] }) => shipments.length === 1).map(({ member }) => member);
    assert.deepEqual(told.sort(), ['acme', 'stmary']);
  });

  it('of what is shipped then is kept from that day on', async () => {
    await shipped(8202, 'KEPT-2');
    const [old, fresh] = await shipmentsOf('stmary');
    const days = (Date.parse(fresh?.retainUntil ?? '') - Date.parse(old?.retainUntil ?? '')) / DAY_MS;
    assert.ok(Math.abs(days - LATER_DAYS) <= 2, `${days} days later`);
  });
});
