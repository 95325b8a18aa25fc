/**
 * Prescriptions and packs in FHIR, in front of the router. `POST MedicationRequest/{id}/$sign` by a physician allows its
 * fills. `POST MedicationRequest/{id}/$dispense` by a pharmacist, Parameters with `pack` (EPC URN, GS1 Digital Link, or as a scanner reads it),
 * `place`, and for a prescription kept elsewhere `patient` (the pharmacy's own Patient) and `prescribedFor` (the Patient's id there): one transaction spends a fill
 * and marks the pack dispensed, and the MedicationDispense names prescription, pack and lot. The prescription is read as
 * the person who asks may read it.
 */
import { resourceBody } from '../../fhir/body.js';
import { parseBody, type JsonObject } from '../../fhir/json.js';
import { outcomeOf } from '../../fhir/outcome.js';
import { givenOf } from '../../fhir/parameters.js';
import type { Fhir, FhirRequest, FhirResponse } from '../../fhir/request.js';
import { Refusal } from '../../ledger/refusal.js';
import { readCode } from '../gs1/element-string.js';
import type { PackActs } from '../packs/acts.js';
import { packEpc, packOf } from '../packs/identity.js';
import { placeOf } from '../packs/steps.js';
import type { KnownItem } from '../packs/shelf.js';
import type { Effect } from '../packs/stored.js';
import {
  allowFills,
  demandActive,
  drawFills,
  type FillPorts,
  fillsOf,
  fillsPatch,
  gtinsOf,
  unspent,
} from './prescriptions.js';
import { dispenseOf, endPatch, isDispensedOn, PACK_SYSTEM } from './record.js';

/** What dispensing needs of the gateway. */
export interface DispensePorts extends FillPorts {
  readonly acts: Pick<PackActs, 'carry'>;
  /** A pack as known here or as its issuer tells. */
  readonly lookUp: (gtin: string, serial: string) => Promise<KnownItem | undefined>;
  /** FHIR instant. */
  readonly now: () => string;
}

const PATH = /^MedicationRequest\/([A-Za-z0-9.-]{1,64})\/\$(sign|dispense)$/;

/** Names of the operations, without `$`. */
export const prescriptionOperations: readonly string[] = ['dispense', 'sign'];

/** The FHIR interface with these operations in front of it. */
export function withDispensing(fhir: Fhir, ports: DispensePorts): Fhir {
  return async (request) => {
    const [, id = '', operation] = PATH.exec(request.path) ?? [];
    if (operation === undefined || request.method !== 'POST') return await fhir(request);
    const desk = { fhir, ports, request };
    try {
      return operation === 'sign' ? await sign(desk, id) : await dispense(desk, id);
    } catch (error) {
      return { headers: {}, ...outcomeOf(error) };
    }
  };
}

interface Desk {
  readonly fhir: Fhir;
  readonly ports: DispensePorts;
  readonly request: FhirRequest;
}

/** An answer of the interface that is no success: given on as it is. */
class Answered extends Error {
  constructor(readonly response: FhirResponse) {
    super(`answered ${response.status}`);
  }
}

async function sign(desk: Desk, id: string): Promise<FhirResponse> {
  const { ports, request } = desk;
  demandRole(request, 'physician', 'signs prescriptions');
  return await given(async () => {
    const path = `MedicationRequest/${id}`;
    const prescription = await read(desk, path);
    demandActive(prescription);
    const known = fillsOf(prescription);
    const fills = known.length > 0 ? known : drawFills(prescription);
    if (known.length === 0) await patch(desk, path, fillsPatch(prescription, fills), versionOf(prescription));
    await allowFills(ports, request.actor, fills);
    return await asked(desk, { method: 'GET', path });
  });
}

async function dispense(desk: Desk, id: string): Promise<FhirResponse> {
  const { ports, request } = desk;
  demandRole(request, 'pharmacist', 'dispenses');
  const { epc, gtin, serial, place, patient, prescribedFor } = wishOf(request);
  return await given(async () => {
    const { prescription, isElsewhere } = await prescriptionOf(desk, id, prescribedFor ?? patient);
    demandActive(prescription);
    demandProduct(prescription, gtin);
    const fills = unspent(ports, fillsOf(prescription));
    if (fills.length === 0) throw new Refusal('conflict', 'no-fill', 'it is not signed, or every fill was dispensed');
    const owner = givenTo(prescription, patient, isElsewhere);
    const begun = await begunBefore(desk, epc, id);
    const known = await ports.lookUp(gtin, serial);
    const made = dispenseOf({ prescription, epc, gtin, terms: known?.terms, patient: owner });
    const path = `MedicationDispense/${begun ?? (await create(desk, made))}`;
    const end = await spend(desk, { epc, place, fills, again: begun !== undefined });
    if (end.state === 'unknown') throw new Refusal('unavailable', 'unknown', 'it is not known yet: ask the same again');
    await patch(desk, path, endPatch(ports.now(), end.code));
    if (end.state === 'refused') throw new Refusal('conflict', end.code ?? '', end.detail ?? '');
    return { ...(await asked(desk, { method: 'GET', path })), status: 201 };
  });
}

interface Spending {
  readonly epc: string;
  readonly place: string;
  readonly fills: readonly string[];
  readonly again: boolean;
}

/** Spends the first fill that nobody else spends in the meantime. */
async function spend({ ports, request }: Desk, { epc, place, fills, again }: Spending): Promise<Omit<Effect, 'event'>> {
  let end: Omit<Effect, 'event'> | undefined;
  for (const fill of fills) {
    const step = { kind: 'act', act: 'dispense', epcs: [epc], place, fill } as const;
    [end] = await ports.acts.carry(request.actor, step, { again });
    if (end?.code !== 'fill-spent') break;
  }
  return end ?? { act: 'dispense', state: 'unknown' };
}

function wishOf(request: FhirRequest) {
  const parameters = givenOf(resourceBody(request).plain);
  const text = parameters.text('pack');
  const pack = packOf(placeOf(text)) ?? readCode(text);
  const epc = packEpc(pack.gtin, pack.serial);
  const [place = ''] = parameters.texts('place');
  const [patient] = parameters.texts('patient');
  const [prescribedFor] = parameters.texts('prescribedFor');
  return { epc, gtin: pack.gtin, serial: pack.serial, place: placeOf(place), patient, prescribedFor };
}

function demandRole({ actor }: FhirRequest, role: string, does: string): void {
  if (actor.role !== role) throw new Refusal('forbidden', 'not-your-role', `only a ${role} ${does}`);
}

function demandProduct(prescription: JsonObject, gtin: string): void {
  const prescribed = gtinsOf(prescription);
  if (prescribed.length === 0 || prescribed.includes(gtin)) return;
  throw new Refusal('invalid', 'unprocessable', 'the pack is of another product than is prescribed');
}

/** Who is given the pack: of a prescription kept here whom it is for, and nobody else. */
function givenTo(prescription: JsonObject, patient: string | undefined, isElsewhere: boolean): string {
  if (isElsewhere && patient !== undefined) return patient;
  const subject = patientOf(prescription);
  if (patient === undefined || patient === subject) return subject;
  throw new Refusal('invalid', 'unprocessable', 'the prescription is for another patient');
}

function patientOf({ subject }: JsonObject): string {
  const reference = (subject as JsonObject | undefined)?.reference;
  const [, id] = /^Patient\/([A-Za-z0-9.-]{1,64})$/.exec(String(reference)) ?? [];
  if (id === undefined)
    throw new Refusal('invalid', 'structure', 'Parameters needs patient: who is given it, kept here');
  return id;
}

/** The MedicationDispense of this pack on this prescription that a killed gateway left open. */
async function begunBefore(desk: Desk, epc: string, prescription: string): Promise<string | undefined> {
  const query = new URLSearchParams({ identifier: `${PACK_SYSTEM}|${epc}`, status: 'in-progress' });
  const found = await asked(desk, { method: 'GET', path: 'MedicationDispense', query });
  const { entry } = resourceOf(found) as { readonly entry?: readonly { readonly resource?: JsonObject }[] };
  const id = entry?.find(({ resource }) => resource !== undefined && isDispensedOn(resource, prescription))?.resource
    ?.id;
  return typeof id === 'string' ? id : undefined;
}

async function create(desk: Desk, resource: JsonObject): Promise<string> {
  const body = JSON.stringify(resource);
  return String(resourceOf(await asked(desk, { method: 'POST', path: 'MedicationDispense', body })).id);
}

async function read(desk: Desk, path: string): Promise<JsonObject> {
  return resourceOf(await asked(desk, { method: 'GET', path }));
}

/** Kept here, or as the other hospital shows it of its patient: read by permit, like any search of another's record. */
async function prescriptionOf(
  desk: Desk,
  id: string,
  patient: string | undefined,
): Promise<{ readonly prescription: JsonObject; readonly isElsewhere: boolean }> {
  try {
    return { prescription: await read(desk, `MedicationRequest/${id}`), isElsewhere: false };
  } catch (error) {
    const isElsewhere = error instanceof Answered && error.response.status === 404 && patient !== undefined;
    if (!isElsewhere) throw error;
    const query = new URLSearchParams({ patient });
    const found = resourceOf(await asked(desk, { method: 'GET', path: 'MedicationRequest', query }));
    const entries = (found.entry ?? []) as unknown as readonly { readonly resource?: JsonObject }[];
    const shown = entries.find(({ resource }) => resource?.resourceType === 'MedicationRequest' && resource.id === id);
    if (shown?.resource === undefined) throw error;
    return { prescription: shown.resource, isElsewhere: true };
  }
}

async function patch(desk: Desk, path: string, body: string, version?: string): Promise<void> {
  const headers = {
    'content-type': 'application/json-patch+json',
    ...(version === undefined ? {} : { 'if-match': version }),
  };
  await asked(desk, { method: 'PATCH', path, body, headers });
}

function versionOf({ meta }: JsonObject): string {
  return `W/"${String((meta as JsonObject | undefined)?.versionId)}"`;
}

/** Asks the interface as whoever asks. Throws Answered for anything but a success. */
async function asked(
  { fhir, request: { actor } }: Desk,
  question: Pick<FhirRequest, 'method' | 'path'> & Partial<FhirRequest>,
): Promise<FhirResponse> {
  const headers = { 'content-type': 'application/fhir+json' };
  const response = await fhir({ actor, query: new URLSearchParams(), headers, ...question });
  if (response.status >= 300) throw new Answered(response);
  return response;
}

async function given(work: () => Promise<FhirResponse>): Promise<FhirResponse> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Answered) return error.response;
    throw error;
  }
}

function resourceOf({ resource }: FhirResponse): JsonObject {
  return typeof resource === 'string' ? (parseBody(resource).plain as JsonObject) : (resource ?? {});
}
