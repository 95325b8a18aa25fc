import assert from 'node:assert/strict';

import type { TrialView } from '@salus/chaincode/trial/api';
import { checkAllocation } from '@salus/gateway/trial/verify-lists';

/** Fails unless all participants have a slot: none lost, none given twice. */
export function assertAllEnrolled(view: TrialView, participants: number): void {
  const { strata: checked, doubled } = checkAllocation(view);
  assert.deepEqual(doubled, []);
  assert.deepEqual(
    checked.flatMap(({ wrongSlots }) => wrongSlots),
    [],
  );
  assert.equal(
    checked.reduce((sum, { enrolled }) => sum + enrolled, 0),
    participants,
  );
}
