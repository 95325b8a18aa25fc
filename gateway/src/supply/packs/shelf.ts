/** What a member knows of lots, packs and containers: its copies of the terms, and the secrets that open them. */
import { type Item, MAX_DEPTH, merklePaths, type Origin, type SparseMerkleTree } from '@salus/chaincode/supply/api';

import type { NamedSecrets } from '../../keys/named-secrets.js';
import { publicRecord } from '../project.js';
import { treeOf } from './content.js';
import { itemIdsUnder, packEpc } from './identity.js';
import { earlierSalts } from './salts.js';
import { type ContainerTerms, type LotTerms, PACK_SPACE, type UnitTerms } from './stored.js';

/** Trees whose proofs, lots whose secrets, and containers whose terms are kept in memory at most. */
const REMEMBERED = 8;

const SECRET_LOST = 'the secret of a lot whose terms are known is not in the key store';

/** Where the member's copies of terms and its secrets lie. */
export interface ShelfPorts {
  readonly projection: {
    fact(space: string, key: string): string | undefined;
    facts(space: string, prefix?: string): readonly { readonly key: string; readonly value: string }[];
  };
  readonly secrets: NamedSecrets;
}

/** An item that can be found on the ledger. */
export interface KnownItem {
  readonly epc: string;
  readonly item: string;
  /** Absent for a container. */
  readonly terms?: LotTerms;
  /** A pack's place in its lot and, as long as it lies there, in its container. */
  readonly origin?: Origin;
}

/** What a salt opens: whose an item is, who is to receive it, who carries it. */
export type SaltOf = 'own' | 'receive' | 'carry';

type Proofs = readonly (readonly string[])[];

/** Looks lots, packs and containers up. */
export class PackShelf {
  readonly #proofs = new Map<string, Proofs>();
  readonly #trees = new Map<string, SparseMerkleTree>();
  /** Names of packs under a lot's secret, which never changes. */
  readonly #ids = new Map<string, (epc: string) => string>();
  /** Terms by the text they were read from: of a pallet, megabytes that are asked for with every pack. */
  readonly #containers = new Map<string, { readonly text: string; readonly terms: ContainerTerms }>();

  constructor(private readonly ports: ShelfPorts) {}

  lot(lotId: string): LotTerms | undefined {
    return this.#read(`lot/${lotId}`) as LotTerms | undefined;
  }

  /** The id of a lot by GTIN and number as printed. */
  lotIdOf(gtin: string, batch: string): string | undefined {
    return this.#fact(`batch/${gtin}/${batch}`);
  }

  /** A lot's secret, hex. */
  secret(lotId: string): string | undefined {
    return this.ports.secrets.find(`lot/${lotId}`);
  }

  container(epc: string): ContainerTerms | undefined {
    const text = this.#fact(`container/${epc}`);
    if (text === undefined) return undefined;
    const known = this.#containers.get(epc);
    if (known?.text === text) return known.terms;
    const terms = JSON.parse(text) as ContainerTerms;
    if (this.#containers.size >= REMEMBERED) this.#containers.clear();
    this.#containers.set(epc, { text, terms });
    return terms;
  }

  /** The container an item lies in: packed there, and neither taken out nor, by the ledger, set apart from it by anybody else. */
  parentOf(epc: string): string | undefined {
    const parent = this.packedIn(epc);
    const record = parent === undefined ? undefined : this.record(epc);
    const isApart = record !== undefined && record.parent !== this.container(parent ?? '')?.item;
    return isApart ? undefined : parent;
  }

  /** The container an item was packed in and not taken out of by this member's own hand. */
  packedIn(epc: string): string | undefined {
    return this.#fact(`parent/${epc}`);
  }

  /** An item's own record as this member's own peer committed it. */
  record(epc: string): Item | undefined {
    const item = this.itemOf(epc);
    return item === undefined ? undefined : this.#recordOf(item);
  }

  #recordOf(item: string): Item | undefined {
    return publicRecord(this.ports.projection, `item/${item}`) as Item | undefined;
  }

  /** The id on the ledger of a pack or container whose terms are known here. */
  itemOf(epc: string): string | undefined {
    const container = this.container(epc);
    if (container !== undefined) return container.item;
    const unit = this.#read(`unit/${epc}`) as Pick<UnitTerms, 'lotId'> | undefined;
    return unit === undefined ? undefined : this.#idsOf(unit.lotId)?.(epc);
  }

  /** Every container an item was ever packed in, even if it was taken out. */
  parentsOf(epc: string): readonly string[] {
    return this.ports.projection.facts(PACK_SPACE, `ever-in/${epc}/`).map(({ value }) => value);
  }

  /** A pack or container by its canonical EPC. */
  find(epc: string): KnownItem | undefined {
    const container = this.container(epc);
    if (container !== undefined) return { epc, item: container.item };
    const unit = this.unit(epc);
    const terms = unit === undefined ? undefined : this.lot(unit.lotId);
    if (unit === undefined || terms === undefined) return this.#carried(epc);
    const { lotId, index, path } = unit;
    const item = this.#idOf(lotId, epc);
    const within = this.#within(epc, item);
    return { epc, item, terms, origin: { lotId, index, path, ...(within === undefined ? {} : { within }) } };
  }

  /** A pack's place in its lot: as its issuer handed it over, or by the issuer's own list. */
  unit(epc: string): UnitTerms | undefined {
    const known = this.#read(`unit/${epc}`) as (Omit<UnitTerms, 'path'> & Partial<UnitTerms>) | undefined;
    if (known === undefined) return undefined;
    return { ...known, epc, path: known.path ?? this.#pathInLot(known.lotId, known.index) };
  }

  #carried(epc: string): KnownItem | undefined {
    const item = this.#fact(`carried/${epc}`);
    return item === undefined ? undefined : { epc, item };
  }

  /** Every pack of a lot that is known here, with its id on the ledger; each is made as it is asked for. */
  *packsOf(lotId: string): Iterable<{ readonly epc: string; readonly item: string }> {
    const [terms, idOf] = [this.lot(lotId), this.#idsOf(lotId)];
    if (terms === undefined || idOf === undefined) return;
    const serials = (this.#read(`serials/${lotId}`) ?? []) as readonly string[];
    for (const serial of serials) yield named(packEpc(terms.gtin, serial), idOf);
    for (const { value } of this.ports.projection.facts(PACK_SPACE, `of/${lotId}/`)) yield named(value, idOf);
  }

  /** The packs among these ids that are known here, as they are printed. */
  printed(items: ReadonlySet<string>): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    const lots = new Map<string, ((epc: string) => string) | undefined>();
    for (const { key, value } of items.size === 0 ? [] : this.ports.projection.facts(PACK_SPACE, 'unit/')) {
      const { lotId } = JSON.parse(value) as { readonly lotId: string };
      if (!lots.has(lotId)) lots.set(lotId, this.#idsOf(lotId));
      const epc = key.slice('unit/'.length);
      const item = lots.get(lotId)?.(epc) ?? '';
      if (items.has(item)) found.set(item, epc);
    }
    return found;
  }

  /** The batches that loggers signed of an item, as far as they are known here. */
  readings(item: string): readonly string[] {
    return this.ports.projection.facts(PACK_SPACE, `readings/${item}/`).map(({ value }) => value);
  }

  /** The containers an item lies in as far as is known here, innermost first. */
  around(epc: string): readonly string[] {
    return chained(epc, (at) => this.parentOf(at));
  }

  /** The same, with those that it left by an act: what was said of them before was said of it, too. */
  lastAround(epc: string): readonly string[] {
    return chained(epc, (at) => this.packedIn(at));
  }

  /**
   * All that is kept to open whose an item is, who is to receive it or who carries it: its own salts, and its containers'. One
   * that another set apart is opened by what opened the container then.
   */
  salts(epc: string, of: readonly SaltOf[]): readonly string[] {
    const { secrets } = this.ports;
    const above = this.lastAround(epc).flatMap((at) => this.container(at)?.item ?? []);
    const items = [this.find(epc)?.item, ...above].filter((item) => item !== undefined);
    const found = items.flatMap((item) => of.map((each) => secrets.find(`${each}/${item}`)));
    found.push(...above.flatMap((item) => of.flatMap((each) => earlierSalts(secrets, `${each}/${item}`))));
    return [...new Set(found)].filter((salt) => salt !== undefined);
  }

  /**
   * What opens the carriage of an item, or of a container that the ledger has it in: who carries that was told of nothing
   * inside, and looked the item up.
   */
  carrySalts({ item, origin }: KnownItem): readonly string[] {
    const parentOf = (at: string): string | undefined => {
      const record = this.#recordOf(at);
      return record === undefined && at === item ? origin?.within?.container : record?.parent;
    };
    const found = [item, ...chained(item, parentOf)].map((at) => this.ports.secrets.find(`carry/${at}`));
    return found.filter((salt) => salt !== undefined);
  }

  #within(epc: string, item: string): Origin['within'] {
    const parent = this.parentOf(epc);
    const terms = parent === undefined ? undefined : this.container(parent);
    if (parent === undefined || terms === undefined) return undefined;
    const { index, path } = this.#treeOf(terms).proof(terms.items.indexOf(item));
    return { container: terms.item, index, path: path.map((each) => each.toString('hex')) };
  }

  #treeOf(terms: ContainerTerms): SparseMerkleTree {
    const known = this.#trees.get(terms.item);
    if (known !== undefined) return known;
    const tree = treeOf(terms);
    if (this.#trees.size >= REMEMBERED) this.#trees.clear();
    this.#trees.set(terms.item, tree);
    return tree;
  }

  #pathInLot(lotId: string, index: number): readonly string[] {
    return this.#pathIn(lotId, index, () => {
      const gtin = this.lot(lotId)?.gtin ?? '';
      const serials = (this.#read(`serials/${lotId}`) ?? []) as readonly string[];
      const idOf = this.#idsOf(lotId);
      if (idOf === undefined) throw new Error(SECRET_LOST);
      return serials.map((serial) => idOf(packEpc(gtin, serial)));
    });
  }

  #pathIn(tree: string, index: number, ids: () => readonly string[]): readonly string[] {
    const known = this.#proofs.get(tree);
    if (known !== undefined) return known[index] ?? [];
    const paths = merklePaths(ids().map((id) => Buffer.from(id, 'hex'))).map((path) =>
      path.map((each) => each.toString('hex')),
    );
    if (this.#proofs.size >= REMEMBERED) this.#proofs.clear();
    this.#proofs.set(tree, paths);
    return paths[index] ?? [];
  }

  #idOf(lotId: string, epc: string): string {
    const idOf = this.#idsOf(lotId);
    if (idOf === undefined) throw new Error(SECRET_LOST);
    return idOf(epc);
  }

  #idsOf(lotId: string): ((epc: string) => string) | undefined {
    const known = this.#ids.get(lotId);
    if (known !== undefined) return known;
    const secret = this.secret(lotId);
    if (secret === undefined) return undefined;
    const idOf = itemIdsUnder(secret);
    if (this.#ids.size >= REMEMBERED) this.#ids.clear();
    this.#ids.set(lotId, idOf);
    return idOf;
  }

  #fact(key: string): string | undefined {
    return this.ports.projection.fact(PACK_SPACE, key);
  }

  #read(key: string): unknown {
    const text = this.#fact(key);
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  }
}

/** What an item lies in, and so on, innermost first. */
function chained(epc: string, next: (epc: string) => string | undefined): readonly string[] {
  const above: string[] = [];
  for (let at = next(epc); at !== undefined && above.length < MAX_DEPTH; at = next(at)) above.push(at);
  return above;
}

function named(epc: string, idOf: (epc: string) => string): { readonly epc: string; readonly item: string } {
  return { epc, item: idOf(epc) };
}
