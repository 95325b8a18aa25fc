/** The fills of a prescription: random names in its content alone, a key for each in public state. */
import { randomBytes } from 'node:crypto';

import { type Fill, transactions } from '@salus/chaincode/supply/api';

import type { JsonObject } from '../../fhir/json.js';
import { isRefusal, Refusal } from '../../ledger/refusal.js';
import { actorBytes } from '../../ledger/vouched.js';
import type { Actor, Ledger } from '../../ports.js';
import { asList, isMap } from '../event/json.js';
import { publicRecord } from '../project.js';
import type { ShelfPorts } from '../packs/shelf.js';

/** Most fills of one prescription: the first and its repeats. */
export const MAX_FILLS = 99;
/** System of the identifiers that name fills. */
export const FILL_SYSTEM = 'urn:salus:fill';
const GTIN_SYSTEM = 'https://www.gs1.org/gtin';

/** What fills are looked up in, and allowed by. */
export interface FillPorts {
  readonly projection: Pick<ShelfPorts['projection'], 'fact'>;
  readonly ledger: Pick<Ledger, 'submit'>;
}

/** Names of the fills that stand in a prescription. */
export function fillsOf(prescription: JsonObject): readonly string[] {
  return objects(prescription.identifier).flatMap(({ system, value }) =>
    system === FILL_SYSTEM && typeof value === 'string' ? [value] : [],
  );
}

/** GTINs by which the product is prescribed, as a code or in a contained Medication; none where it is named otherwise. */
export function gtinsOf({ medicationCodeableConcept, medicationReference, contained }: JsonObject): readonly string[] {
  const [reference] = objects(medicationReference);
  const medications = objects(contained).filter(({ id }) => reference?.reference === `#${String(id)}`);
  const concepts = [medicationCodeableConcept, ...medications.map(({ code }) => code)].flatMap(objects);
  return concepts
    .flatMap(({ coding }) => objects(coding))
    .flatMap(({ system, code }) =>
      system === GTIN_SYSTEM && typeof code === 'string' ? [code.padStart(14, '0')] : [],
    );
}

/** Throws Refusal for what is no order in force. */
export function demandActive({ status, intent }: JsonObject): void {
  if (status === 'active' && ['order', 'original-order', 'instance-order'].includes(String(intent))) return;
  throw new Refusal('invalid', 'unprocessable', 'a prescription is a MedicationRequest of status active, intent order');
}

/** New names, as many as the prescription allows fills. Throws Refusal. */
export function drawFills({ dispenseRequest }: JsonObject): readonly string[] {
  const [request] = objects(dispenseRequest);
  const repeats = request?.numberOfRepeatsAllowed ?? 0;
  if (typeof repeats !== 'number' || repeats + 1 > MAX_FILLS) {
    throw new Refusal('invalid', 'unprocessable', `numberOfRepeatsAllowed is at most ${MAX_FILLS - 1}`);
  }
  return Array.from({ length: repeats + 1 }, () => randomBytes(32).toString('hex'));
}

/** JSON Patch that adds names of fills to a prescription. */
export function fillsPatch({ identifier }: JsonObject, fills: readonly string[]): string {
  const values = fills.map((value) => ({ system: FILL_SYSTEM, value }));
  if (identifier === undefined) return JSON.stringify([{ op: 'add', path: '/identifier', value: values }]);
  return JSON.stringify(values.map((value) => ({ op: 'add', path: '/identifier/-', value })));
}

/** Allows on the ledger what is not allowed yet. Throws Refusal. */
export async function allowFills(ports: FillPorts, actor: Actor, fills: readonly string[]): Promise<void> {
  for (const fill of fills.filter((each) => fillAt(ports, each) === undefined)) {
    try {
      const argument = JSON.stringify({ fill });
      await ports.ledger.submit({ transaction: transactions.fill, argument, transient: { actor: actorBytes(actor) } });
    } catch (error) {
      if (!isRefusal(error, 'fill-exists')) throw error;
    }
  }
}

/** Those that were not spent as far as is known here; the ledger decides. */
export function unspent(ports: Pick<FillPorts, 'projection'>, fills: readonly string[]): readonly string[] {
  return fills.filter((each) => fillAt(ports, each)?.spent === undefined);
}

function fillAt({ projection }: Pick<FillPorts, 'projection'>, fill: string): Fill | undefined {
  return publicRecord(projection, `fill/${fill}`) as Fill | undefined;
}

function objects(value: unknown): readonly JsonObject[] {
  return asList(value).filter(isMap);
}
