/** Registers what a USDM file tells of: a new trial with its amendments, or further versions of one that is known. */
import { createHash } from 'node:crypto';

import { transactions, type Parties, type TrialView, type VersionRecord } from '@salus/chaincode/trial/api';

import { canonicalForm } from '../identity/statements.js';
import { Refusal } from '../ledger/refusal.js';
import type { Given } from '../fhir/parameters.js';
import { importUsdm, type ImportedVersion } from './usdm.js';

type Send = (transaction: string, asked: object) => Promise<unknown>;

/** How many versions were registered; none where the newest version came from this same file. */
export async function registerImported(
  given: Given,
  view: TrialView | undefined,
  sponsor: string,
  send: Send,
): Promise<number> {
  const trial = given.text('trial');
  const imported = importUsdm(parse(given.text('usdm')), given.texts('stratum'));
  const newest = view?.versions.at(-1);
  if (newest !== undefined && newest.protocol.document === imported[0]?.protocol.document) return 0;
  const [first, ...rest] = newest === undefined ? imported : [undefined, ...amendmentsAfter(newest, imported)];
  let before = newest && { version: newest.version, hash: newest.hash };
  if (first !== undefined) {
    await send(transactions.register, { trial, parties: partiesOf(given, sponsor), protocol: first.protocol });
    before = { version: 1, hash: versionHash({ trial, version: 1, protocol: first.protocol, flags: [] }) };
  }
  return (first === undefined ? 0 : 1) + (await amend(trial, rest, before, send));
}

/** What a newer file adds: its further amendments; without one its content all the same. */
function amendmentsAfter({ version }: VersionRecord, imported: readonly ImportedVersion[]): readonly ImportedVersion[] {
  return imported.length > version ? imported.slice(version) : imported.slice(-1);
}

async function amend(
  trial: string,
  versions: readonly (ImportedVersion | undefined)[],
  before: { readonly version: number; readonly hash: string } | undefined,
  send: Send,
): Promise<number> {
  let last = before;
  let count = 0;
  for (const each of versions) {
    if (each === undefined || last === undefined) continue;
    const { protocol, reason = 'a newer study definition' } = each;
    const asked = { trial, version: last.version + 1, previous: last.hash, protocol, reason };
    await send(transactions.registerVersion, asked);
    last = { version: asked.version, hash: versionHash({ ...asked, flags: [] }) };
    count += 1;
  }
  return count;
}

/** The hash by which the next version names this one; amendments of one file come before anybody is enrolled. */
function versionHash(
  draft: Pick<VersionRecord, 'trial' | 'version' | 'previous' | 'protocol' | 'reason' | 'flags'>,
): string {
  return createHash('sha256').update(canonicalForm(draft)).digest('hex');
}

function partiesOf(given: Given, sponsor: string): Parties {
  return {
    sponsor,
    allocator: given.text('allocator'),
    board: given.text('board'),
    ethics: given.texts('ethics'),
    regulators: given.texts('regulator'),
    sites: given.texts('site'),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Refusal('invalid', 'structure', 'usdm is the text of a USDM JSON file');
  }
}
