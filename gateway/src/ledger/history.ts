/** What the ledger says of each version of a resource: where it lies, who made and endorsed it, which hashes it has. */
import { createHash } from 'node:crypto';

import type { StoredVersion } from '../ports.js';
import type { InspectedTransaction } from './inspect.js';

/** Versions in one answer at most, newest first. */
export const MOST_VERSIONS = 100;

/** One version of a resource as the ledger alone attests it. */
export interface VersionOnLedger extends Omit<InspectedTransaction, 'writes'> {
  readonly version: number;
  readonly deleted: boolean;
  readonly keyHash: string;
  /** Absent once the value was deleted or purged. */
  readonly valueHash?: string;
}

/** Finds each version's transaction in the chain; a version whose transaction the peer does not know is left out. */
export async function ledgerHistory(
  versions: readonly StoredVersion[],
  transaction: (txId: string) => Promise<InspectedTransaction | undefined>,
): Promise<readonly VersionOnLedger[]> {
  const found: VersionOnLedger[] = [];
  for (const stored of versions.slice(0, MOST_VERSIONS)) {
    const inspected = await transaction(stored.txId);
    if (inspected !== undefined) found.push(onLedger(stored, inspected));
  }
  return found;
}

function onLedger({ version, deleted, ledgerKey }: StoredVersion, inspected: InspectedTransaction): VersionOnLedger {
  const { writes, ...rest } = inspected;
  const keyHash = createHash('sha256').update(ledgerKey).digest('hex');
  const valueHash = writes.find((write) => write.keyHash === keyHash)?.valueHash;
  return { ...rest, version, deleted, keyHash, ...(valueHash === undefined ? {} : { valueHash }) };
}
