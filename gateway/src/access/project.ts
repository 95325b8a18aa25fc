/** What the projection makes of access records in `care`: one fact each, by patient. */
import type { AccessRecord } from '@salus/chaincode/access/api';
import { parseKey } from '@salus/chaincode/registry/api';

import type { LedgerTransaction, LedgerWrite } from '../ports.js';
import type { Change } from '../projection/projector.js';

/** Facts of access records: `<pid>/<aid>` to a ProjectedAccess. */
export const ACCESS_SPACE = 'access';
const CARE = 'care';

/** An access record and when its block came. */
export interface ProjectedAccess {
  readonly record: AccessRecord;
  /** FHIR instant of the transaction. */
  readonly requested: string;
}

/** Facts of one committed write. */
export function accessProjector(write: LedgerWrite, { timestamp }: LedgerTransaction): readonly Change[] {
  if (write.collection !== CARE || write.key === undefined || write.value === undefined) return [];
  if (parseKey(write.key)?.name !== 'access') return [];
  const record = JSON.parse(Buffer.from(write.value).toString('utf8')) as AccessRecord;
  const value: ProjectedAccess = { record, requested: timestamp };
  return [{ kind: 'fact', space: ACCESS_SPACE, key: `${record.pid}/${record.aid}`, value: JSON.stringify(value) }];
}
