/**
 * What happens to packs in plain truth, without commitments and proofs: the model that the rules are compared with, and
 * a driver that carries the same random history out with the rules over a store of records.
 */
import { randomBytes } from 'node:crypto';

import {
  type Act,
  ACTS,
  type ActName,
  commitmentOf,
  type Item,
  type Lot,
  refuse,
  suspicionOf,
} from '@salus/chaincode/supply/api';
import { pack } from '@salus/chaincode/dist/supply/lots.js';
import { act } from '@salus/chaincode/dist/supply/rules.js';

import { LotOfUnits, Tree } from './world.js';

export const MEMBERS = ['acme', 'meridian', 'stmary', 'northside', 'carrier', 'authority'] as const;
const PHARMACIES: readonly string[] = ['stmary', 'northside'];
const DAY_MS = 86_400_000;
const START = Date.parse('2026-01-01T00:00:00Z');
const EXPIRES_AFTER_DAYS = 300;

/** A pack or case in plain truth. */
interface Thing {
  readonly isUnit: boolean;
  owner: string;
  holder: string;
  state: string;
  receiver?: string | undefined;
  isReturn?: boolean | undefined;
  parent?: string | undefined;
  ended?: { readonly member: string; readonly reason: string; readonly day: number } | undefined;
}

/** One random step: who tries to do what with which thing, towards whom. */
export interface Step {
  readonly member: string;
  readonly act: ActName;
  readonly item: string;
  readonly to: string;
  readonly reason: 'sample' | 'stolen' | 'destroyed';
}

/** The plain truth and the ledger's records side by side. */
export class TwoWorlds {
  readonly lot: LotOfUnits;
  readonly cases: readonly { readonly id: string; readonly tree: Tree }[];
  private readonly things = new Map<string, Thing>();
  private readonly records = new Map<string, Item>();
  private readonly stored: Lot;
  /** One salt each: who opens with another's is not believed. */
  private readonly salts = new Map<string, string>(MEMBERS.map((member) => [member, randomBytes(32).toString('hex')]));
  private day = 0;
  private isRecalled = false;

  constructor(units: number, perCase: number) {
    this.lot = new LotOfUnits(units);
    const { lotId } = this.lot;
    this.stored = {
      lotId,
      issuer: 'acme',
      prefix: '4012345',
      count: units,
      root: this.lot.units.root,
      expiry: new Date(START + EXPIRES_AFTER_DAYS * DAY_MS).toISOString().slice(0, 10),
      committed: new Date(START).toISOString(),
    };
    const ids = this.lot.units.ids;
    // Half of the units lie in cases; the others stand alone.
    const starts = Array.from({ length: Math.floor(units / 2 / perCase) }, (_, index) => index * perCase);
    this.cases = starts.map((start) => ({
      id: randomBytes(32).toString('hex'),
      tree: new Tree(ids.slice(start, start + perCase)),
    }));
    for (const id of ids) this.things.set(id, { isUnit: true, owner: 'acme', holder: 'acme', state: 'active' });
    for (const each of this.cases) this.packCase(each.id, each.tree);
  }

  /** Everything there is, packs and cases. */
  get ids(): readonly string[] {
    return [...this.things.keys()];
  }

  pass(days: number): void {
    this.day += days;
  }

  recall(): void {
    this.isRecalled = true;
  }

  /** What both worlds say to a step, and then are: equal in verdict, or the test has found something. */
  try(step: Step): { readonly model: string; readonly rules: string; readonly alert: string | undefined } {
    const model = this.verdict(step);
    const result = act(this.request(step), this.known(step.item), this.around(step.member));
    if (result instanceof Error) return { model, rules: result.code, alert: suspicionOf(step.act, result.code) };
    this.records.set(step.item, result);
    if (model === 'done') this.happen(step);
    return { model, rules: 'done', alert: undefined };
  }

  /** The records against the truth: one owner, one place, one parent for each; the first difference, or undefined. */
  difference(): string | undefined {
    for (const [id, thing] of this.things) {
      const record = this.records.get(id);
      if (record === undefined) continue;
      const own = this.effective(id);
      const opened = commitmentOf(own.owner, this.saltOf(own.owner));
      const effective = this.effectiveRecord(record);
      if (effective.owner !== opened || effective.state !== own.state)
        return `${id}: ${effective.state} is ${own.state}`;
      if (effective.holder !== commitmentOf(own.holder, this.saltOf(own.holder))) return `${id}: held by another`;
      if (record.parent !== thing.parent) return `${id}: in another container`;
    }
    return undefined;
  }

  private packCase(id: string, tree: Tree): void {
    const request = {
      ...{ container: id, children: { root: tree.root, count: tree.ids.length }, lots: [this.lot.lotId] },
      ...{ moved: [], salt: this.saltOf('acme') },
    };
    const made = pack(request, 'acme', { lots: [this.stored], moved: [], isQuarantined: false });
    if (made instanceof Error) throw made;
    for (const item of made) this.records.set(item.id, item);
    this.things.set(id, { isUnit: false, owner: 'acme', holder: 'acme', state: 'active' });
    for (const child of tree.ids) this.thing(child).parent = id;
  }

  /** What must become of a step, in the order in which the table says refusals come. */
  private verdict(step: Step): string {
    const row = ACTS[step.act];
    const thing = this.effective(step.item);
    const state = wrongState(row.from, thing.state);
    if (state !== undefined) return state;
    const stranger = wrongMember(row.who, thing, step.member);
    return stranger ?? this.guarded(step, thing) ?? 'done';
  }

  private guarded({ act: name, member }: Step, thing: Thing): string | undefined {
    const isOf = (...names: readonly string[]): boolean => names.includes(name);
    const problems = [
      isOf('dispense', 'decommission') && !thing.isUnit ? 'not-a-unit' : undefined,
      isOf('dispense') && !PHARMACIES.includes(member) ? 'not-a-pharmacy' : undefined,
      this.apart(thing, isOf('ship', 'return', 'unpack', 'dispense')),
      isOf('undo') ? this.undoing(thing, member) : undefined,
      isOf('ship', 'verify-return', 'dispense', 'undo') ? this.unfit() : undefined,
    ];
    return problems.find((each) => each !== undefined);
  }

  private apart({ owner, holder }: Thing, matters: boolean): string | undefined {
    return matters && owner !== holder ? 'not-in-possession' : undefined;
  }

  private undoing({ ended }: Thing, member: string): string | undefined {
    if (ended?.member !== member) return 'undo-elsewhere';
    if (this.day - ended.day > 10) return 'undo-too-late';
    return ended.reason === 'stolen' || ended.reason === 'destroyed' ? 'not-undoable' : undefined;
  }

  private unfit(): string | undefined {
    if (this.isRecalled) return 'recalled';
    return this.day > EXPIRES_AFTER_DAYS ? 'expired' : undefined;
  }

  private happen({ act: name, member, item, to, reason }: Step): void {
    const thing = this.thing(item);
    Object.assign(thing, this.effective(item), { parent: undefined });
    if (name === 'ship' || name === 'return')
      Object.assign(thing, { state: 'in-transit', receiver: to, isReturn: name === 'return' });
    if (name === 'hand-over') thing.holder = to;
    if (name === 'receive')
      Object.assign(thing, { owner: member, holder: member, state: thing.isReturn === true ? 'returned' : 'active' });
    if (name === 'verify-return') thing.state = 'active';
    if (name === 'dispense')
      Object.assign(thing, { state: 'dispensed', ended: { member, reason: 'dispensed', day: this.day } });
    if (name === 'decommission')
      Object.assign(thing, { state: 'decommissioned', ended: { member, reason, day: this.day } });
    if (name === 'undo') Object.assign(thing, { state: 'active', ended: undefined });
  }

  /** What lies in a case is where the case is. */
  private effective(id: string): Thing {
    const thing = this.thing(id);
    if (thing.parent === undefined) return thing;
    const { owner, holder, state, receiver, isReturn } = this.effective(thing.parent);
    return { ...thing, owner, holder, state, receiver, isReturn };
  }

  private effectiveRecord(record: Item): Item {
    const above = record.parent === undefined ? undefined : this.records.get(record.parent);
    return above === undefined ? record : { ...record, ...this.effectiveRecord(above) };
  }

  private request({ act: name, member, item, to, reason }: Step): Act {
    const thing = this.thing(item);
    const place = this.cases.find(({ tree }) => tree.ids.includes(item));
    const isIn = thing.parent !== undefined && place !== undefined;
    const origin = thing.isUnit
      ? { origin: this.lot.origin(item, isIn ? { container: place.id, tree: place.tree } : undefined) }
      : {};
    const receiver = commitmentOf(to, this.saltOf(to));
    return {
      act: name,
      item,
      salt: this.saltOf(member),
      to: receiver,
      premises: this.saltOf(member),
      reason,
      supplied: 'no',
      ...origin,
    };
  }

  private known(item: string) {
    const record = this.records.get(item);
    const first = record === undefined ? this.thing(item).parent : record.parent;
    const container = first === undefined ? undefined : this.records.get(first);
    return { record, above: container === undefined ? [] : [container], lot: this.stored };
  }

  private around(member: string) {
    return {
      member,
      role: 'pharmacist',
      isPharmacy: PHARMACIES.includes(member),
      now: new Date(START + this.day * DAY_MS).toISOString(),
      expiry: this.stored.expiry,
      isRecalled: this.isRecalled,
      isQuarantined: false,
    };
  }

  private thing(id: string): Thing {
    const found = this.things.get(id);
    if (found === undefined) throw refuse('unknown-item', 'no such thing');
    return found;
  }

  private saltOf(member: string): string {
    return this.salts.get(member) ?? '';
  }
}

function wrongState(from: readonly string[], state: string): string | undefined {
  if (from.includes(state)) return undefined;
  const said: Readonly<Record<string, string>> = {
    active: 'not-in-transit',
    returned: 'return-not-verified',
    dispensed: 'already-dispensed',
  };
  return said[state] ?? state;
}

function wrongMember(who: string, thing: Thing, member: string): string | undefined {
  if (who === 'receiver') return thing.receiver === member ? undefined : 'not-the-receiver';
  return (who === 'owner' ? thing.owner : thing.holder) === member ? undefined : 'not-yours';
}
