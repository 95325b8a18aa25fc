/** What the projection makes of this member's own clinical versions. */
import type { ConditionRecord } from '@salus/chaincode/ehr/api';
import { parseKey } from '@salus/chaincode/registry/api';

import { withVersion } from '../fhir/meta.js';
import type { KeyStore } from '../keys/key-store.js';
import type { LedgerTransaction, LedgerWrite } from '../ports.js';
import { Unreadable, type Change, type Open, type Projector } from '../projection/projector.js';
import { supplyChanges } from '../supply/project.js';
import { contentChanges, contentsForgotten } from '../trial/content.js';
import { codeOf, contentOf, readable } from './translate.js';

const RESOURCE = 'resource';
const CONDITION = 'condition';
const NOTHING: readonly Change[] = [];

/**
 * The projector over the collection `of-<member>`: a version for each content that can be opened and lies under the ledger
 * key of the resource it names, by the member's own `keys`.
 */
export function ehrProjector(member: string, keys: Pick<KeyStore, 'hmac'>): Projector {
  const collection = `of-${member}`;
  return (write, transaction, open) => {
    if (write.collection !== collection) return NOTHING;
    if (write.isPurge) return contentsForgotten(write);
    if (write.key === undefined) return NOTHING;
    const parts = parseKey(write.key);
    if (parts?.name === CONDITION) return condition(parts.attributes[0] ?? '', write);
    if (parts?.name !== RESOURCE) return NOTHING;
    if (write.value === undefined) return NOTHING;
    const [code, version] = parts.attributes;
    const place = { ledgerKey: write.key, version: Number(version), isOf: isCode(code, keys) };
    return contained(place, write.value, transaction, open);
  };
}

/** A number of characters: whoever holds the gateway's certificate may have written anything. */
function isLimit(beside: unknown): beside is number {
  return Number.isSafeInteger(beside) && (beside as number) > 0;
}

/**
 * What a value comes to. The contract cannot look into it, and whoever holds the gateway's certificate may write: one that
 * no gateway would write is told, and stops nothing. That its key cannot be asked for is thrown.
 */
function contained(...[place, ...more]: Parameters<typeof changesOf>): readonly Change[] {
  try {
    return changesOf(place, ...more);
  } catch (error) {
    if (error instanceof Unreadable) return [{ kind: 'unreadable', ledgerKey: place.ledgerKey }];
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

/** Where a value lies. */
interface Place {
  readonly ledgerKey: string;
  readonly version: number;
  /** Whether the versions of this resource lie here. */
  readonly isOf: (type: string, id: string) => boolean;
}

function isCode(code: string | undefined, keys: Pick<KeyStore, 'hmac'>): Place['isOf'] {
  return (type, id) => codeOf(keys, type, id) === code;
}

function changesOf(
  { ledgerKey, version, isOf }: Place,
  value: NonNullable<LedgerWrite['value']>,
  { timestamp }: LedgerTransaction,
  open: Open,
): readonly Change[] {
  const plaintext = open(ledgerKey, value);
  if (plaintext === undefined) return NOTHING;
  const { type, id, patient, by, beside, text } = contentOf(plaintext);
  // Under another's key it would take a place that the contract keeps for the next true version.
  if (!isOf(type, id)) throw new Unreadable('the content names a resource of another ledger key');
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
        ...(isLimit(beside) ? { beside } : {}),
      },
    ];
  });
}
