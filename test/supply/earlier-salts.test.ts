import assert from 'node:assert/strict';

import type { Actor, LedgerCall } from '@salus/gateway/ports';
import { PackActs } from '@salus/gateway/supply/packs/acts';
import { handoversOf } from '@salus/gateway/supply/packs/handover';
import { hearHandover } from '@salus/gateway/supply/packs/hearing';
import { earlierSalts, MAX_EARLIER_SALTS } from '@salus/gateway/supply/packs/salts';

import { random } from '../support/contract-world.js';
import { CASE, cased, shippedIn } from './cased.js';
import { shelvesOfSuite } from './member-shelf.js';
import { freshDesk, operator } from './world.js';

describe('a container that comes to the same member again and again', () => {
  const desk = freshDesk();
  const actor: Actor = { ...operator, member: 'stmary', scopes: [] };
  const shelves = shelvesOfSuite(() => desk.world);

  /** stmary's hand on the ledger. */
  const acts = () =>
    new PackActs({
      ...shelves.stmary.hearing('stmary'),
      ledger: {
        ...shelves.stmary.ledger,
        submit: async ({ transaction, argument = '' }: LedgerCall) => {
          await desk.world.submit('stmary', transaction, { args: [argument], actor: operator });
          return { txId: random(), block: 1 };
        },
      },
      directory: { names: [], gs1: () => ({ gcp: [] }) },
      ask: () => Promise.resolve(undefined),
      handing: { tell: () => Promise.resolve(true) },
      shipment: () => {
        throw new Error('nothing is shipped');
      },
      cold: {
        log: () => {
          throw new Error('nothing is read');
        },
      },
      reached: () => Promise.resolve(true),
      premises: random,
      ghost: random,
    });
  /** What becomes of an act of stmary's on each of these, when the case was there so often before. */
  const after = async (times: number, name: 'own' | 'receive', act: 'receive' | 'decline', inside = false) => {
    const made = await cased(desk.world, shelves.acme);
    await made.ship();
    for (const message of handoversOf(shelves.acme.shelf, shippedIn(made))) {
      assert.deepEqual(await hearHandover(shelves.stmary.hearing('stmary'), 'acme', JSON.stringify(message)), {});
    }
    const before = Array.from({ length: times }, random);
    shelves.stmary.secrets.keep({ [`earlier/${name}/${made.case}`]: before.join(''), [`own/${made.case}`]: random() });
    const epcs = inside ? [CASE, made.epc] : [CASE];
    const outcomes = await acts().carry(actor, { kind: 'act', act, epcs, place: '' });
    return { made, codes: outcomes.map(({ code, state }) => code ?? state) };
  };

  it(`is received ${MAX_EARLIER_SALTS} times, with all that opened it before kept`, async () => {
    const { made, codes } = await after(MAX_EARLIER_SALTS - 1, 'own', 'receive');
    assert.deepEqual(codes, ['done']);
    assert.equal(earlierSalts(shelves.stmary.secrets, `own/${made.case}`).length, MAX_EARLIER_SALTS);
  });

  it('is refused once more, and what lies in it is received by its own code', async () => {
    const { made, codes } = await after(MAX_EARLIER_SALTS, 'own', 'receive', true);
    assert.deepEqual(codes, ['here-too-often', 'done']);
    assert.equal((await desk.statusOf(made.case)).item?.state, 'in-transit');
    assert.equal((await desk.statusOf(made.item)).item?.state, 'active');
    assert.equal(earlierSalts(shelves.stmary.secrets, `own/${made.case}`).length, MAX_EARLIER_SALTS);
  });

  it('is declined no more often either', async () => {
    assert.deepEqual((await after(MAX_EARLIER_SALTS, 'receive', 'decline')).codes, ['here-too-often']);
  });
});
