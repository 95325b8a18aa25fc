import assert from 'node:assert/strict';
import { type Tick, tickDelay } from '@salus/chaincode/clock/api';
import { tick } from '@salus/chaincode/dist/clock/rules.js';
import fc from 'fast-check';

const order = ['a', 'b', 'c', 'd'];

describe('clock rules', () => {
  it('never go back and never let two members tick within 30 s', () => {
    const attempts = fc.array(
      fc.record({ member: fc.constantFrom(...order), after: fc.integer({ min: -60_000, max: 90_000 }) }),
    );
    fc.assert(
      fc.property(attempts, (list) => {
        let last: Tick | undefined;
        let now = Date.parse('2026-01-01T00:00:00.000Z');
        for (const { member, after } of list) {
          now += after;
          const next = tick(order, last, { member, time: new Date(now).toISOString(), isNear: true });
          if (next instanceof Error) continue;
          if (last !== undefined) assert.ok(Date.parse(next.time) - Date.parse(last.time) >= 30_000);
          last = next;
        }
      }),
    );
  });

  it('let somebody tick within 30 s and 5 s for each member that fails', () => {
    for (const ticker of order) {
      const last = { time: '2026-01-01T00:00:00.000Z', ticker };
      const delays = order.map((member) => tickDelay(order, last, member) ?? 0);
      assert.deepEqual([...delays].sort(), [30_000, 35_000, 40_000, 45_000]);
      for (const [index, member] of order.entries()) {
        const at = (ms: number) => new Date(Date.parse(last.time) + ms).toISOString();
        const delay = delays[index] ?? 0;
        assert.ok(tick(order, last, { member, time: at(delay - 1), isNear: true }) instanceof Error);
        assert.ok(!(tick(order, last, { member, time: at(delay), isNear: true }) instanceof Error));
      }
    }
  });
});
