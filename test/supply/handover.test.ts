import assert from 'node:assert/strict';

import { KeyStore } from '@salus/gateway/keys/key-store';
import { NamedSecrets } from '@salus/gateway/keys/named-secrets';
import { checkDigit } from '@salus/gateway/supply/gs1/check-digit';
import { Handing } from '@salus/gateway/supply/packs/handing';
import { hearHandover, MAX_SALTS } from '@salus/gateway/supply/packs/handover';
import { itemId, packEpc } from '@salus/gateway/supply/packs/identity';
import { PackShelf } from '@salus/gateway/supply/packs/shelf';
import { PendingWork } from '@salus/gateway/keys/pending-work';

import { random } from '../support/contract-world.js';
import { scratchFolder } from '../support/scratch.js';
import { call, EXPIRY, freshDesk, PREFIX, sealed, Tree } from './world.js';

const GTIN = `0${PREFIX}00001${checkDigit(`0${PREFIX}00001`)}`;

/** A lot as its issuer makes it. */
interface MadeLot {
  /** Product of its packs. */
  readonly gtin: string;
  /** Product that its terms name. */
  readonly said: string;
  readonly spelt: (epc: string) => string;
}

describe('a handover at a door', () => {
  const desk = freshDesk();
  let folder: ReturnType<typeof scratchFolder>;
  let keys: KeyStore;
  let secrets: NamedSecrets;
  let kept: unknown[];
  beforeEach(() => {
    folder = scratchFolder();
    keys = new KeyStore(folder.path);
    secrets = new NamedSecrets(keys);
    kept = [];
  });
  afterEach(() => {
    keys.close();
    folder.remove();
  });

  /** Blocks that come while a door waits; none where there is nothing to wait for. */
  const coming: (() => Promise<unknown>)[] = [];
  const blocks = { block: 1, reached: async () => (await coming.shift()?.()) !== undefined };
  const hear = (handover: unknown) =>
    hearHandover(
      {
        member: 'stmary',
        ledger: {
          evaluate: async ({ argument = '' }) => {
            const { payload } = await desk.world.evaluate('stmary', 'supply:status', { args: [argument] });
            return Buffer.from(payload);
          },
        },
        blocks,
        secrets,
        keep: (records) => Promise.resolve(void kept.push(...records)),
      },
      'acme',
      typeof handover === 'string' ? handover : JSON.stringify(handover),
    );

  /** A lot on the ledger, and what its issuer hands over of its second pack. */
  const committed = async (lot: Partial<MadeLot> = {}) => {
    const { request, ...handover } = made(lot);
    await desk.world.submit('acme', 'supply:commit', call(request));
    return handover;
  };

  const made = ({ gtin = GTIN, said = gtin, spelt = (epc) => epc }: Partial<MadeLot> = {}) => {
    const [lotId, secret] = [random(), random()];
    const epcs = ['A', 'B', 'C'].map((serial) => spelt(packEpc(gtin, serial)));
    const tree = new Tree(epcs.map((epc) => itemId(secret, epc)));
    const request = { lotId, prefix: PREFIX, count: 3, root: tree.root, expiry: EXPIRY };
    const terms = { lotId, gtin: said, batch: 'L1', expiry: EXPIRY, issuer: 'acme' };
    const unit = { epc: epcs[1], lotId, ...tree.proof(tree.ids[1] ?? '') };
    return { request, lots: [{ terms, secret }], units: [unit], containers: [], salts: [] };
  };

  const shipmentOf = (member: string): object => ({
    shipmentId: 's-1',
    from: { member },
    to: { member: 'stmary' },
    items: [],
  });

  it('is taken in where every pack is proven by the lot on the ledger', async () => {
    const handover = await committed();
    assert.deepEqual(await hear({ ...handover, shipment: shipmentOf('acme') }), {});
    assert.deepEqual(
      kept.map((each) => (each as { type: string }).type),
      ['SupplyLot', 'SupplyUnits', 'SupplyShipment'],
    );
    const [lot] = handover.lots;
    assert.equal(secrets.find(`lot/${lot?.terms.lotId ?? ''}`), lot?.secret);
  });

  it('is taken in where the own peer commits the lot a moment after the teller’s, and not where it never does', async () => {
    const { request, ...handover } = made();
    coming.push(
      () => Promise.resolve('a block of others'),
      () => desk.world.submit('acme', 'supply:commit', call(request)),
    );
    assert.deepEqual(await hear(handover), {});
    const { lots, units, containers, salts } = made();
    assert.equal(await hear({ lots, units, containers, salts }), undefined);
  });

  it('is taken from nobody who forges terms, packs or secrets, and nothing of it is kept', async () => {
    const good = await committed();
    const [lot] = good.lots;
    const [unit] = good.units;
    assert.ok(lot !== undefined && unit !== undefined);
    const withTerms = (terms: object) => ({ ...good, lots: [{ ...lot, terms: { ...lot.terms, ...terms } }] });
    const withUnit = (more: object) => ({ ...good, units: [unit, { ...unit, ...more }] });
    const forged = {
      issuer: withTerms({ issuer: 'meridian' }),
      expiry: withTerms({ expiry: '2998-12-31' }),
      product: withTerms({ gtin: '09521003000015' }),
      secret: { ...good, lots: [{ ...lot, secret: random() }] },
      serial: withUnit({ epc: packEpc(GTIN, 'Z') }),
      spelling: withUnit({ epc: unit.epc?.toUpperCase() }),
      index: withUnit({ index: 0 }),
      'a lot not told of': withUnit({ lotId: random() }),
      'a shipment of another': { ...good, shipment: shipmentOf('meridian') },
      'no pack': { ...good, units: [] },
      'no list': { ...good, salts: undefined },
      'no JSON': '{',
    };
    for (const [what, handover] of Object.entries(forged)) assert.equal(await hear(handover), undefined, what);
    assert.deepEqual(kept, []);
    assert.equal(secrets.find(`lot/${lot.terms.lotId}`), undefined);
  });

  it('is taken from no issuer whose own lot is of another product, of another’s company prefix, or misspelt', async () => {
    const other = `0${PREFIX}00002${checkDigit(`0${PREFIX}00002`)}`;
    const lots = {
      'another product than the packs’': { said: other },
      'a foreign company prefix': { gtin: '09521003000015' },
      'a spelling that is nobody else’s': { spelt: (epc: string) => epc.replace('https', 'HTTPS') },
    };
    for (const [what, lot] of Object.entries(lots)) assert.equal(await hear(await committed(lot)), undefined, what);
    assert.deepEqual(await hear(await committed({ gtin: other })), {});
  });

  /** A unit of a committed lot on its way to this member, with what opens it. */
  const shipped = async () => {
    const { units, lots, ...rest } = await committed();
    const [origin] = units.map(({ lotId, index, path }) => ({ lotId, index, path }));
    const item = itemId(lots[0]?.secret ?? '', units[0]?.epc ?? '');
    const ship = async () => {
      const { salt, to } = sealed('stmary');
      await desk.act('acme', { act: 'ship', item, salt: random(), origin, to });
      return salt;
    };
    return { item, ship, told: (salts: unknown) => hear({ ...rest, units, lots, salts }) };
  };

  it('takes no salt but what opens a shipment to this member: ids are public, and so anybody’s to write under', async () => {
    const { item, ship, told } = await shipped();
    assert.equal(await told([{ item, salt: random() }]), undefined);
    const salt = await ship();
    assert.equal(await told([{ item, salt: random() }]), undefined);
    assert.equal(await told([{ item: random(), salt: random() }]), undefined);
    assert.deepEqual([kept, secrets.find(`receive/${item}`)], [[], undefined]);
    assert.deepEqual(await told([{ item, salt }]), {});
    assert.equal(secrets.find(`receive/${item}`), salt);
    assert.equal(await told([{ item, salt: random() }]), undefined);
    assert.equal(secrets.find(`receive/${item}`), salt);
    // Told once more, as after an answer that was lost, though it came in by now.
    await desk.act('stmary', { act: 'receive', item, salt });
    assert.deepEqual(await told([{ item, salt }]), {});
  });

  it('lets no made-up salt that was looked at first replace the true one that came meanwhile', async () => {
    const { item, ship, told } = await shipped();
    const wrong = told([{ item, salt: random() }]);
    const salt = await ship();
    assert.deepEqual(await told([{ item, salt }]), {});
    assert.equal(await wrong, undefined);
    assert.equal(secrets.find(`receive/${item}`), salt);
  });

  it(`takes at most ${MAX_SALTS} salts, each 32 bytes in hex, and is about something`, async () => {
    const { item, ship, told } = await shipped();
    const salt = await ship();
    const most = Array.from({ length: MAX_SALTS }, () => ({ item, salt }));
    assert.equal(await told([...most, { item, salt }]), undefined);
    assert.deepEqual([kept, secrets.find(`receive/${item}`)], [[], undefined]);
    for (const wrong of [null, 'x', { item }, { item, salt: 1 }, { item, salt: 'zz' }, { item: 'x', salt }]) {
      assert.equal(await told([wrong]), undefined, JSON.stringify(wrong));
    }
    assert.equal(await hear({ lots: [], units: [], containers: [], salts: [] }), undefined);
    assert.deepEqual(await told(most), {});
  });
});

describe('a handover that a door does not take', () => {
  let folder: ReturnType<typeof scratchFolder>;
  let keys: KeyStore;
  beforeEach(() => {
    folder = scratchFolder();
    keys = new KeyStore(folder.path);
  });
  afterEach(() => {
    keys.close();
    folder.remove();
  });

  it('is told again until it is taken, by the next process too, and then no more', async () => {
    const secrets = new NamedSecrets(keys);
    const shelf = new PackShelf({ projection: { fact: () => undefined, facts: () => [] }, secrets });
    const [commitment, place] = [random(), { captureID: 'c1', event: 2 }];
    secrets.keep({ [`sent/${commitment}`]: random() });
    const asked: string[] = [];
    const taken: object[] = [];
    const stopping = new AbortController();
    const opened = (answers: (object | Error | undefined)[]) =>
      new Handing({
        shelf,
        secrets,
        pending: new PendingWork(keys, 'gateway0'),
        ask: (member) => {
          asked.push(member);
          const answer = answers.shift();
          return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
        },
        onTaken: (each) => {
          taken.push(each);
          stopping.abort();
          return Promise.resolve();
        },
      });
    const handover = { to: 'meridian', as: 'receiver', shipped: [['urn:x', commitment]], place } as const;
    assert.equal(await opened([new Error('no door')]).tell('c1/2', handover), false);
    // A process later: the door shows nothing at first, then takes it.
    await opened([undefined, {}]).goOn(stopping.signal);
    assert.deepEqual([asked.length, taken], [3, [place]]);
    assert.deepEqual(new PendingWork(keys, 'gateway0').list('handover/'), []);
  }).timeout(20_000);
});
