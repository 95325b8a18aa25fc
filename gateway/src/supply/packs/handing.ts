/** Tells receivers and carriers by door what a shipment is, and goes on telling until they took it. */
import type { NamedSecrets } from '../../keys/named-secrets.js';
import { Errands } from '../../errands.js';
import type { PendingWork } from '../../keys/pending-work.js';
import { CARRIAGE_PATH, carriageOf } from './carriage.js';
import { HANDOVER_PATH, handoversOf } from './handover.js';
import type { AskDoor } from './issuer.js';
import type { ShipmentTerms } from '../trade/shipments.js';
import type { PackShelf } from './shelf.js';

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
  /** What the receiver is told of the shipment as a whole. */
  readonly shipment?: ShipmentTerms | undefined;
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
  readonly #errands: Errands<OpenHandover>;

  constructor(private readonly ports: HandingPorts) {
    this.#errands = new Errands(ports.pending, 'handover/');
  }

  /** Tells at once, and keeps what was not taken: whether it was. */
  async tell(id: string, handover: OpenHandover): Promise<boolean> {
    return await this.#errands.under(id, handover, () => this.#try(id, handover));
  }

  /** Asks the doors that did not take their handovers again until the signal aborts. */
  async goOn(signal: AbortSignal): Promise<void> {
    await this.#errands.goOn(signal, async (id, handover) => {
      const isTaken = await this.#try(id, handover);
      if (isTaken && handover.place !== undefined) await this.ports.onTaken(handover.place);
      return isTaken;
    });
  }

  async #try(id: string, { to, as, shipped, shipment }: OpenHandover): Promise<boolean> {
    const { shelf, secrets, ask } = this.ports;
    const opened = new Map(shipped.flatMap(([epc, commitment]) => withSalt(epc, secrets.find(`sent/${commitment}`))));
    const receivers = new Set(shipped.map(([, commitment]) => commitment));
    const messages =
      as === 'carrier' ? [carriageOf(shelf, opened)] : handoversOf(shelf, { salts: opened, receivers }, shipment);
    try {
      for (const message of messages) {
        if ((await ask(to, as === 'carrier' ? CARRIAGE_PATH : HANDOVER_PATH, message)) === undefined) return false;
      }
    } catch {
      return false;
    }
    this.#errands.drop(id);
    return true;
  }
}

function withSalt(epc: string, salt: string | undefined): readonly [string, string][] {
  return salt === undefined ? [] : [[epc, salt]];
}
