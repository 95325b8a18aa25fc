/** Rows of the version table as the gateway's StoredVersion. */
import { Refusal } from '../ledger/refusal.js';
import type { StoredVersion } from '../ports.js';
import type { HistoryEntry } from './history.js';
import type { Row } from './statements.js';

/** Columns of a StoredVersion, from `version v` joined with `resource r`. */
export const VERSION_COLUMNS =
  'r.type, r.id, v.version, v.updated, v.deleted, v.text, v.tx_id, v.block, v.ledger_key, v.patient, v.author, v.beside';

/** A version's text with the content that lies beside the ledger; undefined where that is not there whole. */
export type Join = (ledgerKey: string, text: string) => string | undefined;

/** Makes versions of rows. */
export class StoredRows {
  constructor(private readonly join: Join = () => undefined) {}

  /** A row of VERSION_COLUMNS as a version. */
  readonly of = (row: Row): StoredVersion => {
    const version = {
      type: row.type as string,
      id: row.id as string,
      version: row.version as number,
      lastUpdated: row.updated as string,
      deleted: row.deleted === 1,
      txId: row.tx_id as string,
      block: row.block as number,
      ledgerKey: row.ledger_key as string,
      ...(row.patient === null ? {} : { patient: row.patient as string }),
      ...(row.author === null ? {} : { by: row.author as string }),
    };
    const [text, beside] = [row.text as string, row.beside as number];
    return beside > 0 ? this.joined({ ...version, beside }, text) : { ...version, text };
  };

  /** The same of a row that may be missing. */
  one(row: Row | undefined): StoredVersion | undefined {
    return row === undefined ? undefined : this.of(row);
  }

  /** A row with its vid as an entry of a history. */
  readonly entry = (row: Row): HistoryEntry => ({ position: row.vid as number, stored: this.of(row) });

  /** Reads the files when the text is asked for, once: most that is looked at is not shown. */
  private joined(version: Omit<StoredVersion, 'text'>, outline: string): StoredVersion {
    const { join } = this;
    let text: string | undefined;
    return {
      ...version,
      outline,
      get text() {
        text ??= join(version.ledgerKey, outline);
        if (text === undefined) throw lost(version);
        return text;
      },
    };
  }
}

/** The version with another text and outline; the text is made when it is asked for, so that no file is read for it before. */
export function retold(stored: StoredVersion, outline: string, makeText: () => string): StoredVersion {
  let text: string | undefined;
  const late = { get: () => (text ??= makeText()), enumerable: true };
  const described = { ...Object.getOwnPropertyDescriptors(stored), text: late };
  return Object.assign(Object.defineProperties({} as StoredVersion, described), { outline });
}

/** What of a version can be judged without what lies beside the ledger: everything but the content of attachments. */
export function outlineOf(stored: Pick<StoredVersion, 'outline' | 'text'>): string {
  return stored.outline ?? stored.text;
}

function lost({ type, id, version }: Pick<StoredVersion, 'type' | 'id' | 'version'>): Refusal {
  const what = `content of ${type}/${id}/_history/${version} is lost: its file beside the ledger is missing or damaged`;
  return new Refusal('unavailable', 'content-lost', what);
}
