/** Carries out on the ledger what events say: lots, containers, recalls, and the acts of the contracts' table. */
import { randomBytes } from 'node:crypto';

import { type Act, commitmentOf, suspicionOf, transactions } from '@salus/chaincode/supply/api';

import type { NamedSecrets } from '../../keys/named-secrets.js';
import { Refusal } from '../../ledger/refusal.js';
import { actorBytes } from '../../ledger/vouched.js';
import type { Actor, Ledger } from '../../ports.js';
import { HANDOVER_PATH, handoverOf } from './handover.js';
import { memberOfParty, packOf } from './identity.js';
import { type IssuerPorts, lookUp } from './issuer.js';
import { newContainer, newLot } from './making.js';
import type { KnownItem } from './shelf.js';
import type { ActStep, CommitStep, PackStep, RecallStep, Step } from './steps.js';
import { type Effect, PACK_TYPES } from './stored.js';

/** Acts that say who ended a pack's life, and where. */
const ENDS: readonly string[] = ['dispense', 'decommission', 'undo'];
/** Acts of one event that are on their way at once. */
const AT_ONCE = 20;

/** How acts reach the ledger, and where their secrets and terms are kept. */
export interface ActPorts extends IssuerPorts {
  readonly ledger: Pick<Ledger, 'submit'>;
  readonly secrets: NamedSecrets;
  /** Keeps the member's own copy of terms; resolves once they can be looked up. */
  readonly keep: (records: readonly { readonly type: string; readonly value: unknown }[]) => Promise<void>;
  /** Salted hash of actor and premises. */
  readonly premises: (user: string, place: string) => string;
}

type Outcome = Omit<Effect, 'event'>;

/** A member's hand on the ledger. */
export class PackActs {
  constructor(private readonly ports: ActPorts) {}

  /** What one step did, by pack or container. */
  async carry(actor: Actor, step: Step): Promise<readonly Outcome[]> {
    switch (step.kind) {
      case 'commit':
        return [await settled({ act: 'commit' }, () => this.#commit(actor, step))];
      case 'pack':
        return [await settled({ act: 'pack', epc: step.container }, () => this.#pack(actor, step))];
      case 'recall':
        return [await settled({ act: 'recall' }, () => this.#recall(actor, step))];
      case 'act':
        return await this.#acts(actor, step);
    }
  }

  async #commit(actor: Actor, step: CommitStep): Promise<void> {
    const { lot, secret, request } = newLot(this.ports, step);
    this.ports.secrets.keep({ [`lot/${lot.lotId}`]: secret });
    await this.#submit(actor, transactions.commit, request);
    await this.ports.keep([{ type: PACK_TYPES.lot, value: lot }]);
  }

  async #pack(actor: Actor, step: PackStep): Promise<void> {
    const { terms, request } = newContainer(this.ports, step);
    this.ports.secrets.keep({ [`own/${request.container}`]: request.salt });
    await this.#submit(actor, transactions.pack, request);
    await this.ports.keep([{ type: PACK_TYPES.container, value: terms }]);
  }

  async #recall(actor: Actor, { gtin, batch }: RecallStep): Promise<void> {
    const lotId = this.ports.shelf.lotIdOf(gtin, batch);
    if (lotId === undefined) throw new Refusal('not-found', 'unknown-lot', 'no lot of this number is known here');
    await this.#submit(actor, transactions.recall, { lotId });
  }

  async #acts(actor: Actor, step: ActStep): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    for (let at = 0; at < step.epcs.length; at += AT_ONCE) {
      const some = step.epcs.slice(at, at + AT_ONCE).map((epc) => this.#one(actor, step, epc));
      outcomes.push(...(await Promise.all(some)));
    }
    const done = outcomes.flatMap(({ state, epc }) => (state === 'done' && epc !== undefined ? [epc] : []));
    if (step.act === 'unpack' && done.length > 0) await this.ports.keep([{ type: PACK_TYPES.unpacked, value: done }]);
    if (step.act !== 'ship' && step.act !== 'return') return outcomes;
    const handedOver = await this.#handOver(step, outcomes);
    return outcomes.map((each) => (each.state === 'done' ? { ...each, handedOver } : each));
  }

  async #one(actor: Actor, step: ActStep, epc: string): Promise<Outcome> {
    let item: string | undefined;
    const outcome = await settled({ act: step.act, epc }, async () => {
      const known = await this.#known(epc);
      item = known.item;
      await this.#act(actor, step, known);
    });
    if (outcome.state !== 'refused' || item === undefined) return outcome;
    const alert = suspicionOf(step.act, outcome.code ?? '');
    const isRaised = alert !== undefined && (await this.#raise(actor, item, alert));
    return isRaised ? { ...outcome, alert } : outcome;
  }

  async #known(epc: string): Promise<KnownItem> {
    const pack = packOf(epc);
    const known = pack === undefined ? this.ports.shelf.find(epc) : await lookUp(this.ports, pack.gtin, pack.serial);
    if (known === undefined) throw new Refusal('not-found', 'unknown-item', 'nobody committed it to the ledger');
    return known;
  }

  async #act(actor: Actor, step: ActStep, { epc, item, origin }: KnownItem): Promise<void> {
    const { secrets, shelf, premises } = this.ports;
    const salt = shelf.salt(epc, step.act === 'receive' ? 'receive' : 'own') ?? freshSecret();
    const request: Act = {
      act: step.act,
      item,
      salt,
      ...(origin === undefined ? {} : { origin }),
      ...this.#toReceiver(step, item),
      ...(ENDS.includes(step.act) ? { premises: premises(actor.user, step.place) } : {}),
      ...(step.reason === undefined ? {} : { reason: step.reason }),
    };
    await this.#submit(actor, transactions.act, request);
    secrets.keep({ [`own/${item}`]: salt });
  }

  #toReceiver({ to }: ActStep, item: string): Pick<Act, 'to'> {
    if (to === undefined) return {};
    const salt = freshSecret();
    this.ports.secrets.keep({ [`sent/${item}`]: salt });
    return { to: commitmentOf(this.#receiver(to), salt) };
  }

  #receiver(party: string): string {
    const member = memberOfParty(this.ports.directory, party);
    if (member === undefined) throw new Refusal('invalid', 'incomplete-act', 'no member has this party GLN');
    return member;
  }

  async #handOver({ to = '' }: ActStep, outcomes: readonly Outcome[]): Promise<boolean> {
    const { shelf, secrets, ask } = this.ports;
    const shipped = outcomes.flatMap(({ state, epc }): [string, string][] => {
      const item = state === 'done' && epc !== undefined ? shelf.find(epc)?.item : undefined;
      const salt = item === undefined ? undefined : secrets.find(`sent/${item}`);
      return epc === undefined || salt === undefined ? [] : [[epc, salt]];
    });
    if (shipped.length === 0) return false;
    try {
      return (await ask(this.#receiver(to), HANDOVER_PATH, handoverOf(shelf, new Map(shipped)))) !== undefined;
    } catch {
      return false;
    }
  }

  /** Raises a suspicion: a member's repeated scans make one. Whether it stands on the ledger. */
  async #raise(actor: Actor, item: string, kind: string): Promise<boolean> {
    try {
      await this.#submit(actor, transactions.alert, { item, kind });
      return true;
    } catch (error) {
      return error instanceof Refusal && error.code === 'alert-known';
    }
  }

  async #submit(actor: Actor, transaction: string, request: object): Promise<void> {
    await this.ports.ledger.submit({
      transaction,
      argument: JSON.stringify(request),
      transient: { actor: actorBytes(actor) },
    });
  }
}

function freshSecret(): string {
  return randomBytes(32).toString('hex');
}

async function settled(what: Pick<Outcome, 'act' | 'epc'>, work: () => Promise<void>): Promise<Outcome> {
  try {
    await work();
    return { ...what, state: 'done' };
  } catch (error) {
    if (!(error instanceof Refusal)) return { ...what, state: 'unknown' };
    return { ...what, state: 'refused', code: error.code, detail: error.detail };
  }
}
