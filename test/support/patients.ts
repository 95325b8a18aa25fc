/** Patients, consents and accesses on a ContractWorld. */
import { createHash } from 'node:crypto';
import { type AccessRecord, type AccessScope, merkleRoot } from '@salus/chaincode/access/api';
import type { ConsentRecord } from '@salus/chaincode/consent/api';
import { ContractWorld, physician, random } from './contract-world.js';
import type { SigningKey } from './signing.js';

/** FHIR id of the patient at the custodian. */
export const PATIENT = 'patient-1';

/** Registers a patient at a hospital; answers the pid. */
export async function registerPatient(world: ContractWorld, member = 'stmary', patientId = PATIENT): Promise<string> {
  const pid = random();
  const request = { pid, patientId, salt: random() };
  await world.submit(member, 'patient:register', { request, actor: physician });
  return pid;
}

/** Announces that a member erases these keys; answers the erasureId. */
export async function announceErasure(world: ContractWorld, member: string, keys: readonly string[]): Promise<string> {
  const erasureId = random();
  const root = merkleRoot(keys.map((key) => createHash('sha256').update(key).digest())).toString('hex');
  const announcement = { erasureId, reason: 'rotation', keys: keys.length, root };
  await world.submit(member, 'ehr:erase-announce', { args: [JSON.stringify(announcement)] });
  return erasureId;
}

/** Registers a key of the patient at a hospital. */
export async function registerKey(world: ContractWorld, pid: string, key: SigningKey, member = 'stmary') {
  const request = { pid, jwk: key.jwk, holder: 'patient', state: 'active', salt: random() };
  await world.submit(member, 'patient:key', { request, actor: physician });
}

/** A founded channel with a patient who signs with this key; answers the pid, too. */
export async function signingPatient(key: SigningKey): Promise<{ world: ContractWorld; pid: string }> {
  const world = await ContractWorld.founded();
  const pid = await registerPatient(world);
  await registerKey(world, pid, key);
  return { world, pid };
}

const TREATMENT = { system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'TREAT' };

/** A consent in its care form that permits a member treatment, or denies it. */
export function consentOf(id: string, member: string, type: 'permit' | 'deny' = 'permit', status = 'active') {
  return {
    resourceType: 'Consent',
    id,
    status,
    patient: { reference: `Patient/${PATIENT}` },
    scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
    policyRule: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTOUT' }] },
    provision: {
      type: 'deny',
      provision: [
        {
          type,
          actor: [
            {
              role: {
                coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'IRCP' }],
              },
              reference: { identifier: { system: 'urn:salus:member', value: member } },
            },
          ],
          purpose: [TREATMENT],
        },
      ],
    },
  };
}

/** Request of consent:record. */
export function consentRequest(
  pid: string,
  consent: { readonly id: string; readonly [element: string]: unknown },
  version = 1,
) {
  const replaces = version > 1 ? { replaces: version - 1 } : {};
  return { pid, consentId: consent.id, version, ...replaces, consent, salt: random() };
}

/** The same with the patient's statement; `names` overrides what its header names. */
export function signedConsent(
  request: ReturnType<typeof consentRequest>,
  key: SigningKey,
  names: Readonly<Record<string, unknown>> = {},
) {
  const replaces = request.version > 1 ? request.version - 1 : null;
  const salus = { channel: 'health', consent: request.consentId, version: request.version, replaces, ...names };
  return { ...request, statement: key.sign(request.consent, { salus }) };
}

/** Everything of the patient's compartment. */
export const everything: AccessScope = { types: [], interaction: 'everything' };

/** Asks for access; answers the record. */
export async function ask(world: ContractWorld, member: string, pid: string, more: object = {}): Promise<AccessRecord> {
  const request = { aid: random(), pid, purpose: 'TREAT', scope: everything, salt: random(), ...more };
  await world.submit(member, 'access:request', { request, actor: physician });
  const read = await world.evaluate(member, 'access:read', { request: { aid: request.aid } });
  return JSON.parse(read.payload) as AccessRecord;
}

/** The patient's consents in force on the ledger, as `id/version`. */
export async function consentsInForce(world: ContractWorld, pid: string): Promise<string[]> {
  const { payload } = await world.evaluate('northside', 'consent:list', { request: { pid } });
  return (JSON.parse(payload) as ConsentRecord[]).map(({ consentId, version }) => `${consentId}/${version}`);
}
