/** What the projection keeps of the consortium's clock: the last tick, as this member's own peer committed it. */
import type { Tick } from '@salus/chaincode/clock/api';
import { parseKey } from '@salus/chaincode/registry/api';

import type { Facts } from '../patient/lookup.js';
import type { LedgerWrite } from '../ports.js';
import type { Change } from '../projection/projector.js';

const CLOCK_SPACE = 'clock';
const NOW = 'now';

/** The projector over the clock's public key. */
export function clockProjector({ collection, key, value }: LedgerWrite): readonly Change[] {
  if (collection !== undefined || key === undefined || value === undefined) return [];
  if (parseKey(key)?.name !== 'clock') return [];
  return [{ kind: 'fact', space: CLOCK_SPACE, key: NOW, value: Buffer.from(value).toString('utf8') }];
}

/** The last tick that the projection has applied; undefined before the first. One that lags behind has an old one. */
export function projectedTick(facts: Pick<Facts, 'fact'>): Tick | undefined {
  const found = facts.fact(CLOCK_SPACE, NOW);
  return found === undefined ? undefined : (JSON.parse(found) as Tick);
}
