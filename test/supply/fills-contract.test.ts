import assert from 'node:assert/strict';

import { random } from '../support/contract-world.js';
import { call, freshDesk, pharmacist } from './world.js';

describe('a fill whose dispense is undone', () => {
  const desk = freshDesk();
  const { act, refused } = desk;
  const premises = random();

  it('is given back in the same transaction, and spent by the next dispense alone', async () => {
    const [fill, [first = '', second = '']] = [random(), desk.lot.units.ids];
    await desk.world.submit('stmary', 'supply:fill', call({ fill }, pharmacist));
    const dispense = { act: 'dispense', item: first, salt: await desk.delivered(first, 'stmary'), premises, fill };
    const other = { ...dispense, item: second, salt: await desk.delivered(second, 'stmary') };
    const undo = { ...dispense, act: 'undo', supplied: 'no' };
    await act('stmary', dispense, pharmacist);
    await refused('fill-spent', 'stmary', other, pharmacist);
    await refused('undo-elsewhere', 'stmary', { ...undo, premises: random() }, pharmacist);
    await refused('fill-spent', 'stmary', other, pharmacist);
    const { rwset } = await act('stmary', undo, pharmacist);
    assert.deepEqual([...(rwset.writes.get('')?.keys() ?? [])].length, 2);
    await act('stmary', other, pharmacist);
    // What was given back once is given back no more, and nobody dispenses on it again.
    await refused('not-in-transit', 'stmary', undo, pharmacist);
    await refused('fill-spent', 'stmary', dispense, pharmacist);
    await act('stmary', { ...dispense, fill: undefined }, pharmacist);
    await act('stmary', undo, pharmacist);
    await refused('fill-spent', 'stmary', dispense, pharmacist);
  });
});
