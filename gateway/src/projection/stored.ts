/** Rows of the version table as the gateway's StoredVersion. */
import type { StoredVersion } from '../ports.js';
import type { Row } from './statements.js';

/** Columns of a StoredVersion, from `version v` joined with `resource r`. */
export const VERSION_COLUMNS =
  'r.type, r.id, v.version, v.updated, v.deleted, v.text, v.tx_id, v.block, v.ledger_key, v.patient, v.author';

/** A row of VERSION_COLUMNS as a version. */
export function asStored(row: Row): StoredVersion {
  const version = {
    type: row.type as string,
    id: row.id as string,
    version: row.version as number,
    lastUpdated: row.updated as string,
    deleted: row.deleted === 1,
    text: row.text as string,
    txId: row.tx_id as string,
    block: row.block as number,
    ledgerKey: row.ledger_key as string,
  };
  return {
    ...version,
    ...(row.patient === null ? {} : { patient: row.patient as string }),
    ...(row.author === null ? {} : { by: row.author as string }),
  };
}
