/** A lot, its packs and their proofs, and a consortium whose contracts run on a double of the ledger. */
import { merklePath, merkleRoot } from '@salus/chaincode/dist/lib/merkle.js';
import { commitmentOf, type Origin, SparseMerkleTree, type StatusView } from '@salus/chaincode/supply/api';

import { approval, consortiumEntry, ContractWorld, memberEntry, members, random } from '../support/contract-world.js';

export const PREFIX = '4012345';
export const operator = { user: 'u-1', role: 'supply-operator', purpose: 'HOPERAT' };
export const pharmacist = { user: 'u-2', role: 'pharmacist', purpose: 'TREAT' };
export const quality = { user: 'u-3', role: 'quality-officer', purpose: 'HQUALIMP' };
export const regulator = { user: 'u-4', role: 'regulator', purpose: 'PATSFTY' };
export const EXPIRY = '2999-12-31';

/** A tree over ids: units of a lot, or children of a container. */
export class Tree {
  private readonly bytes: readonly Buffer[];
  /** Under what the tree of a container of these is made, hex. */
  readonly seed = random();
  private sparse: SparseMerkleTree | undefined;
  private readonly proofs = new Map<string, { readonly index: number; readonly path: readonly string[] }>();

  constructor(readonly ids: readonly string[]) {
    this.bytes = ids.map((id) => Buffer.from(id, 'hex'));
  }

  get root(): string {
    return merkleRoot(this.bytes).toString('hex');
  }

  /** What a container of these is packed with: all of them without a record of their own, or, moved, none. */
  content(others: boolean): { readonly root: string; readonly others: boolean } {
    return { root: this.hidden.root.toString('hex'), others };
  }

  /** Where an id lies in a container of these, with the proof. */
  place(id: string): { readonly index: number; readonly path: readonly string[] } {
    const { index, path } = this.hidden.proof(this.ids.indexOf(id));
    return { index, path: path.map((each) => each.toString('hex')) };
  }

  private get hidden(): SparseMerkleTree {
    return (this.sparse ??= new SparseMerkleTree(this.bytes, Buffer.from(this.seed, 'hex')));
  }

  /** Where an id lies, with the proof. */
  proof(id: string): { readonly index: number; readonly path: readonly string[] } {
    const known = this.proofs.get(id);
    if (known !== undefined) return known;
    const index = this.ids.indexOf(id);
    const proof = { index, path: merklePath(this.bytes, index).map((each) => each.toString('hex')) };
    this.proofs.set(id, proof);
    return proof;
  }
}

/** A lot of so many units, known to its issuer. */
export class LotOfUnits {
  readonly lotId = random();
  readonly units: Tree;

  constructor(count: number) {
    this.units = new Tree(Array.from({ length: count }, random));
  }

  unit(index: number): string {
    return this.units.ids[index] ?? '';
  }

  request(more: object = {}): object {
    return {
      lotId: this.lotId,
      prefix: PREFIX,
      count: this.units.ids.length,
      root: this.units.root,
      expiry: EXPIRY,
      ...more,
    };
  }

  origin(unit: string, within?: { readonly container: string; readonly tree: Tree }): Origin {
    const place = within === undefined ? {} : { within: { container: within.container, ...within.tree.place(unit) } };
    return { lotId: this.lotId, ...this.units.proof(unit), ...place };
  }
}

/** A consortium in force in which acme holds the company prefix. */
async function supplyWorld(): Promise<ContractWorld> {
  const world = await ContractWorld.empty();
  const entries = members.map((name) => ({ ...memberEntry(name), gcp: name === 'acme' ? [PREFIX] : [] }));
  for (const voter of members.slice(0, 3)) {
    await world.submit(voter, 'registry:approve', approval({ ...consortiumEntry(), entries }));
  }
  await world.submit('stmary', 'clock:tick');
  return world;
}

/** A call as a gateway makes it. */
export function call(
  request: object,
  actor: object = operator,
): { readonly args: readonly string[]; readonly actor: object } {
  return { args: [JSON.stringify(request)], actor };
}

/** A salt with the commitment it opens for a member. */
export function sealed(member: string): { readonly salt: string; readonly to: string } {
  const salt = random();
  return { salt, to: commitmentOf(member, salt) };
}

/** A lot of acme's in a consortium, and who does what with it. */
export class Desk {
  private constructor(
    readonly world: ContractWorld,
    readonly lot: LotOfUnits,
  ) {}

  static async open(): Promise<Desk> {
    const desk = new Desk(await supplyWorld(), new LotOfUnits(5));
    await desk.world.submit('acme', 'supply:commit', call(desk.lot.request()));
    return desk;
  }

  act(member: string, request: object, actor: object = operator) {
    return this.world.submit(member, 'supply:act', call(request, actor));
  }

  refused(code: string, member: string, request: object, actor: object = operator): Promise<void> {
    return this.world.refused(code, member, 'supply:act', call(request, actor));
  }

  async statusOf(item: string, more: object = {}): Promise<StatusView> {
    const { payload } = await this.world.evaluate('authority', 'supply:status', call({ item, ...more }));
    return JSON.parse(payload) as StatusView;
  }

  /** Ships a unit of acme's to a member and receives it there: the salt that opens it now. */
  async delivered(unit: string, to: string): Promise<string> {
    const receiver = sealed(to);
    const ship = { act: 'ship', item: unit, salt: random(), origin: this.lot.origin(unit), to: receiver.to };
    await this.act('acme', ship);
    await this.act(to, { act: 'receive', item: unit, salt: receiver.salt });
    return receiver.salt;
  }
}

/** A desk opened anew before each test, and its steps. */
export function freshDesk() {
  let desk: Desk;
  beforeEach(async () => {
    desk = await Desk.open();
  });
  return {
    get world(): ContractWorld {
      return desk.world;
    },
    get lot(): LotOfUnits {
      return desk.lot;
    },
    act: (...step: Parameters<Desk['act']>) => desk.act(...step),
    refused: (...step: Parameters<Desk['refused']>) => desk.refused(...step),
    statusOf: (...asked: Parameters<Desk['statusOf']>) => desk.statusOf(...asked),
    delivered: (...step: Parameters<Desk['delivered']>) => desk.delivered(...step),
  };
}
