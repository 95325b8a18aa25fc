/** What the projection keeps of the supply chain's public state: each record under its kind and key. */
import { parseKey } from '@salus/chaincode/registry/api';

import type { Projector } from '../projection/projector.js';

/** Space of these facts: key `item/<id>`, `lot/<lotId>`, `recall/<lotId>`..., value the record as JSON. */
export const SUPPLY_SPACE = 'supply';

const KINDS = ['lot', 'item', 'prefix', 'recall', 'quarantine', 'fill', 'capture', 'alert'];

/** The projector over the supply chain's public keys. */
export const supplyProjector: Projector = (write) => {
  if (write.collection !== undefined || write.key === undefined || write.value === undefined) return [];
  const parts = parseKey(write.key);
  if (parts === undefined || !KINDS.includes(parts.name)) return [];
  const key = [parts.name, ...parts.attributes].join('/');
  return [{ kind: 'fact', space: SUPPLY_SPACE, key, value: Buffer.from(write.value).toString('utf8') }];
};
