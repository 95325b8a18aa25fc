/** Ann, a patient of stmary, and Dr Adams, who treats her there. */
import assert from 'node:assert/strict';

import type { Actor } from '@salus/gateway/ports';

import type { SharingWorld } from './sharing-world.js';

export const adams: Actor = {
  member: 'stmary',
  user: 'u-adams',
  role: 'physician',
  purpose: 'TREAT',
  scopes: ['user/*.cruds'],
};

/** Writes Ann's Patient at stmary, whose id is `ann`; resolves with her pid. */
export async function annAt({ stmary }: SharingWorld): Promise<string> {
  const text = '{"resourceType":"Patient","id":"ann"}';
  await stmary.sharing.writer.write(adams, [{ type: 'Patient', id: 'ann', expect: 0, text, patient: 'ann' }]);
  return stmary.sharing.lookup.pidOf('ann') ?? assert.fail('Ann has no pid');
}
