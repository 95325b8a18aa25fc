/** What the projection keeps of the registry: the consortium and its members in force. */
import { parseKey } from '@salus/chaincode/registry/api';

import type { Change, Projector } from '../projection/projector.js';

/** Space of the registry's facts: key `consortium` or `member/<name>`, value the InForce entry as JSON. */
export const REGISTRY_SPACE = 'registry';

const NOTHING: readonly Change[] = [];

/** The projector over the registry's public keys. */
export const registryProjector: Projector = (write) => {
  if (write.collection !== undefined || write.key === undefined || write.value === undefined) return NOTHING;
  const parts = parseKey(write.key);
  const value = Buffer.from(write.value).toString('utf8');
  if (parts?.name === 'consortium') return [{ kind: 'fact', space: REGISTRY_SPACE, key: 'consortium', value }];
  if (parts?.name !== 'member') return NOTHING;
  return [{ kind: 'fact', space: REGISTRY_SPACE, key: `member/${parts.attributes[0] ?? ''}`, value }];
};
