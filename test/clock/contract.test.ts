import assert from 'node:assert/strict';
import { tickDelay } from '@salus/chaincode/clock/api';
import { ContractWorld } from '../support/contract-world.js';

describe('clock on the ledger', () => {
  it('is ticked by the next member after 30 s, by each further one 5 s later, by the last ticker at the end', () => {
    const order = ['a', 'b', 'c', 'd'];
    const last = { time: '2026-01-01T00:00:00.000Z', ticker: 'b' };
    assert.deepEqual(
      ['c', 'd', 'a', 'b', 'x'].map((member) => tickDelay(order, last, member)),
      [30_000, 35_000, 40_000, 45_000, undefined],
    );
  });

  it('refuses a tick out of turn, not after the last, far from the endorser, or by a stranger', async () => {
    const world = await ContractWorld.founded();
    world.clockMs += 29_999;
    await world.refused('too-early', 'northside', 'clock:tick');
    world.clockMs += 1;
    await world.refused('too-early', 'acme', 'clock:tick');
    await world.refused('clock-apart', 'northside', 'clock:tick', { shiftMs: 10_001 });
    await world.refused('clock-apart', 'northside', 'clock:tick', { shiftMs: -10_001 });
    const ticked = await world.submit('northside', 'clock:tick');
    assert.equal(ticked.rwset.event?.name, 'clock:ticked');
    await world.refused('not-after-last', 'acme', 'clock:tick', { shiftMs: -5_000 });
    const tick = JSON.parse((await world.evaluate('acme', 'clock:read')).payload) as { time: string; ticker: string };
    assert.deepEqual(tick, { time: new Date(world.clockMs).toISOString(), ticker: 'northside' });
    const empty = await ContractWorld.empty();
    await empty.refused('not-in-consortium', 'stmary', 'clock:tick');
    assert.equal((await empty.evaluate('acme', 'clock:read')).payload, 'null');
  });
});
