/** What the projection keeps of erasures: every member's announcements, and the own purges. One fact each. */
import type { ErasureRecord, PurgeRecord } from '@salus/chaincode/ehr/api';
import { parseKey } from '@salus/chaincode/registry/api';

import type { Change, Projector } from '../projection/projector.js';

/** Key: erasureId; value: Announced. */
export const ERASURE_SPACE = 'erasure';
/** Key: erasureId/part; value: Purged. */
export const PURGE_SPACE = 'erasure-purge';

/** An announcement and its transaction. */
export interface Announced {
  readonly record: ErasureRecord;
  readonly txId: string;
}

/** A part that was purged, and in which transaction. */
export interface Purged {
  readonly record: PurgeRecord;
  readonly txId: string;
}

const NOTHING: readonly Change[] = [];

/** The projector over public `erasure/<id>` and the member's own `purge/<id>/<part>`. */
export function erasureProjector(member: string): Projector {
  return ({ collection, key, value }, { txId }) => {
    if (key === undefined || value === undefined) return NOTHING;
    const { name, attributes = [] } = parseKey(key) ?? {};
    const isOurs = (name === 'erasure' && collection === undefined) || isPurge(name, collection, member);
    if (!isOurs) return NOTHING;
    const fact = { record: JSON.parse(Buffer.from(value).toString('utf8')) as unknown, txId };
    const space = name === 'erasure' ? ERASURE_SPACE : PURGE_SPACE;
    return [{ kind: 'fact', space, key: attributes.join('/'), value: JSON.stringify(fact) }];
  };
}

function isPurge(name: string | undefined, collection: string | undefined, member: string): boolean {
  return name === 'purge' && collection === `of-${member}`;
}
