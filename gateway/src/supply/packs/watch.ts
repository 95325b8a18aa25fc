/** Watches what events say of packs against what was said of them before: here, and by whoever shipped them. */
import type { Actor } from '../../ports.js';
import type { JsonMap } from '../event/json.js';
import type { MasterData } from '../epcis/master-data.js';
import type { ShipmentTerms } from '../trade/shipments.js';
import type { PackActs } from './acts.js';
import type { Outcome } from './outcome.js';
import type { PackShelf, ShelfPorts } from './shelf.js';
import { type Sighting, sightingIn, suspicionBetween, toldSighting } from './sighting.js';
import { PACK_SPACE, seenKey } from './stored.js';

/** What was said before, and who raises a suspicion. */
export interface WatchPorts {
  readonly member: string;
  readonly projection: Pick<ShelfPorts['projection'], 'fact'>;
  readonly shelf: Pick<PackShelf, 'around' | 'lastAround'>;
  readonly master: MasterData;
  /** Shipments that name any of these, oldest first. */
  readonly shipments: (epcs: readonly string[]) => readonly ShipmentTerms[];
  readonly acts: Pick<PackActs, 'suspect'>;
}

/** Packs and containers, each with what it was seen with. */
type Together = ReadonlyMap<string, readonly string[]>;

/** One capture's events, one after the other. */
export class Watch {
  /** What events of this capture said: nothing shows it yet. */
  readonly #own = new Map<string, Sighting>();

  constructor(private readonly ports: WatchPorts) {}

  /** When and where an event was. */
  sightingIn(event: JsonMap): Sighting | undefined {
    return sightingIn(event, this.ports.master);
  }

  /**
   * What each of these was seen with: itself, and the containers it lies in before an act. What was set apart from one goes its
   * own way since. Of acts that may have taken effect before a kill, the containers it lay in last.
   */
  together(epcs: readonly string[], again: boolean): Together {
    const { shelf } = this.ports;
    return new Map(epcs.map((epc) => [epc, [epc, ...(again ? shelf.lastAround(epc) : shelf.around(epc))]]));
  }

  /** The outcomes of an act, each with when its pack was seen, and with the suspicion that is raised by it where it had none. */
  async outcomes(
    actor: Actor,
    seen: Sighting,
    outcomes: readonly Outcome[],
    together: Together,
  ): Promise<readonly Outcome[]> {
    const watched: Outcome[] = [];
    for (const outcome of outcomes) watched.push(await this.#watched(actor, seen, outcome, together));
    return watched;
  }

  async #watched(actor: Actor, seen: Sighting, outcome: Outcome, together: Together): Promise<Outcome> {
    const { epc, act, state } = outcome;
    if (epc === undefined || state === 'unknown') return outcome;
    const found = this.#before(together.get(epc) ?? [epc], act).map((before) => suspicionBetween(before, seen));
    const suspicion = found.find((each) => each !== undefined);
    const isDone = state === 'done';
    if (isDone) this.#own.set(epc, seen);
    const isRaised =
      suspicion !== undefined && outcome.alert === undefined && (await this.ports.acts.suspect(actor, epc, suspicion));
    return { ...outcome, ...(isDone ? { seen } : {}), ...(isRaised ? { alert: suspicion } : {}) };
  }

  /** What was last said of a pack, or of a container it lay in before the act; of what is received, what its shipper said. */
  #before(names: readonly string[], act: string): readonly Sighting[] {
    const own = names.map((name) => this.#own.get(name) ?? this.#kept(name));
    const told = act === 'receive' ? this.#dispatched(names) : undefined;
    return [...own, told].filter((each) => each !== undefined);
  }

  #kept(epc: string): Sighting | undefined {
    const text = this.ports.projection.fact(PACK_SPACE, seenKey(epc));
    return text === undefined ? undefined : (JSON.parse(text) as Sighting);
  }

  #dispatched(names: readonly string[]): Sighting | undefined {
    const last = this.ports.shipments(names).findLast(({ to }) => to.member === this.ports.member);
    return toldSighting(last?.dispatched);
  }
}
