/** What a custodian does when another hospital asks it to end a consent: it records the end as its own word. */
import { randomBytes } from 'node:crypto';

import { recordedSalt, type Asker, type RecordConsent, type StoredConsent } from '@salus/chaincode/consent/api';
import { onlyPermits, type ConsentInForce, patientIn } from '@salus/chaincode/consent/decide';

import { GATEWAY_ACTOR } from '../ledger/vouched.js';
import type { Actor, Commit, Ledger } from '../ports.js';
import type { AskedEnd } from './elsewhere.js';
import { keepRest, restOf, type RestPorts } from './rest.js';
import { callOf, saidBy, type SayingPorts } from './saying.js';
import type { TrustedConsents } from './trusted.js';

/** What a custodian needs to record, as its own word, the end of a consent of its patient. */
export interface AskedEndPorts extends RestPorts, SayingPorts {
  readonly member: string;
  readonly ledger: Pick<Ledger, 'submit'>;
  readonly pidOf: (patientId: string) => string | undefined;
  readonly trusted: Pick<TrustedConsents, 'held'>;
}

/** An end that another hospital asked for, by whom there. */
export interface EndAskedBy extends Omit<AskedEnd, 'asker'> {
  readonly asker: Asker;
}

/**
 * Records the end of a consent whose version before it holds here and denies nothing: what denies is ended by the
 * patient alone. Undefined where nothing is recorded. Throws Refusal.
 */
export async function recordAskedEnd(ports: AskedEndPorts, end: EndAskedBy): Promise<Commit | undefined> {
  const { consentId, version } = end;
  const patientId = ports.current('Consent', consentId)?.patient;
  const pid = patientId === undefined ? undefined : ports.pidOf(patientId);
  const record = pid === undefined ? undefined : ports.trusted.held(pid, consentId);
  if (record === undefined || !isEndable(record, version)) return undefined;
  const patient = patientId ?? patientIn(record.consent) ?? '';
  const actor: Actor = { member: ports.member, ...GATEWAY_ACTOR, scopes: [] };
  const request = requestOf(record, end);
  const said = await saidBy(ports, { actor }, request, patient);
  const commit = await ports.ledger.submit(callOf(said, actor));
  const recorded = { consent: request.consent, salt: recordedSalt(request) };
  await keepRest(ports, actor, { recorded, patient }, restOf(ports, record));
  return commit;
}

function isEndable({ status, version, consent }: StoredConsent, next: number): boolean {
  return status === 'active' && version === next - 1 && onlyPermits(consent as unknown as ConsentInForce['care']);
}

function requestOf({ pid, consent }: StoredConsent, { consentId, version, status, asker }: EndAskedBy): RecordConsent {
  const salt = randomBytes(32).toString('hex');
  return { pid, consentId, version, replaces: version - 1, consent: { ...consent, status }, askedBy: asker, salt };
}
