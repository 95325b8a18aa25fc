/** Tells receivers and carriers by door what a shipment is, and goes on telling until they took it. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { NamedSecrets } from '../../keys/named-secrets.js';
import { BackOff } from '../back-off.js';
import type { PendingWork } from '../pending.js';
import { CARRIAGE_PATH, carriageOf } from './carriage.js';
import { HANDOVER_PATH, handoversOf } from './handover.js';
import type { AskDoor } from './issuer.js';
import type { PackShelf } from './shelf.js';

/** Pause between looks at what was not taken, milliseconds. */
const LOOK_MS = 1_000;
const KIND = 'handover/';

/** The capture and event that a handover belongs to. */
export interface CapturePlace {
  readonly captureID: string;
  readonly event: number;
}

/** A shipment, as long as its receiver or carrier was not told of it. */
export interface OpenHandover {
  readonly to: string;
  readonly as: 'receiver' | 'carrier';
  /** Each item with the commitment whose salt opens it. */
  readonly shipped: readonly (readonly [epc: string, commitment: string])[];
  readonly place?: CapturePlace | undefined;
}

/** How doors are reached, and what is told. */
export interface HandingPorts {
  readonly shelf: PackShelf;
  readonly secrets: NamedSecrets;
  readonly ask: AskDoor;
  readonly pending: PendingWork;
  /** A door took what it did not take at first. */
  readonly onTaken: (place: CapturePlace) => Promise<void>;
}

/** One gateway's handovers. */
export class Handing {
  readonly #under = new Set<string>();
  readonly #doors = new BackOff();

  constructor(private readonly ports: HandingPorts) {}

  /** Tells at once, and keeps what was not taken: whether it was. */
  async tell(id: string, handover: OpenHandover): Promise<boolean> {
    this.#under.add(KIND + id);
    try {
      this.ports.pending.keep(KIND + id, handover);
      return await this.#try(KIND + id, handover);
    } finally {
      this.#under.delete(KIND + id);
    }
  }

  /** Asks the doors that did not take their handovers again, ever more seldom, until the signal aborts. */
  async goOn(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (const { id, value } of this.ports.pending.list<OpenHandover>(KIND)) await this.#again(id, value);
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #again(id: string, handover: OpenHandover): Promise<void> {
    if (this.#under.has(id) || this.#doors.isWaiting(id)) return;
    if (!(await this.#try(id, handover))) {
      this.#doors.failed(id);
      return;
    }
    this.#doors.worked(id);
    if (handover.place !== undefined) await this.ports.onTaken(handover.place);
  }

  async #try(id: string, { to, as, shipped }: OpenHandover): Promise<boolean> {
    const { shelf, secrets, ask, pending } = this.ports;
    const opened = new Map(shipped.flatMap(([epc, commitment]) => withSalt(epc, secrets.find(`sent/${commitment}`))));
    const messages = as === 'carrier' ? [carriageOf(shelf, opened)] : handoversOf(shelf, opened);
    try {
      for (const message of messages) {
        if ((await ask(to, as === 'carrier' ? CARRIAGE_PATH : HANDOVER_PATH, message)) === undefined) return false;
      }
    } catch {
      return false;
    }
    pending.drop(id);
    return true;
  }
}

function withSalt(epc: string, salt: string | undefined): readonly [string, string][] {
  return salt === undefined ? [] : [[epc, salt]];
}
