/** Brings loggers' readings to the ledger, and what people decide of what broke its limits. */
import { randomBytes } from 'node:crypto';

import { type Decision, transactions } from '@salus/chaincode/supply/api';

import type { Keep } from '../../ehr/keep.js';
import type { NamedSecrets } from '../../keys/named-secrets.js';
import { isRefusal, Refusal } from '../../ledger/refusal.js';
import { actorBytes } from '../../ledger/vouched.js';
import type { Actor, Commit, Ledger } from '../../ports.js';
import { isOwn, keepApart, keepCarried } from '../packs/apart.js';
import { type IssuerPorts, knownItem } from '../packs/issuer.js';
import { opening } from '../packs/opening.js';
import { inTurns, type Outcome, settled, unlessDone } from '../packs/outcome.js';
import { withSaltKept } from '../packs/salts.js';
import type { KnownItem } from '../packs/shelf.js';
import { statusOf } from '../packs/status.js';
import type { ClimateStep } from '../packs/steps.js';
import { type KeptReadings, PACK_TYPES } from '../packs/stored.js';
import { digestOf, readBatch, saysTheSame } from './readings.js';

/** Milliseconds to wait until the projection shows what was written. */
const REACH_MS = 20_000;
/** Of a pack that nobody acted on yet any salt opens its issuer. */
const ANY_SALT = '0'.repeat(64);

/** How readings and decisions reach the ledger. */
export interface ColdPorts extends IssuerPorts {
  readonly ledger: Pick<Ledger, 'submit' | 'evaluate'>;
  readonly keep: Keep;
  readonly secrets: NamedSecrets;
  readonly projection: IssuerPorts['projection'] & { reached(block: number, timeoutMs: number): Promise<boolean> };
  /** A person as the ledger may know it: two persons never have one name. */
  readonly person: (user: string) => string;
}

/** A member's part in the cold chain. */
export class ColdChain {
  constructor(private readonly ports: ColdPorts) {}

  /** Brings a batch to the ledger for each of these: where it broke a limit, the contracts put it in quarantine. */
  async log(actor: Actor, step: ClimateStep, again = false): Promise<readonly Outcome[]> {
    return await inTurns(step.epcs, async (epc) => {
      let excursion: string | undefined;
      const outcome = await settled({ act: 'climate', epc }, async () => {
        excursion = await this.#logOne(actor, epc, step, again);
      });
      return excursion === undefined ? outcome : { ...outcome, excursion, alert: 'excursion' };
    });
  }

  async #logOne(actor: Actor, epc: string, step: ClimateStep, again: boolean): Promise<string | undefined> {
    const { signed, reports } = step;
    const batch = readBatch(signed);
    if (batch === undefined) throw new Refusal('invalid', 'readings-not-signed', 'the readings are no compact JWS');
    if (!saysTheSame(reports, batch)) {
      throw new Refusal('invalid', 'readings-differ', 'the sensor reports say something else than the logger signed');
    }
    const known = await knownItem(this.ports, epc);
    const { item, origin } = known;
    const opened = await opening(this.ports, known, 'holder');
    const salt = opened ?? randomBytes(32).toString('hex');
    const isMine = isOwn(this.ports, known, opened);
    // Where a pack that nobody acted on yet breaks a limit it gets a record, which only what is kept here opens.
    const isFresh = isMine && opened === undefined;
    const log = () =>
      unlessDone(again, 'readings-known', async () => {
        await this.#submit(actor, transactions.climate, { item, origin, signed, salt });
      });
    await (isFresh ? withSaltKept(this.ports.secrets, [`own/${item}`, salt], log) : log());
    const kept: KeptReadings = { item, digest: digestOf(signed), signed };
    await this.ports.keep([{ type: PACK_TYPES.readings, value: kept }]);
    const excursion = await this.#excursion(actor, known);
    if (excursion !== undefined && isMine) await keepApart(this.ports, known, salt);
    else if (excursion !== undefined) await keepCarried(this.ports, known, opened);
    else if (isFresh) this.ports.secrets.forget(`own/${item}`);
    return excursion;
  }

  /** The limit that readings broke, with the alert raised: one for each item and member. */
  async #excursion(actor: Actor, known: KnownItem): Promise<string | undefined> {
    const { quarantine } = await statusOf(this.ports.ledger, known);
    if (quarantine?.id !== known.item || quarantine.excursion === undefined) return undefined;
    try {
      await this.#submit(actor, transactions.alert, { item: known.item, kind: 'excursion' });
    } catch (error) {
      if (!isRefusal(error, 'alert-known')) throw error;
    }
    return quarantine.excursion;
  }

  /** Signs for what becomes of these; the second person's signature decides. */
  async decide(actor: Actor, epcs: readonly string[], decision: Decision): Promise<readonly Outcome[]> {
    const person = this.ports.person(actor.user);
    return await inTurns(epcs, (epc) =>
      settled({ act: decision, epc }, async () => {
        const known = await knownItem(this.ports, epc);
        const { item, origin } = known;
        const request = { item, origin, decision, person, salt: await this.#salt(known) };
        const { block } = await this.#submit(actor, transactions.decide, request);
        await this.ports.projection.reached(block, REACH_MS);
      }),
    );
  }

  /** Registers a logger's key, or ends it. Throws Refusal. */
  async register(
    actor: Actor,
    { jwk, standing }: { readonly jwk: unknown; readonly standing: unknown },
  ): Promise<Commit> {
    return await this.#submit(actor, transactions.logger, { jwk, standing });
  }

  /** Opens who holds it; of a pack that nobody acted on yet any salt does, for its issuer. */
  async #salt(known: KnownItem): Promise<string> {
    return (await opening(this.ports, known, 'holder')) ?? ANY_SALT;
  }

  async #submit(actor: Actor, transaction: string, request: object): Promise<Commit> {
    const argument = JSON.stringify(request);
    return await this.ports.ledger.submit({ transaction, argument, transient: { actor: actorBytes(actor) } });
  }
}
