/** Carries the same random history out in plain truth and with the rules over a store of records. */
import { randomBytes } from 'node:crypto';

import {
  type Act,
  commitmentOf,
  inEffect,
  type Item,
  type Lot,
  type QuarantineRecord,
  suspicionOf,
} from '@salus/chaincode/supply/api';
import { pack } from '@salus/chaincode/dist/supply/lots.js';
import { quarantine, takenAlong } from '@salus/chaincode/dist/supply/quarantine.js';
import { act } from '@salus/chaincode/dist/supply/rules.js';

import { EXPIRES_AFTER_DAYS, type HoldStep, issued, PHARMACIES, type Step, Truth } from './truth.js';
import { LotOfUnits, Tree } from './world.js';

export const MEMBERS = ['acme', 'meridian', 'stmary', 'northside', 'carrier', 'authority'] as const;
const DAY_MS = 86_400_000;
const START = Date.parse('2026-01-01T00:00:00Z');

/** The plain truth and the ledger's records side by side. */
export class TwoWorlds {
  readonly lot: LotOfUnits;
  readonly cases: readonly { readonly id: string; readonly tree: Tree }[];
  private readonly truth: Truth;
  private readonly records = new Map<string, Item>();
  private readonly quarantines = new Map<string, QuarantineRecord>();
  private readonly stored: Lot;
  /** One salt each: who opens with another's is not believed. */
  private readonly salts = new Map<string, string>(MEMBERS.map((member) => [member, randomBytes(32).toString('hex')]));

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
    this.truth = new Truth(issued(ids, this.cases));
    for (const each of this.cases) this.packCase(each.id, each.tree);
  }

  /** Everything there is, packs and cases. */
  get ids(): readonly string[] {
    return this.truth.ids;
  }

  pass(days: number): void {
    this.truth.day += days;
  }

  recall(): void {
    this.truth.isRecalled = true;
  }

  /** What both worlds say to a step, and then are: equal in verdict, or the test has found something. */
  try(step: Step): { readonly model: string; readonly rules: string; readonly alert: string | undefined } {
    const model = this.truth.verdict(step);
    const known = this.known(step.item);
    const result = act(
      this.request(step),
      known,
      this.around(step.member, [step.item, ...known.above.map(({ id }) => id)]),
    );
    if (result instanceof Error) return { model, rules: result.code, alert: suspicionOf(step.act, result.code) };
    this.records.set(step.item, result);
    this.takeAlong(step.item, known.above);
    if (model === 'done') this.truth.happen(step);
    return { model, rules: 'done', alert: undefined };
  }

  /** What both worlds say to a step of quarantine, and then are. */
  hold(step: HoldStep): { readonly model: string; readonly rules: string } {
    const { member, item: id, standing } = step;
    const model = this.truth.holding(step);
    const [known, salt] = [this.known(id), this.saltOf(member)];
    const { origin } = this.request({ ...step, act: 'unpack', to: member, reason: 'sample' });
    const item = inEffect(id, origin, known, salt);
    const party = { member, role: 'quality-officer', prefixes: [], isRegulator: member === 'authority' };
    const asked = { of: 'item', id, standing, salt, origin } as const;
    const result = quarantine(asked, party, { item, record: this.quarantines.get(id) }, new Date(START).toISOString());
    if (result instanceof Error) return { model, rules: result.code };
    this.quarantines.set(id, result);
    if (standing === 'held' && known.above.length > 0 && !(item instanceof Error)) {
      this.records.set(id, item);
      this.takeAlong(id, known.above);
    }
    if (model === 'done') this.truth.hold(step);
    return { model, rules: 'done' };
  }

  private takeAlong(id: string, above: readonly Item[]): void {
    const held = above.flatMap((each) => this.quarantines.get(each.id) ?? []);
    const record = takenAlong(id, this.quarantines.get(id), held);
    if (record !== undefined) this.quarantines.set(id, record);
  }

  /** The records against the truth: one owner, one place, one parent for each; the first difference, or undefined. */
  difference(): string | undefined {
    for (const id of this.ids) {
      const record = this.records.get(id);
      if (record === undefined) continue;
      const own = this.truth.effective(id);
      const opened = commitmentOf(own.owner, this.saltOf(own.owner));
      const effective = this.effectiveRecord(record);
      if (effective.owner !== opened || effective.state !== own.state)
        return `${id}: ${effective.state} is ${own.state}`;
      if (effective.holder !== commitmentOf(own.holder, this.saltOf(own.holder))) return `${id}: held by another`;
      if (record.parent !== this.truth.thing(id).parent) return `${id}: in another container`;
      if (this.holders(id) !== [...(this.truth.thing(id).heldBy ?? [])].sort().join()) return `${id}: held by others`;
    }
    return undefined;
  }

  private packCase(id: string, tree: Tree): void {
    const request = {
      ...{ container: id, children: tree.content(true), lots: [this.lot.lotId] },
      ...{ moved: [], salt: this.saltOf('acme') },
    };
    const made = pack(request, 'acme', { lots: [this.stored], moved: [], isQuarantined: false });
    if (made instanceof Error) throw made;
    for (const item of made) this.records.set(item.id, item);
  }

  private holders(id: string): string {
    const record = this.quarantines.get(id);
    return record?.standing === 'held' ? [record.by, ...(record.also ?? [])].sort().join() : '';
  }

  private effectiveRecord(record: Item): Item {
    const above = record.parent === undefined ? undefined : this.records.get(record.parent);
    return above === undefined ? record : { ...record, ...this.effectiveRecord(above) };
  }

  private request({ act: name, member, item, to, reason }: Step): Act {
    const thing = this.truth.thing(item);
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
    const first = record === undefined ? this.truth.thing(item).parent : record.parent;
    const container = first === undefined ? undefined : this.records.get(first);
    return { record, above: container === undefined ? [] : [container], lot: this.stored };
  }

  private around(member: string, ids: readonly string[]) {
    return {
      member,
      role: 'pharmacist',
      isPharmacy: PHARMACIES.includes(member),
      now: new Date(START + this.truth.day * DAY_MS).toISOString(),
      expiry: this.stored.expiry,
      isRecalled: this.truth.isRecalled,
      isQuarantined: ids.some((id) => this.quarantines.get(id)?.standing === 'held'),
    };
  }

  private saltOf(member: string): string {
    return this.salts.get(member) ?? '';
  }
}
