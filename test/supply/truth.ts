/** What happens to packs in plain truth, without commitments and proofs: the model that rules and networks are compared with. */
import { ACTS, type ActName } from '@salus/chaincode/supply/api';

/** Who dispenses. */
export const PHARMACIES: readonly string[] = ['stmary', 'northside'];
/** Days that the lot lasts. */
export const EXPIRES_AFTER_DAYS = 300;

/** A pack or case in plain truth. */
export interface Thing {
  readonly isUnit: boolean;
  owner: string;
  holder: string;
  state: string;
  receiver?: string | undefined;
  isReturn?: boolean | undefined;
  parent?: string | undefined;
  /** Members that hold it in quarantine. */
  heldBy?: readonly string[] | undefined;
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

/** One random step of quarantine. */
export interface HoldStep {
  readonly member: string;
  readonly item: string;
  readonly standing: 'held' | 'released';
}

/** A step of either kind. */
export type AnyStep = Step | HoldStep;

/** Whether it is a step of quarantine. */
export function isHold(step: AnyStep): step is HoldStep {
  return 'standing' in step;
}

/** Who puts anything in quarantine, and releases whatever is. */
export const REGULATOR = 'authority';

/** A case, by name, with its packs. */
export interface Case {
  readonly id: string;
  readonly tree: { readonly ids: readonly string[] };
}

/** Packs and cases as their issuer, acme, made them. */
export function issued(units: readonly string[], cases: readonly Case[]): Map<string, Thing> {
  const made = { owner: 'acme', holder: 'acme', state: 'active' };
  const things = new Map<string, Thing>(units.map((id) => [id, { isUnit: true, ...made }]));
  for (const { id, tree } of cases) {
    things.set(id, { isUnit: false, ...made });
    for (const child of tree.ids) things.set(child, { isUnit: true, ...made, parent: id });
  }
  return things;
}

/** The lot's packs and cases, and what becomes of them. */
export class Truth {
  day = 0;
  isRecalled = false;

  constructor(private readonly things: Map<string, Thing>) {}

  get ids(): readonly string[] {
    return [...this.things.keys()];
  }

  thing(id: string): Thing {
    const found = this.things.get(id);
    if (found === undefined) throw new Error(`no such thing: ${id}`);
    return found;
  }

  /** A copy of some of the things, for what might happen to them. */
  fork(ids: readonly string[]): Truth {
    const copy = new Truth(new Map(ids.map((id) => [id, structuredClone(this.thing(id))])));
    copy.day = this.day;
    copy.isRecalled = this.isRecalled;
    return copy;
  }

  /** What might happen did. */
  adopt(fork: Truth): void {
    for (const id of fork.ids) this.things.set(id, fork.thing(id));
  }

  /** All things, in words that compare. */
  told(): string {
    return JSON.stringify([...this.things]);
  }

  /** What must become of a step, in the order in which the table says refusals come. */
  verdict(step: AnyStep): string {
    if (isHold(step)) return this.holding(step);
    const row = ACTS[step.act];
    const thing = this.effective(step.item);
    const state = wrongState(row.from, thing.state);
    if (state !== undefined) return state;
    const stranger = wrongMember(row.who, thing, step.member);
    return stranger ?? this.guarded(step, thing) ?? 'done';
  }

  /** What must become of a step of quarantine. */
  holding({ member, item, standing }: HoldStep): string {
    const { holder } = this.effective(item);
    const { heldBy = [] } = this.thing(item);
    if (standing === 'released') {
      if (heldBy.length === 0) return 'quarantine-standing';
      return heldBy.includes(member) || member === REGULATOR ? 'done' : 'quarantine-not-yours';
    }
    if (heldBy.includes(member)) return 'quarantine-standing';
    return holder === member || member === REGULATOR ? 'done' : 'not-yours';
  }

  /** Carries it out: what is put in quarantine is set apart from what it lay in. */
  hold({ member, item, standing }: HoldStep): void {
    const thing = this.thing(item);
    const others = (thing.heldBy ?? []).filter((each) => each !== member);
    if (standing === 'released') thing.heldBy = member === REGULATOR ? [] : others;
    else this.takeOut(item, [...others, member]);
  }

  /** Out of its case, with whatever was in force over that one. */
  private takeOut(item: string, own: readonly string[]): void {
    const { parent } = this.thing(item);
    const above = parent === undefined ? [] : (this.thing(parent).heldBy ?? []);
    Object.assign(this.thing(item), this.effective(item), {
      parent: undefined,
      heldBy: [...new Set([...own, ...above])],
    });
  }

  /** Whether it, or what it lies in, is in quarantine. */
  private isHeld(thing: Thing): boolean {
    const above = thing.parent === undefined ? [] : (this.thing(thing.parent).heldBy ?? []);
    return above.length + (thing.heldBy?.length ?? 0) > 0;
  }

  private guarded({ act: name, member }: Step, thing: Thing): string | undefined {
    const isOf = (...names: readonly string[]): boolean => names.includes(name);
    const problems = [
      isOf('dispense', 'decommission') && !thing.isUnit ? 'not-a-unit' : undefined,
      isOf('dispense') && !PHARMACIES.includes(member) ? 'not-a-pharmacy' : undefined,
      this.apart(thing, isOf('ship', 'return', 'unpack', 'dispense')),
      isOf('undo') ? this.undoing(thing, member) : undefined,
      isOf('ship', 'verify-return', 'dispense', 'undo') ? this.unfit() : undefined,
      isOf('ship', 'verify-return', 'unpack', 'dispense', 'undo') && this.isHeld(thing) ? 'quarantined' : undefined,
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

  /** Carries a step out that the verdict lets through. */
  happen(step: AnyStep): void {
    if (isHold(step)) {
      this.hold(step);
      return;
    }
    const { act: name, member, item, to, reason } = step;
    const thing = this.thing(item);
    this.takeOut(item, thing.heldBy ?? []);
    if (name === 'ship' || name === 'return')
      Object.assign(thing, { state: 'in-transit', receiver: to, isReturn: name === 'return' });
    if (name === 'hand-over') thing.holder = to;
    if (name === 'decline') Object.assign(thing, { receiver: thing.owner, isReturn: true });
    if (name === 'receive')
      Object.assign(thing, { owner: member, holder: member, state: thing.isReturn === true ? 'returned' : 'active' });
    if (name === 'verify-return') thing.state = 'active';
    this.end(thing, { act: name, member, reason });
  }

  private end(thing: Thing, { act: name, member, reason }: Pick<Step, 'act' | 'member' | 'reason'>): void {
    if (name === 'dispense')
      Object.assign(thing, { state: 'dispensed', ended: { member, reason: 'dispensed', day: this.day } });
    if (name === 'decommission')
      Object.assign(thing, { state: 'decommissioned', ended: { member, reason, day: this.day } });
    if (name === 'undo') Object.assign(thing, { state: 'active', ended: undefined });
  }

  /** What lies in a case is where the case is. */
  effective(id: string): Thing {
    const thing = this.thing(id);
    if (thing.parent === undefined) return thing;
    const { owner, holder, state, receiver, isReturn } = this.effective(thing.parent);
    return { ...thing, owner, holder, state, receiver, isReturn };
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
