/**
 * `POST Patient/{id}/$patient-key`: staff of the custodian register or revoke a key of the patient's or a guardian's.
 * Body: Parameters with `jwk` (valueString, a public ES256 JWK), `holder` (valueCode patient, guardian), `state`
 * (valueCode active, revoked; active unless given), and to register a guardian's `related-person` (valueString, id of the
 * RelatedPerson whose mandate is in force): the key ends with the mandate.
 */
import { custodianStaff } from '@salus/chaincode/access/api';

import { asResource } from '../fhir/body.js';
import { parseBody, type JsonObject } from '../fhir/json.js';
import { operationOutcome, outcomeOf } from '../fhir/outcome.js';
import { parameterOf } from '../fhir/parameters.js';
import type { Fhir, FhirRequest, FhirResponse } from '../fhir/request.js';
import type { Mandates } from '../consent/mandates.js';
import type { KeyStore } from '../keys/key-store.js';
import { Refusal } from '../ledger/refusal.js';
import type { PublicJwk } from '../settings.js';
import type { KeyOwner, PatientKeys } from './keys.js';
import type { PatientLookup } from './lookup.js';

/** Whose keys may be registered or revoked here, and where they are kept. */
export interface KeyOperationPorts {
  readonly member: string;
  readonly lookup: PatientLookup;
  readonly patientKeys: PatientKeys;
  readonly mandates: Pick<Mandates, 'ofPerson'>;
  readonly keys: Pick<KeyStore, 'isErasedPatient'>;
}

const PATH = /^Patient\/([A-Za-z0-9.-]{1,64})\/\$patient-key$/;

/** The FHIR interface with the operation in front of it. */
export function withPatientKeys(fhir: Fhir, ports: KeyOperationPorts): Fhir {
  return async (request) => {
    const id = PATH.exec(request.path)?.[1];
    if (id === undefined || request.method !== 'POST') return await fhir(request);
    try {
      return await setKey(ports, request, id);
    } catch (error) {
      return { headers: {}, ...outcomeOf(error) };
    }
  };
}

async function setKey(ports: KeyOperationPorts, { actor, body }: FhirRequest, id: string): Promise<FhirResponse> {
  if (!(custodianStaff as readonly string[]).includes(actor.role)) {
    throw new Refusal('forbidden', 'not-staff', `keys are registered by ${custodianStaff.join(', ')}`);
  }
  const known = ports.lookup.byId(id);
  if (known === undefined || !Object.hasOwn(known.custodians, ports.member) || ports.keys.isErasedPatient(id)) {
    throw new Refusal('not-found', 'not-found', `no Patient with this id is registered at ${ports.member}`);
  }
  const { jwk, holder, state, person } = read(asResource(parseBody(body ?? '').plain));
  if (state === 'revoked') await ports.patientKeys.revoke(actor, known.pid, jwk, holder);
  else await ports.patientKeys.register(actor, known.pid, jwk, ownerOf(ports, { holder, person }, id));
  const diagnostics = `the key ${jwk.kid} is ${state}`;
  const issue = { severity: 'information', code: 'informational', diagnostics } as const;
  return { status: 200, headers: {}, resource: operationOutcome([issue]) };
}

function ownerOf(
  { mandates }: KeyOperationPorts,
  { holder, person }: Pick<KeyWish, 'holder' | 'person'>,
  patient: string,
): KeyOwner {
  if (holder === 'patient') return { holder };
  const mandate = mandates.ofPerson(patient, person ?? '');
  if (mandate?.kind !== 'guardian' || person === undefined) {
    throw wrong("related-person must be the id of the patient's RelatedPerson who is guardian now");
  }
  const { until } = mandate;
  const end = Number.isFinite(until) ? { until: new Date(until).toISOString() } : {};
  return { holder, guardian: { patient, person }, ...end };
}

interface KeyWish {
  readonly person: string | undefined;
  readonly jwk: PublicJwk;
  readonly holder: 'patient' | 'guardian';
  readonly state: 'active' | 'revoked';
}

function read(parameters: JsonObject): KeyWish {
  const value = (name: string): string | undefined => {
    const found = parameterOf(parameters, name);
    const said = found?.valueCode ?? found?.valueString;
    return typeof said === 'string' ? said : undefined;
  };
  const holder = value('holder') ?? 'patient';
  const state = value('state') ?? 'active';
  if (holder !== 'patient' && holder !== 'guardian') throw wrong('holder must be patient or guardian');
  if (state !== 'active' && state !== 'revoked') throw wrong('state must be active or revoked');
  return { jwk: publicJwk(value('jwk') ?? ''), holder, state, person: value('related-person') };
}

function publicJwk(text: string): PublicJwk {
  const { kty, crv, x, y, kid, d } = parsed(text);
  if (kty !== 'EC' || crv !== 'P-256' || d !== undefined) throw wrong('jwk must be a public P-256 key');
  if (x === undefined || y === undefined || kid === undefined) throw wrong('jwk must have x, y and kid');
  return { kty, crv, x, y, kid, alg: 'ES256', use: 'sig' };
}

function parsed(text: string): Readonly<Record<string, string | undefined>> {
  try {
    const value = (JSON.parse(text) ?? {}) as Readonly<Record<string, unknown>>;
    const texts = Object.entries(value).filter((each): each is [string, string] => typeof each[1] === 'string');
    return Object.fromEntries(texts);
  } catch {
    throw wrong('jwk must be the JSON text of a public key');
  }
}

function wrong(detail: string): Refusal {
  return new Refusal('invalid', 'unprocessable', `Parameters: ${detail}`);
}
