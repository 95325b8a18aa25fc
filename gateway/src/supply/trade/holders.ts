/** Who holds packs of a recalled lot: each member says whether it does, and nobody how many. */
import { commitmentOf, type Item, MAX_DEPTH, type Recall } from '@salus/chaincode/supply/api';

import type { NamedSecrets } from '../../keys/named-secrets.js';
import type { AskDoor } from '../packs/issuer.js';
import type { PackShelf, ShelfPorts } from '../packs/shelf.js';
import { PUBLIC_SPACE, publicRecord } from '../project.js';

/** Path of the question below a door's base. */
export const HOLDING_PATH = '$supply-holding';
/** Longest question, bytes. */
export const HOLDING_BYTES = 256;

const GONE: readonly string[] = ['dispensed', 'decommissioned'] satisfies readonly Item['state'][];

/** What is looked at, and who may ask. */
export interface HolderPorts {
  readonly member: string;
  readonly projection: ShelfPorts['projection'];
  readonly shelf: Pick<PackShelf, 'lot' | 'packsOf' | 'packedIn' | 'container' | 'salts'>;
  readonly secrets: NamedSecrets;
  readonly directory: { readonly names: readonly string[]; roles(member: string): readonly string[] };
  readonly ask: AskDoor;
}

/** A recalled lot as this member knows it. */
export interface ShownRecall extends Recall {
  readonly gtin?: string;
  readonly lot?: string;
  /** Whether this member holds packs of it now. */
  readonly holdsHere: boolean;
  /** Search of this member's own record for the patients who were given packs of it. */
  readonly dispensed?: string;
}

/** What every member said; `away` where its door could not be asked. */
export interface Holders {
  readonly holders: readonly { readonly member: string; readonly holds: 'yes' | 'no' | 'away' }[];
}

/** Identifier of a lot in MedicationDispense, for the search of who was given it. */
export function lotIdentifier(gtin: string, batch: string): { readonly system: string; readonly value: string } {
  return { system: 'urn:salus:lot', value: `${gtin}.${batch}` };
}

/** Every recall on the ledger. */
export function recallsOf(ports: HolderPorts): readonly ShownRecall[] {
  return ports.projection.facts(PUBLIC_SPACE, 'recall/').map(({ value }) => shown(ports, JSON.parse(value) as Recall));
}

function shown(ports: HolderPorts, recall: Recall): ShownRecall {
  const terms = ports.shelf.lot(recall.lotId);
  const holdsHere = holds(ports, recall.lotId);
  if (terms === undefined) return { ...recall, holdsHere };
  const { system, value } = lotIdentifier(terms.gtin, terms.batch);
  const dispensed = `MedicationDispense?identifier=${encodeURIComponent(`${system}|${value}`)}`;
  return { ...recall, gtin: terms.gtin, lot: terms.batch, holdsHere, dispensed };
}

/** Asks every member at once whether it holds packs of a recalled lot. */
export async function holdersOf(ports: HolderPorts, lotId: string): Promise<Holders> {
  const holders = await Promise.all(
    ports.directory.names.map(async (member) => ({ member, holds: await saidBy(ports, member, lotId) })),
  );
  return { holders };
}

async function saidBy(ports: HolderPorts, member: string, lotId: string): Promise<'yes' | 'no' | 'away'> {
  if (member === ports.member) return holds(ports, lotId) ? 'yes' : 'no';
  try {
    const said = (await ports.ask(member, HOLDING_PATH, { lotId })) as { readonly holds?: boolean } | undefined;
    if (said === undefined) return 'away';
    return said.holds === true ? 'yes' : 'no';
  } catch {
    return 'away';
  }
}

/** Answers the issuer of a recalled lot, and the regulator; nobody else, and of no other lot. */
export function hearHolding(ports: HolderPorts, teller: string, body: string): object | undefined {
  const [, lotId = ''] = /^\{"lotId":"([0-9a-f]{64})"\}$/.exec(body) ?? [];
  const recall = publicRecord(ports.projection, `recall/${lotId}`) as Recall | undefined;
  if (recall === undefined) return undefined;
  const mayAsk = recall.by === teller || ports.directory.roles(teller).includes('regulator');
  return mayAsk || ports.shelf.lot(lotId)?.issuer === teller ? { holds: holds(ports, lotId) } : undefined;
}

/** Whether any pack of the lot is in this member's hands: the first one found says so. */
function holds(ports: HolderPorts, lotId: string): boolean {
  const isMine = new Map<string, boolean>();
  const around = new Map<string, Item | undefined>();
  for (const { epc, item } of ports.shelf.packsOf(lotId)) {
    const top = topOf(ports, recordOf(ports.projection, item) ?? containerOf(ports, epc, around));
    // What nobody acted on, and no container holds, is still its issuer's.
    if (top === undefined && ports.shelf.lot(lotId)?.issuer === ports.member) return true;
    if (top === undefined) continue;
    const known = isMine.get(top.id) ?? isInHand(ports, top, epc);
    isMine.set(top.id, known);
    if (known) return true;
  }
  return false;
}

/** What a pack without a record of its own lies in; read once for all that lie there. */
function containerOf(
  { projection, shelf }: HolderPorts,
  epc: string,
  known: Map<string, Item | undefined>,
): Item | undefined {
  const parent = shelf.packedIn(epc);
  if (parent === undefined) return undefined;
  if (!known.has(parent)) known.set(parent, recordOf(projection, shelf.container(parent)?.item));
  return known.get(parent);
}

/** The outermost container, or the pack itself, as public state has it. */
function topOf({ projection }: HolderPorts, start: Item | undefined): Item | undefined {
  let top = start;
  for (let steps = 0; top?.parent !== undefined && steps < MAX_DEPTH; steps += 1) {
    top = recordOf(projection, top.parent) ?? { ...top, parent: undefined };
  }
  return top;
}

function recordOf(projection: ShelfPorts['projection'], item: string | undefined): Item | undefined {
  return item === undefined ? undefined : (publicRecord(projection, `item/${item}`) as Item | undefined);
}

function isInHand({ member, secrets, shelf }: HolderPorts, { id, state, owner, holder }: Item, pack: string): boolean {
  if (GONE.includes(state)) return false;
  // One that is left from an earlier time it was here opens nothing.
  const opens = (salts: readonly string[]): boolean =>
    salts.map((salt) => commitmentOf(member, salt)).some((opened) => owner === opened || holder === opened);
  const own = [secrets.find(`own/${id}`), secrets.find(`carry/${id}`)].filter((salt) => salt !== undefined);
  // What another set apart has no salts of its own here: its container's open it.
  return opens(own) || opens(shelf.salts(pack, ['own', 'carry']));
}
