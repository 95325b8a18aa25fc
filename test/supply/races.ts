/** Random histories of packs over a running consortium: six members act at the same moments, and what they are told is judged by the plain truth. */
import assert from 'node:assert/strict';

import { ACTS, type ActName, suspicionOf } from '@salus/chaincode/supply/api';
import { canonicalEpc } from '@salus/gateway/supply/gs1/epc';

import { eventually } from '../support/eventually.js';
import type { TestNetwork } from '../support/network.js';
import { pack, PREFIX, type ShownEffect, sscc, tell, TradeSystem } from './packs.js';
import { Requests, TOLD } from './race-requests.js';
import { type AnyStep, type Case, type HoldStep, isHold, issued, type Step, Truth } from './truth.js';

/** Who acts; the last two deal in nothing and try all the same. */
const ACTORS = ['acme', 'meridian', 'stmary', 'northside', 'authority', 'tally'] as const;
const PARTIES = ['acme', 'meridian', 'stmary', 'northside'] as const;
/** Everything but what goes with an event, whose other side is told by door. */
const NAMES = Object.keys(ACTS) as ActName[];
/** What a step of the same moment cannot know yet: who was told by door. */
const NEEDS_TELLING: readonly string[] = ['receive', 'hand-over', 'decline'];

/** An alert as the ledger has it, in words that compare. */
type AlertKey = string;

/** What was tried so far. */
export interface Tally {
  steps: number;
  races: number;
  readonly codes: Map<string, number>;
}

/** Whoever issued the pack could not be asked, on a machine that is too busy: nothing was done. */
const AWAY = 'issuer-away';
/** Not known yet whether it took effect, on a machine that is too busy. */
const UNKNOWN = 'outcome-unknown';

/** Share of the moments at which a thing is put in quarantine or released. */
const HELD = 0.1;

/** The things that steps are about, and the steps that were not taken. */
interface Looking {
  readonly ids: readonly string[];
  readonly away: ReadonlySet<number>;
}

/** One lot's life. */
export class RacingLot {
  readonly truth: Truth;
  private readonly batch: string;
  private readonly packs: readonly string[];
  private readonly cases: readonly Case[];
  private readonly alerts = new Set<AlertKey>();
  /** Who can name a case: whoever packed it or was told of it. */
  private readonly knowing = new Map<string, Set<string>>();
  private readonly requests: Requests;
  private readonly unknown = new Set<string>();

  constructor(
    private readonly network: TestNetwork,
    private readonly number: number,
    private readonly random: () => number,
    private readonly tally: Tally,
    size: { readonly packs: number; readonly cases: number; readonly perCase: number },
  ) {
    this.batch = `R-${number}`;
    this.packs = Array.from({ length: size.packs }, (_, index) => pack(number * 100_000 + index + 1));
    this.cases = Array.from({ length: size.cases }, (_, index) => ({
      id: sscc(number * 1_000 + index + 1),
      tree: { ids: this.packs.slice(index * size.perCase, (index + 1) * size.perCase) },
    }));
    this.requests = new Requests(network, number);
    this.truth = new Truth(issued(this.packs, this.cases));
    for (const { id } of this.cases) this.knowing.set(id, new Set(['acme']));
  }

  async make(): Promise<void> {
    const serials = this.packs.map((epc) => Number(epc.split('.').at(-1)));
    const packed = this.cases.map(({ id, tree }) => tell.packed(id, tree.ids));
    const effects = await this.system('acme').capture(
      'supply-operator',
      tell.commissioned(serials, this.batch),
      ...packed,
    );
    const wrong = effects.find(({ state }) => state !== 'done');
    if (wrong !== undefined) throw new Error(`the lot was not made: ${JSON.stringify(wrong)}`);
  }

  async recall(): Promise<void> {
    const held = tell.recalled() as { quantityList: unknown };
    const lot = `urn:epc:class:lgtin:${PREFIX}.000001.${this.batch}`;
    const [effect] = await this.system('acme').capture('quality-officer', {
      ...held,
      quantityList: [{ epcClass: lot }],
    });
    if (effect?.state !== 'done') throw new Error(`not recalled: ${JSON.stringify(effect)}`);
    this.truth.isRecalled = true;
  }

  /** Every pack and case is acted on at the same moment, some by several. Throws for the first answer that is not the truth's. */
  async round(): Promise<void> {
    const all = [...this.cases.map(({ id, tree }) => [id, ...tree.ids]), ...this.loose()];
    const groups = all.filter((ids) => !ids.some((id) => this.unknown.has(id)));
    const tried = groups.map((ids) => ({ ids, steps: this.steps(ids) }));
    const said = await this.requests.sent(tried.map(({ steps }) => steps));
    for (const { ids, steps } of tried) {
      const unanswered = ({ item }: AnyStep): ShownEffect => ({ event: 0, act: '', epc: item, state: 'unanswered' });
      this.judged(
        ids,
        steps,
        steps.map((step) => said.get(step) ?? unanswered(step)),
      );
    }
  }

  /** Fails for the first pack whose owner is not told that it is theirs, or that is somewhere else. */
  async check(): Promise<void> {
    for (const epc of this.known()) {
      const { owner, state, receiver } = this.truth.effective(epc);
      for (const member of this.random() < 0.05 ? ACTORS : [owner]) {
        const onItsWay = receiver === member ? 'on its way to you' : 'on its way';
        const where = { active: 'in stock', 'in-transit': onItsWay }[state] ?? state;
        // Another member's projection may be a moment behind.
        await eventually(async () => {
          const { body, text } = await this.system(member).verify(epc.split('.').at(-1) ?? '', this.batch);
          const said = `${epc} at ${member}: ${text}; ${JSON.stringify(this.truth.effective(epc))}`;
          assert.deepEqual([body['whose'] === 'yours', body['where']], [member === owner, where], said);
        });
      }
    }
  }

  /** Alerts about packs of this lot by pack, kind and member, as they must be and as the ledger has them. */
  async alertsOf(): Promise<{ readonly wanted: readonly AlertKey[]; readonly found: readonly AlertKey[] }> {
    const { body } = await this.system('acme').ask('quality-officer', 'alerts');
    const own = new Set(this.known().map((epc) => canonicalEpc(epc)));
    const shown = body['alerts'] as readonly {
      readonly epc?: string;
      readonly kind: string;
      readonly raisedBy: string;
    }[];
    const found = shown
      .filter(({ epc }) => own.has(epc))
      .map(({ epc = '', kind, raisedBy }) => `${epc} ${kind} ${raisedBy}`);
    const wanted = [...this.alerts].filter((alert) => own.has(alert.split(' ')[0]));
    return { wanted: wanted.sort(), found: found.sort() };
  }

  private known(): readonly string[] {
    return this.packs.filter((epc) => !this.unknown.has(epc));
  }

  private loose(): readonly (readonly string[])[] {
    const inside = new Set(this.cases.flatMap(({ tree }) => tree.ids));
    return this.packs.filter((epc) => !inside.has(epc)).map((epc) => [epc]);
  }

  private steps(ids: readonly string[]): readonly AnyStep[] {
    if (this.random() < HELD) return [this.holdStep(ids)];
    const luck = this.random();
    const count = luck < 0.65 ? 1 : luck < 0.9 ? 2 : 3;
    const steps: Step[] = [];
    while (steps.length < count) {
      const step = this.step(ids);
      if (!steps.some((other) => isBlind(step, other) || isBlind(other, step))) steps.push(step);
    }
    return steps;
  }

  /** One that the truth lets through as often as any other, or histories would be of refusals. */
  private step(ids: readonly string[]): Step {
    const isLegal = this.random() < 0.5;
    for (let tries = 0; ; tries += 1) {
      const step = this.anyStep(ids);
      if (!isLegal || tries > 60 || this.truth.verdict(step) === 'done') return step;
    }
  }

  /** By whoever may as often as by anybody. */
  private holdStep(ids: readonly string[]): HoldStep {
    const isLegal = this.random() < 0.6;
    for (let tries = 0; ; tries += 1) {
      const standing = this.pick(['held', 'released'] as const);
      const step = { member: this.pick(ACTORS), item: this.pick(ids), standing };
      if (!isLegal || tries > 60 || this.truth.verdict(step) === 'done') return step;
    }
  }

  private anyStep(ids: readonly string[]): Step {
    const member = this.pick(ACTORS);
    return {
      member,
      act: this.pick(NAMES),
      item: this.pick(ids),
      to: this.pick(PARTIES.filter((each) => each !== member)),
      reason: this.pick(['sample', 'stolen', 'destroyed'] as const),
    };
  }

  /** What a group was told is what some order of its steps leads to; that order happened. */
  private judged(ids: readonly string[], steps: readonly AnyStep[], effects: readonly ShownEffect[]): void {
    const codes = effects.map(({ state, code }) => (state === 'done' ? 'done' : (code ?? state)));
    if (codes.includes(UNKNOWN)) {
      this.lost(ids);
      return;
    }
    const away = new Set(codes.flatMap((code, index) => (code === AWAY ? [index] : [])));
    const possible = orders(steps.length)
      .map((order) => this.afterwards(steps, order, { ids, away }))
      .filter(({ verdicts }) => verdicts.every((verdict, index) => verdict === codes[index]));
    const [happened] = possible;
    if (happened === undefined || possible.some(({ truth }) => truth.told() !== happened.truth.told())) {
      const before = this.truth.fork(ids).told();
      throw new Error(`lot ${this.number}: ${JSON.stringify(steps)} gave ${JSON.stringify(effects)} from ${before}`);
    }
    this.truth.adopt(happened.truth);
    this.tally.steps += steps.length;
    this.tally.races += steps.length > 1 ? 1 : 0;
    for (const [index, step] of steps.entries()) this.noted(step, codes[index] ?? '', effects[index]);
  }

  /** Nobody was told whether a step took effect: what may have come of it is tried no more. */
  private lost(ids: readonly string[]): void {
    for (const id of ids) this.unknown.add(id);
    this.tally.codes.set(UNKNOWN, (this.tally.codes.get(UNKNOWN) ?? 0) + 1);
  }

  private afterwards(steps: readonly AnyStep[], order: readonly number[], { ids, away }: Looking) {
    const truth = this.truth.fork(ids);
    const verdicts: string[] = steps.map(() => AWAY);
    for (const index of order) {
      const step = steps[index] as AnyStep;
      if (away.has(index)) continue;
      const verdict = this.knowing.get(step.item)?.has(step.member) === false ? 'unknown-item' : truth.verdict(step);
      if (verdict === 'done') truth.happen(step);
      verdicts[index] = verdict;
    }
    return { truth, verdicts };
  }

  private noted(step: AnyStep, code: string, effect: ShownEffect | undefined): void {
    this.counted(step, code);
    if (code === 'done') {
      this.told(step, effect);
      return;
    }
    // A case that nobody told it of has no name there.
    const alert = isHold(step) || code === 'unknown-item' ? undefined : suspicionOf(step.act, code);
    assert.equal(effect?.alert, alert, JSON.stringify([step, effect]));
    const isPack = !this.knowing.has(step.item);
    if (alert !== undefined && isPack) this.alerts.add(`${canonicalEpc(step.item) ?? ''} ${alert} ${step.member}`);
  }

  private counted(step: AnyStep, code: string): void {
    const name = isHold(step) && code !== AWAY ? `${step.standing} ${code}` : code;
    this.tally.codes.set(name, (this.tally.codes.get(name) ?? 0) + 1);
  }

  private told(step: AnyStep, effect: ShownEffect | undefined): void {
    assert.equal(effect?.alert, undefined, JSON.stringify([step, effect]));
    if (isHold(step) || !TOLD.includes(step.act)) return;
    assert.equal(effect?.handedOver, true, JSON.stringify([step, effect]));
    this.knowing.get(step.item)?.add(step.to);
  }

  private system(member: string): TradeSystem {
    return new TradeSystem(this.network, member);
  }

  private pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.random() * list.length)] as T;
  }
}

/** Whether one needs to have been told what the other tells at the same moment. */
function isBlind(one: Step, other: Step): boolean {
  return NEEDS_TELLING.includes(one.act) && TOLD.includes(other.act);
}

function orders(count: number): readonly (readonly number[])[] {
  if (count === 0) return [[]];
  return orders(count - 1).flatMap((order) =>
    Array.from({ length: count }, (_, place) => [...order.slice(0, place), count - 1, ...order.slice(place)]),
  );
}
