/** What the projection makes of consents in `care`: FHIR versions at the custodians, and the newest of each to decide on. */
import { createHash } from 'node:crypto';

import type { StoredConsent } from '@salus/chaincode/consent/api';
import { patientIn } from '@salus/chaincode/consent/decide';
import { parseKey } from '@salus/chaincode/registry/api';

import { withVersion } from '../fhir/meta.js';
import type { Authorship, LedgerWrite } from '../ports.js';
import type { Place } from '../projection/place.js';
import type { Change, PlacedTransaction, Projector } from '../projection/projector.js';
import { denies } from './announced.js';

/** Facts of consents' versions: `<pid>/<consent id>/<version, hash and place>` to a ProjectedConsent. */
export const CONSENT_SPACE = 'consent';
/** Holds one fact, once any consent denied anything. */
export const DENIAL_SPACE = 'consent-denial';
/** The one key in DENIAL_SPACE. */
export const EVER = 'ever';
/** Holds one fact for each consent that ever counted at this member: what once counted counts in every later version. */
export const COUNTED_SPACE = 'consent-counted';
const CARE = 'care';

/** A consent as its last write left it, with who sent that transaction (verified by the peer). */
export interface ProjectedConsent {
  readonly record: StoredConsent;
  readonly creatorMspId: string;
  readonly place: Place;
}

/** Key of the facts of a consent's versions, but for version, hash and place at its end. */
export const consentKey = (pid: string, consentId: string): string => `${pid}/${consentId}/`;

/** The projector over `care` at one member. */
export function consentProjector(member: string): Projector {
  return (write, transaction) => {
    if (write.collection !== CARE || write.key === undefined || write.value === undefined) return [];
    if (parseKey(write.key)?.name !== 'consent') return [];
    return changes(member, write.key, write.value, transaction);
  };
}

function changes(
  member: string,
  ledgerKey: string,
  value: NonNullable<LedgerWrite['value']>,
  { timestamp, creatorMspId, block, index }: PlacedTransaction,
): readonly Change[] {
  const record = JSON.parse(Buffer.from(value).toString('utf8')) as StoredConsent;
  const key = consentKey(record.pid, record.consentId);
  const fact: ProjectedConsent = { record, creatorMspId, place: { block, index } };
  const hash = createHash('sha256').update(value).digest('hex');
  const said = `${record.version}/${hash}/${block}.${index}`;
  return [
    // A fact for each version and all that was ever said of it, and when: writing one again brings nothing back, hides
    // nothing, and is no later word.
    { kind: 'fact', space: CONSENT_SPACE, key: `${key}${said}`, value: JSON.stringify(fact) },
    ...(denies(record.consent) ? [{ kind: 'fact', space: DENIAL_SPACE, key: EVER, value: 'yes' } as const] : []),
    ...(record.countsAt.includes(member) ? [counted(key), versionOf(record, ledgerKey, timestamp)] : []),
  ];
}

function counted(key: string): Change {
  return { kind: 'fact', space: COUNTED_SPACE, key, value: 'yes' };
}

function versionOf(record: StoredConsent, ledgerKey: string, lastUpdated: string): Change {
  const { consent, consentId, version } = record;
  const patient = patientIn(consent);
  const text = withVersion(
    JSON.stringify({ resourceType: 'Consent', ...consent, id: consentId }),
    version,
    lastUpdated,
  );
  return {
    kind: 'version',
    type: 'Consent',
    id: consentId,
    version,
    lastUpdated,
    deleted: false,
    text,
    ledgerKey,
    by: JSON.stringify(authorOf(record, patient)),
    ...(patient === undefined ? {} : { patient }),
  };
}

/** Who said it, of whom the ledger's record names: whoever asked for a withdrawal at another hospital, if anybody did. */
function authorOf({ submitter, askedBy }: StoredConsent, patient: string | undefined): Authorship {
  const { member, user, role } = askedBy ?? submitter;
  const isPatients = patient !== undefined && (role === 'patient' || role === 'guardian');
  return { member, user, role, ...(isPatients ? { patient } : {}) };
}
