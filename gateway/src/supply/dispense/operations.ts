/**
 * Prescriptions and packs in FHIR, in front of the router. `POST MedicationRequest/{id}/$sign` by a physician allows its
 * fills. `POST MedicationRequest/{id}/$dispense` by a pharmacist, Parameters with `pack` (EPC URN, GS1 Digital Link, or as a scanner reads it),
 * `place`, and for a prescription kept elsewhere `patient` (the pharmacy's own Patient) and `prescribedFor` (the Patient's id there): one transaction spends a fill
 * and marks the pack dispensed, and the MedicationDispense names prescription, pack and lot. `POST MedicationDispense/{id}/$undo`
 * by the same pharmacist, Parameters with the same `place`: one transaction puts the pack back in stock and gives the fill
 * back, and the MedicationDispense is entered-in-error. The prescription is read as the person who asks may read it.
 */
import { resourceBody } from '../../fhir/body.js';
import type { JsonObject } from '../../fhir/json.js';
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
import { Answered, asked, type Asking, demandRole, markUndone, patch, read, recordsOf, resourceOf } from './desk.js';
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
import { dispenseOf, endPatch, isDispensedOn, packsIn } from './record.js';

/** What dispensing needs of the gateway. */
export interface DispensePorts extends FillPorts {
  readonly acts: Pick<PackActs, 'carry'>;
  /** A pack as known here or as its issuer tells. */
  readonly lookUp: (gtin: string, serial: string) => Promise<KnownItem | undefined>;
  /** FHIR instant. */
  readonly now: () => string;
}

/** Names of the operations, without `$`, by type. */
export const dispensingOperations = { MedicationRequest: ['dispense', 'sign'], MedicationDispense: ['undo'] } as const;

const PATH = /^(MedicationRequest|MedicationDispense)\/([A-Za-z0-9.-]{1,64})\/\$(sign|dispense|undo)$/;

/** The FHIR interface with these operations in front of it. */
export function withDispensing(fhir: Fhir, ports: DispensePorts): Fhir {
  return async (request) => {
    const [, type = '', id = '', name = ''] = PATH.exec(request.path) ?? [];
    const operation = OPERATIONS[`${type} ${name}`];
    if (operation === undefined || request.method !== 'POST') return await fhir(request);
    try {
      return await operation({ fhir, ports, request }, id);
    } catch (error) {
      return error instanceof Answered ? error.response : { headers: {}, ...outcomeOf(error) };
    }
  };
}

interface Desk extends Asking {
  readonly ports: DispensePorts;
  readonly request: FhirRequest;
}

const OPERATIONS: Readonly<Record<string, (desk: Desk, id: string) => Promise<FhirResponse>>> = {
  'MedicationRequest sign': sign,
  'MedicationRequest dispense': dispense,
  'MedicationDispense undo': undo,
};

async function sign(desk: Desk, id: string): Promise<FhirResponse> {
  demandRole(desk, 'physician', 'signs prescriptions');
  const path = `MedicationRequest/${id}`;
  const prescription = await read(desk, path);
  demandActive(prescription);
  const known = fillsOf(prescription);
  const fills = known.length > 0 ? known : drawFills(prescription);
  if (known.length === 0) await patch(desk, path, fillsPatch(prescription, fills), versionOf(prescription));
  await allowFills(desk.ports, desk.request.actor, fills);
  return await asked(desk, { method: 'GET', path });
}

async function dispense(desk: Desk, id: string): Promise<FhirResponse> {
  const { ports } = desk;
  demandRole(desk, 'pharmacist', 'dispenses');
  const { epc, gtin, serial, place, patient, prescribedFor } = wishOf(desk.request);
  const { prescription, isElsewhere } = await prescriptionOf(desk, id, prescribedFor ?? patient);
  demandActive(prescription);
  demandProduct(prescription, gtin);
  const owner = givenTo(prescription, patient, isElsewhere);
  const records = await recordsOf(desk, epc, ['in-progress', 'completed']);
  // What a killed gateway left open, of this pack on this prescription.
  const begun = records.find((each) => each.status === 'in-progress' && isDispensedOn(each, id));
  const fills = fillsFor(ports, prescription, begun !== undefined);
  const known = await ports.lookUp(gtin, serial);
  const made = dispenseOf({ prescription, epc, gtin, terms: known?.terms, patient: owner });
  const path = `MedicationDispense/${String(begun === undefined ? await create(desk, made) : begun.id)}`;
  const end = settledEnd(await spend(desk, { epc, place, fills, again: begun !== undefined }));
  await patch(desk, path, endPatch(ports.now(), end.code));
  demandDone(end);
  // The ledger had it in stock, so that an earlier dispense was undone, though a kill kept its record from saying so.
  await markUndone(
    desk,
    records.filter(({ status }) => status === 'completed'),
  );
  return { ...(await asked(desk, { method: 'GET', path })), status: 201 };
}

/** Those that may be spent; where it was begun before, those that may have been spent by it, first. Throws Refusal. */
function fillsFor(ports: FillPorts, prescription: JsonObject, wasBegun: boolean): readonly string[] {
  const all = fillsOf(prescription);
  const left = unspent(ports, all);
  const fills = wasBegun ? [...all.filter((each) => !left.includes(each)), ...left] : left;
  if (fills.length > 0) return fills;
  throw new Refusal('conflict', 'no-fill', 'it is not signed, or every fill was dispensed');
}

async function undo(desk: Desk, id: string): Promise<FhirResponse> {
  const { ports, request } = desk;
  demandRole(desk, 'pharmacist', 'undoes a dispense');
  const [place = ''] = givenOf(resourceBody(request).plain).texts('place');
  const path = `MedicationDispense/${id}`;
  const record = await read(desk, path);
  const [epc] = packsIn(record);
  if (epc === undefined) throw new Refusal('invalid', 'unprocessable', 'it names no pack that was dispensed');
  if (record.status !== 'completed') {
    throw new Refusal(
      'conflict',
      'not-undoable',
      'it was not dispensed, or is undone: only what is completed is undone',
    );
  }
  const step = { kind: 'act', act: 'undo', epcs: [epc], place: placeOf(place), supplied: 'no' } as const;
  // A kill may have come between the ledger and the record.
  const [end] = await ports.acts.carry(request.actor, step, { again: true });
  demandDone(settledEnd(end));
  await markUndone(desk, [record]);
  return await asked(desk, { method: 'GET', path });
}

type End = Omit<Effect, 'event'>;

/** Throws Refusal where nobody knows. */
function settledEnd(end: End | undefined): End {
  if (end !== undefined && end.state !== 'unknown') return end;
  throw new Refusal('unavailable', 'unknown', 'it is not known yet: ask the same again');
}

function demandDone({ state, code = '', detail = '' }: End): void {
  if (state === 'refused') throw new Refusal('conflict', code, detail);
}

interface Spending {
  readonly epc: string;
  readonly place: string;
  readonly fills: readonly string[];
  readonly again: boolean;
}

/** Spends the first fill that nobody else spends in the meantime. */
async function spend({ ports, request }: Desk, { epc, place, fills, again }: Spending): Promise<End | undefined> {
  let end: End | undefined;
  for (const fill of fills) {
    const step = { kind: 'act', act: 'dispense', epcs: [epc], place, fill } as const;
    [end] = await ports.acts.carry(request.actor, step, { again });
    if (end?.code !== 'fill-spent') break;
  }
  return end;
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

async function create(desk: Desk, resource: JsonObject): Promise<string> {
  const body = JSON.stringify(resource);
  return String(resourceOf(await asked(desk, { method: 'POST', path: 'MedicationDispense', body })).id);
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

function versionOf({ meta }: JsonObject): string {
  return `W/"${String((meta as JsonObject | undefined)?.versionId)}"`;
}
