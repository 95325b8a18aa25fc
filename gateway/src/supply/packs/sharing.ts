/** Lets acts that one person asks for at the same moment share a transaction. */
import { type Act, MAX_ACTS, transactions } from '@salus/chaincode/supply/api';

import { type Groupable, Grouping } from '../../ehr/grouping.js';
import { isWithoutEffect } from '../../ledger/refusal.js';
import { actorBytes } from '../../ledger/vouched.js';
import type { Actor, Commit, Ledger } from '../../ports.js';

interface AskedAct extends Groupable {
  readonly actor: Actor;
  readonly act: Act;
  readonly settle: PromiseWithResolvers<Commit>;
}

/** Submits acts. Where a shared transaction came to nothing each act is asked alone, so that each is told of its own. */
export class SharedActs {
  readonly #grouping = new Grouping<AskedAct>((acts) => this.#carry(acts), MAX_ACTS);

  constructor(private readonly ledger: Pick<Ledger, 'submit'>) {}

  /** The commit of the transaction that holds the act. Throws Refusal. */
  submit(actor: Actor, act: Act): Promise<Commit> {
    const settle = Promise.withResolvers<Commit>();
    this.#grouping.add({ kin: `${actor.user} ${actor.role} ${actor.purpose}`, size: 1, actor, act, settle });
    return settle.promise;
  }

  async #carry(asked: readonly AskedAct[]): Promise<void> {
    const [first] = asked;
    if (first === undefined || asked.length === 1) {
      await this.#apart(asked);
      return;
    }
    try {
      const commit = await this.#send(first.actor, transactions.acts, { acts: asked.map(({ act }) => act) });
      for (const { settle } of asked) settle.resolve(commit);
    } catch (error) {
      if (isWithoutEffect(error)) await this.#apart(asked);
      else for (const { settle } of asked) settle.reject(error);
    }
  }

  async #apart(asked: readonly AskedAct[]): Promise<void> {
    const sent = asked.map(({ actor, act, settle }) =>
      this.#send(actor, transactions.act, act).then(settle.resolve, settle.reject),
    );
    await Promise.all(sent);
  }

  async #send(actor: Actor, transaction: string, request: object): Promise<Commit> {
    return await this.ledger.submit({
      transaction,
      argument: JSON.stringify(request),
      transient: { actor: actorBytes(actor) },
    });
  }
}
