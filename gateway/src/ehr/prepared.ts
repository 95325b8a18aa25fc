/** What a request writes, as it will lie on the ledger and beside it: encrypted, nothing of it kept or sent yet. */
import type { Condition, VersionEntry } from '@salus/chaincode/ehr/api';

import { freshSecrets } from '../keys/content.js';
import type { KeptFile } from '../keys/content-files.js';
import type { KeyStore, VersionKey } from '../keys/key-store.js';
import type { OutboxEntry } from '../ledger/outbox-store.js';
import type { Actor, ResourceWrite } from '../ports.js';
import type { Sendable } from './call.js';
import type { Groupable } from './grouping.js';
import type { RecentContents } from './recent.js';
import { authorshipOf, codeOf, toEntry } from './translate.js';

/** One request's versions, their keys and what lies beside the ledger. */
export interface Prepared extends Groupable, Sendable {
  readonly entry: OutboxEntry;
  readonly versionKeys: readonly VersionKey[];
  /** To be kept before anything is sent that names them. */
  readonly files: readonly KeptFile[];
}

/** What a request is prepared with. */
export interface PreparePorts {
  readonly keys: KeyStore;
  readonly recent: RecentContents;
  /** The number of a resource's next version, by the code in its ledger keys: this one, or a later one where it is taken. */
  readonly freeVersion: (code: string, version: number) => number;
}

/** Who wrote lies in each version's own ciphertext, so that anybody's may share a transaction with anybody's. */
const ANYBODY = 'anybody';

/** Encrypts what a request writes under fresh keys. */
export function prepare(
  { keys, recent, freeVersion }: PreparePorts,
  actor: Actor,
  writes: readonly ResourceWrite[],
  named: Omit<OutboxEntry, 'written'>,
): Prepared {
  const secrets = freshSecrets(writes.length);
  const entries: VersionEntry[] = [];
  const versionKeys: VersionKey[] = [];
  const files: KeptFile[] = [];
  const written: string[] = [];
  for (const [index, { type, id, expect, text, patient, reason }] of writes.entries()) {
    const own = secrets[index];
    if (own === undefined) throw new Error('a version has no secrets');
    const content = {
      type,
      id,
      ...(patient === undefined ? {} : { patient }),
      by: authorshipOf(actor, reason),
      ...(text === undefined ? {} : { text }),
    };
    const code = codeOf(keys, type, id);
    const made = toEntry(content, freeVersion(code, expect + 1), code, own);
    entries.push(made.entry);
    written.push(`${type}/${id}/_history/${made.entry.version}`);
    recent.keep(made.ledgerKey, made.entry.value, made.plaintext);
    files.push(...made.files.map((file) => ({ ...file, salt: own.salt })));
    versionKeys.push({ ledgerKey: made.ledgerKey, ...own, ...(patient === undefined ? {} : { patient }) });
  }
  const conditions = conditionsOf(writes);
  return {
    kin: ANYBODY,
    size: entries.length,
    claims: [...entries.map(({ key }) => key), ...conditions.map(({ code }) => code)],
    bytes: entries.reduce((sum, { value }) => sum + value.ciphertext.length, 0),
    ...{ entries, conditions, versionKeys, files },
    entry: { ...named, written },
  };
}

/** Each once: two entries of a Bundle may be on the same condition. */
function conditionsOf(writes: readonly ResourceWrite[]): readonly Condition[] {
  const found = writes.flatMap(({ condition }) => condition ?? []);
  return [...new Map(found.map((each) => [each.code, each])).values()];
}
