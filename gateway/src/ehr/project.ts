/** What the projection makes of this member's own clinical versions. */
import type { ConditionRecord } from '@salus/chaincode/ehr/api';
import { parseKey } from '@salus/chaincode/registry/api';

import { withVersion } from '../fhir/meta.js';
import type { LedgerTransaction, LedgerWrite } from '../ports.js';
import { Unreadable, type Change, type Open, type Projector } from '../projection/projector.js';
import { supplyChanges } from '../supply/project.js';
import { contentChanges, contentsForgotten } from '../trial/content.js';
import { contentOf, readable } from './translate.js';

const RESOURCE = 'resource';
const CONDITION = 'condition';
const NOTHING: readonly Change[] = [];

/** The projector over the collection `of-<member>`: a version for each content that can be opened. */
export function ehrProjector(member: string): Projector {
  const collection = `of-${member}`;
  return (write, transaction, open) => {
    if (write.collection !== collection) return NOTHING;
    if (write.isPurge) return contentsForgotten(write);
    if (write.key === undefined) return NOTHING;
    const parts = parseKey(write.key);
    if (parts?.name === CONDITION) return condition(parts.attributes[0] ?? '', write);
    if (parts?.name !== RESOURCE) return NOTHING;
    return write.value === undefined
      ? NOTHING
      : contained(write.key, write.value, Number(parts.attributes[1]), transaction, open);
  };
}

/**
 * What a value comes to. The contract cannot look into it, and whoever holds the gateway's certificate may write: one that
 * no gateway would write is told, and stops nothing. That its key cannot be asked for is thrown.
 */
function contained(...[ledgerKey, ...more]: Parameters<typeof changesOf>): readonly Change[] {
  try {
    return changesOf(ledgerKey, ...more);
  } catch (error) {
    if (error instanceof Unreadable) return [{ kind: 'unreadable', ledgerKey }];
    throw error;
  }
}

/** Facts by the code of the criteria: the transaction that last created by them. */
export const CONDITION_SPACE = 'condition';

function condition(code: string, { value }: LedgerWrite): readonly Change[] {
  if (value === undefined) return NOTHING;
  const { txId } = JSON.parse(Buffer.from(value).toString('utf8')) as ConditionRecord;
  return [{ kind: 'fact', space: CONDITION_SPACE, key: code, value: txId }];
}

function changesOf(
  ledgerKey: string,
  value: NonNullable<LedgerWrite['value']>,
  version: number,
  { timestamp }: LedgerTransaction,
  open: Open,
): readonly Change[] {
  const plaintext = open(ledgerKey, value);
  if (plaintext === undefined) return NOTHING;
  const { type, id, patient, by, text } = contentOf(plaintext);
  return readable(() => {
    // Events and packs of the supply chain, and contents of trials, lie in the same collection and are no FHIR resources.
    const supplied = supplyChanges(type, id, text) ?? contentChanges({ type, text, patient }, ledgerKey);
    if (supplied !== undefined) return supplied;
    return [
      {
        kind: 'version',
        ...{ type, id, version, ledgerKey, lastUpdated: timestamp, deleted: text === undefined },
        text: text === undefined ? '' : withVersion(text, version, timestamp),
        ...(patient === undefined ? {} : { patient }),
        ...(by === undefined ? {} : { by: JSON.stringify(by) }),
      },
    ];
  });
}
