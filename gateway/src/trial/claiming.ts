/**
 * `$claim`: a site names, before anything public speaks of the participant, who a participant is, so that nobody takes part
 * twice. On the ledger lie HMACs of the person's identifiers under the trial's secret, in the hospitals' collection; who it
 * is, the site alone knows, under the patient's own key.
 */
import { createHmac, randomBytes } from 'node:crypto';

import { MAX_CLAIM_CODES, transactions } from '@salus/chaincode/trial/api';

import type { KeptRecord } from '../ehr/keep.js';
import type { JsonObject } from '../fhir/json.js';
import type { Given } from '../fhir/parameters.js';
import type { SecretPlace, SharedSecrets } from '../keys/shared-secrets.js';
import { Refusal } from '../ledger/refusal.js';
import { actorBytes } from '../ledger/vouched.js';
import { type ListedIdentifier, listedIdentifiers } from '../patient/codes.js';
import type { Actor, Commit, Ledger, StoredVersion } from '../ports.js';
import { type ContentFacts, patientOf, SUBJECT_TYPE, type TrialSubject } from './content.js';

/** To how many codes a claim is filled up: a person's number of identifiers is nobody's business. */
const CODE_COUNTS = [4, MAX_CLAIM_CODES];

/** What claiming needs of the gateway. */
export interface ClaimingPorts {
  readonly ledger: Pick<Ledger, 'submit' | 'evaluate'>;
  /** Puts what was looked at of a patient on that patient's list: the claim itself shows nothing of it. */
  readonly shown: (patient: string) => void;
  readonly current: (type: string, id: string) => StoredVersion | undefined;
  readonly facts: ContentFacts;
  readonly keep: (records: readonly KeptRecord[]) => Promise<void>;
  readonly secrets: Pick<SharedSecrets, 'ensure'>;
}

/** Claims `patient` (FHIR id at this hospital) for `participant`. Throws Refusal; what is refused is kept nowhere. */
export async function claim(ports: ClaimingPorts, actor: Actor, trial: string, given: Given): Promise<Commit> {
  const { ledger, facts, keep, secrets } = ports;
  const subject: TrialSubject = { trial, participant: given.text('participant') };
  const patient = given.text('patient');
  const identifiers = identifiersOf(ports, patient);
  const vouched = { actor: actorBytes(actor) };
  const secret = await secrets.ensure(placeOf(trial), vouched);
  const request = { ...subject, hmacs: codesOf(secret, identifiers), salt: randomBytes(32).toString('hex') };
  const call = {
    transaction: transactions.claim,
    transient: { ...vouched, request: Buffer.from(JSON.stringify(request)) },
  };
  await ledger.evaluate(call);
  if (patientOf(facts, subject) !== patient) await keep([{ type: SUBJECT_TYPE, value: subject, patient }]);
  return await ledger.submit(call);
}

function identifiersOf({ current, shown }: ClaimingPorts, patient: string): readonly ListedIdentifier[] {
  const stored = current('Patient', patient);
  if (stored === undefined || stored.deleted) {
    throw new Refusal('not-found', 'not-found', 'patient is the id of a Patient of this hospital');
  }
  shown(patient);
  const identifiers = listedIdentifiers(JSON.parse(stored.text) as JsonObject);
  if (identifiers.length > 0) return identifiers;
  const detail = 'the Patient has no identifier by which another hospital would know the same person';
  throw new Refusal('invalid', 'no-identifier', detail);
}

/** Codes of the identifiers, and random ones up to a number that says nothing. */
function codesOf(secret: Uint8Array, identifiers: readonly ListedIdentifier[]): readonly string[] {
  const codes = identifiers.map(({ system, value }) =>
    createHmac('sha256', secret)
      .update(JSON.stringify([system, value]))
      .digest('hex'),
  );
  const own = [...new Set(codes)];
  const count = CODE_COUNTS.find((each) => each >= own.length) ?? own.length;
  const others = Array.from({ length: count - own.length }, () => randomBytes(32).toString('hex'));
  return [...own, ...others].sort();
}

function placeOf(trial: string): SecretPlace {
  return { name: `trial/${trial}`, about: { trial }, read: transactions.secret, make: transactions.newSecret };
}
