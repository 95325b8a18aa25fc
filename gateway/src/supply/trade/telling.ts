/** Tells another member's door what it must hear, again and again until it is taken. */
import { Errands } from '../../errands.js';
import type { PendingWork } from '../../keys/pending-work.js';
import type { AskDoor } from '../packs/issuer.js';

/** A message that a door has not taken yet. */
interface Untold {
  readonly to: string;
  readonly path: string;
  readonly message: object;
}

/** One gateway's messages to doors. */
export class Telling {
  readonly #errands: Errands<Untold>;

  constructor(
    private readonly ask: AskDoor,
    pending: PendingWork,
  ) {
    this.#errands = new Errands(pending, 'telling/');
  }

  /** Tells at once, and keeps what was not taken: whether it was. */
  async tell(id: string, untold: Untold): Promise<boolean> {
    return await this.#errands.under(id, untold, () => this.#try(id, untold));
  }

  /** Asks the doors that did not take theirs again until the signal aborts. */
  async goOn(signal: AbortSignal): Promise<void> {
    await this.#errands.goOn(signal, (id, untold) => this.#try(id, untold));
  }

  async #try(id: string, { to, path, message }: Untold): Promise<boolean> {
    try {
      if ((await this.ask(to, path, message)) === undefined) return false;
    } catch {
      return false;
    }
    this.#errands.drop(id);
    return true;
  }
}
