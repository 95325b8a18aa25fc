/** Carries out on the ledger what events say: lots, containers, recalls, quarantines, and the acts of the contracts' table. */
import { randomBytes, randomUUID } from 'node:crypto';

import { type Act, ACTS, commitmentOf, type Quarantine, suspicionOf, transactions } from '@salus/chaincode/supply/api';

import type { Keep } from '../../ehr/keep.js';
import type { NamedSecrets } from '../../keys/named-secrets.js';
import { isRefusal, Refusal } from '../../ledger/refusal.js';
import { actorBytes } from '../../ledger/vouched.js';
import type { Actor, Commit, Ledger } from '../../ports.js';
import type { ColdChain } from '../cold/cold-chain.js';
import type { ShipmentTerms } from '../trade/shipments.js';
import { isOwn, keepApart, keepCarried } from './apart.js';
import { type DoneBefore, isDone, unlessDoneBefore } from './done.js';
import type { CapturePlace, Handing } from './handing.js';
import { licenseeOf, memberOfParty, packOf } from './identity.js';
import { type IssuerPorts, knownItem, lookUpLot } from './issuer.js';
import { draftOf, newContainer, newLot } from './making.js';
import { opening } from './opening.js';
import { inTurns, type Outcome, settled, unlessDone } from './outcome.js';
import { keepEarlier, refuseOneTooOften, withSaltKept } from './salts.js';
import { SharedActs } from './sharing.js';
import type { KnownItem } from './shelf.js';
import type { Sighting } from './sighting.js';
import { statusOf } from './status.js';
import type { ActStep, CommitStep, PackStep, QuarantineStep, RecallStep, Step } from './steps.js';
import { PACK_TYPES } from './stored.js';
import { Turns } from './turns.js';

/** Acts that say who ended a pack's life, and where. */
const ENDS: readonly string[] = ['dispense', 'decommission', 'undo'];
/** Acts whose other side is told by door. */
const TOLD: readonly string[] = ['ship', 'return', 'hand-over'];
/** Acts of who does not own the thing, before or after. */
const NOT_OWNED: readonly string[] = ['hand-over', 'decline'];
/** Milliseconds to wait until the projection shows what was written. */
const REACH_MS = 20_000;

/** How acts reach the ledger, and where their secrets and terms are kept. */
export interface ActPorts extends IssuerPorts {
  readonly ledger: Pick<Ledger, 'submit' | 'evaluate'>;
  readonly secrets: NamedSecrets;
  readonly handing: Pick<Handing, 'tell'>;
  /** Transaction information and statement of a shipment. */
  readonly shipment: (
    of: Pick<ShipmentTerms, 'shipmentId' | 'isReturn' | 'dispatched'> & { readonly to: string },
    shipped: readonly (readonly [epc: string, commitment: string])[],
  ) => ShipmentTerms;
  /** Brings loggers' readings to the ledger. */
  readonly cold: Pick<ColdChain, 'log'>;
  /** Keeps the member's own copy of terms; resolves once they can be looked up. */
  readonly keep: Keep;
  /** Whether the projection has applied a block, waiting so long at most. */
  readonly reached: (block: number, timeoutMs: number) => Promise<boolean>;
  /** Salted hash of actor, premises and item: two acts of one person show no name in common. */
  readonly premises: (user: string, place: string, item: string) => string;
  /** Names a pack on the ledger that nobody committed: the same pack, the same name, known to this member alone. */
  readonly ghost: (epc: string) => string;
}

/** In which capture a step is carried out, and whether for the first time or again after a gateway was killed. */
export interface Way {
  readonly again: boolean;
  readonly place?: CapturePlace;
  /** When and where its event was. */
  readonly seen?: Sighting | undefined;
}

const AT_FIRST: Way = { again: false };

/** A member's hand on the ledger. */
export class PackActs {
  readonly #turns = new Turns();
  readonly #shared: SharedActs;

  constructor(private readonly ports: ActPorts) {
    this.#shared = new SharedActs(ports.ledger);
  }

  /** What one step did, by pack or container. What took effect before, and is asked again, is done. */
  async carry(actor: Actor, step: Step, way = AT_FIRST): Promise<readonly Outcome[]> {
    switch (step.kind) {
      case 'commit':
        return [await settled({ act: 'commit' }, () => this.#commit(actor, step, way))];
      case 'pack':
        return [await settled({ act: 'pack', epc: step.container }, () => this.#pack(actor, step, way))];
      case 'recall':
        return [await settled({ act: 'recall' }, () => this.#recall(actor, step, way))];
      case 'quarantine':
        return await this.#quarantine(actor, step, way);
      case 'climate':
        return await this.ports.cold.log(actor, step, way.again);
      case 'act':
        return await this.#acts(actor, step, way);
    }
  }

  async #commit(actor: Actor, step: CommitStep, { again }: Way): Promise<void> {
    const { shelf, secrets, keep } = this.ports;
    if (again && shelf.lotIdOf(step.gtin, step.batch) !== undefined) return;
    const { lot, secret, request } = newLot(this.ports, step);
    secrets.keep({ [draftOf(step.gtin, step.batch)]: lot.lotId, [`lot/${lot.lotId}`]: secret });
    await unlessDone(again, 'lot-exists', () => this.#submit(actor, transactions.commit, request));
    await keep([{ type: PACK_TYPES.lot, value: lot }]);
  }

  async #pack(actor: Actor, step: PackStep, { again }: Way): Promise<void> {
    if (again && this.ports.shelf.container(step.container) !== undefined) return;
    const { terms, request } = newContainer(this.ports, step);
    this.ports.secrets.keep({ [`own/${request.container}`]: request.salt });
    await unlessDone(again, 'container-exists', () => this.#submit(actor, transactions.pack, request));
    await this.ports.keep([{ type: PACK_TYPES.container, value: terms }]);
  }

  async #recall(actor: Actor, { gtin, batch }: RecallStep, { again }: Way): Promise<void> {
    const lotId = await this.#lotId({ gtin, batch });
    await unlessDone(again, 'already-recalled', () => this.#submit(actor, transactions.recall, { lotId }));
  }

  async #lotId(lot: NonNullable<QuarantineStep['lot']>): Promise<string> {
    const lotId = 'lotId' in lot ? lot.lotId : await lookUpLot(this.ports, lot.gtin, lot.batch);
    if (lotId === undefined) throw new Refusal('not-found', 'unknown-lot', 'no lot of this number is known here');
    return lotId;
  }

  async #quarantine(actor: Actor, { epcs, lot, standing }: QuarantineStep, way: Way): Promise<readonly Outcome[]> {
    const send = (request: Quarantine) =>
      unlessDone(way.again, 'quarantine-standing', () => this.#submit(actor, transactions.quarantine, request));
    const act = standing === 'held' ? 'quarantine' : 'release';
    const ofLot =
      lot && (await settled({ act }, async () => send({ of: 'lot', id: await this.#lotId(lot), standing })));
    const ofItems = await inTurns(epcs, (epc) =>
      settled({ act, epc }, async () => {
        const known = await knownItem(this.ports, epc);
        const { item, origin } = known;
        const opened = await opening(this.ports, known, 'holder');
        const salt = opened ?? freshSecret();
        const work = () => send({ of: 'item', id: item, standing, salt, ...(origin === undefined ? {} : { origin }) });
        const isSetApart = standing === 'held' && isOwn(this.ports, known, opened);
        await (isSetApart ? withSaltKept(this.ports.secrets, [`own/${item}`, salt], work) : work());
        if (isSetApart) await keepApart(this.ports, known, salt);
        if (standing === 'held') await keepCarried(this.ports, known, opened);
      }),
    );
    return [...(ofLot === undefined ? [] : [ofLot]), ...ofItems];
  }

  async #acts(actor: Actor, step: ActStep, way: Way): Promise<readonly Outcome[]> {
    const commitments = new Map<string, string>();
    const outcomes = await inTurns(step.epcs, (epc) => this.#one(actor, { step, epc, commitments }, way));
    const done = outcomes.flatMap(({ state, epc }) => (state === 'done' && epc !== undefined ? [epc] : []));
    if (step.act === 'unpack' && done.length > 0) await this.ports.keep([{ type: PACK_TYPES.unpacked, value: done }]);
    if (!TOLD.includes(step.act)) return outcomes;
    const shipped = [...commitments].filter(([epc]) => done.includes(epc));
    const handedOver = shipped.length > 0 && (await this.#tell(step, shipped, way));
    return outcomes.map((each) => (each.state === 'done' ? { ...each, handedOver } : each));
  }

  async #tell({ act, to = '' }: ActStep, shipped: [string, string][], { place, seen }: Way): Promise<boolean> {
    const as = act === 'hand-over' ? 'carrier' : 'receiver';
    const id = place === undefined ? randomUUID() : `${place.captureID}/${place.event}`;
    const member = this.#member(to);
    if (as === 'carrier') return await this.ports.handing.tell(id, { to: member, as, shipped, place });
    const shipping = { shipmentId: id, to: member, isReturn: act === 'return', dispatched: seen };
    const shipment = this.ports.shipment(shipping, shipped);
    await this.ports.keep([{ type: PACK_TYPES.shipment, value: shipment }]);
    return await this.ports.handing.tell(id, { to: member, as, shipped, place, shipment });
  }

  async #one(actor: Actor, { step, epc, commitments }: OneAct, way: Way): Promise<Outcome> {
    let item: string | undefined;
    const outcome = await settled({ act: step.act, epc }, async () => {
      const known = await knownItem(this.ports, epc);
      item = known.item;
      if (ACTS[step.act].who === 'receiver') refuseOneTooOften(this.ports.secrets, item);
      const work = () => this.#act(actor, step, known, way);
      const commitment = await this.#turns.take(epc, this.ports.shelf.around(epc), work);
      if (commitment !== undefined) commitments.set(epc, commitment);
    });
    if (outcome.state !== 'refused') return outcome;
    const alert = suspicionOf(step.act, outcome.code ?? '');
    const named = item ?? this.#ghost(epc);
    const isRaised = alert !== undefined && named !== undefined && (await this.#raise(actor, named, alert));
    return isRaised ? { ...outcome, alert } : outcome;
  }

  /** A pack under a member's company prefix that its issuer does not know; what is none of the consortium's is no suspicion. */
  #ghost(epc: string): string | undefined {
    const pack = packOf(epc);
    const isLicensed = pack !== undefined && licenseeOf(this.ports.directory, pack.gtin) !== undefined;
    return isLicensed ? this.ports.ghost(epc) : undefined;
  }

  /** Acts on one item: the commitment of whoever it now goes to. */
  async #act(actor: Actor, step: ActStep, known: KnownItem, { again }: Way): Promise<string | undefined> {
    const { item, origin } = known;
    const salt = (await opening(this.ports, known, ACTS[step.act].who)) ?? freshSecret();
    const premises = this.ports.premises(actor.user, step.place, item);
    const { act, reason, supplied, fill } = step;
    const to = step.to === undefined ? undefined : this.#commitmentTo(step.to);
    // What is undefined is left out of the JSON.
    const ended = ENDS.includes(act) ? { premises } : {};
    const request: Act = { act, item, salt, origin, to, reason, supplied, fill, ...ended };
    const submit = async (): Promise<void> => {
      await this.#seen(await this.#shared.submit(actor, request));
    };
    const doneBefore = () => this.#doneBefore(step, known, { salt, premises });
    const work = () => unlessDoneBefore(again, doneBefore, submit);
    if (NOT_OWNED.includes(act)) return (await this.#passedOn(act, known, salt, work))?.to ?? to;
    if (known.terms === undefined) keepEarlier(this.ports.secrets, `own/${item}`, salt);
    return (await withSaltKept(this.ports.secrets, [`own/${item}`, salt], work))?.to ?? to;
  }

  /** Does work on what this member does not own; what it hands on out of what it carries is known here by its own code then. */
  async #passedOn<T>(act: string, known: KnownItem, salt: string, work: () => Promise<T>): Promise<T> {
    const done = await work();
    if (act === 'hand-over') await keepCarried(this.ports, known, salt);
    return done;
  }

  /** Whether the act took effect before the gateway was killed, and to whom it went then. */
  async #doneBefore(
    { act, fill }: ActStep,
    known: KnownItem,
    begun: { readonly salt: string; readonly premises: string },
  ): Promise<DoneBefore | undefined> {
    const { ledger, secrets, member } = this.ports;
    const { item } = await statusOf(ledger, known);
    const isDrawn = (commitment: string): boolean => secrets.find(`sent/${commitment}`) !== undefined;
    if (item === null || !isDone(act, item, { member, ...begun, fill, isDrawn })) return undefined;
    return { to: act === 'hand-over' ? item.holder : item.shipment?.receiver };
  }

  /** A commitment of the member with this party GLN; its salt is kept first, or the item could never be received. */
  #commitmentTo(party: string): string {
    const salt = freshSecret();
    const commitment = commitmentOf(this.#member(party), salt);
    this.ports.secrets.keep({ [`sent/${commitment}`]: salt });
    return commitment;
  }

  #member(party: string): string {
    const member = memberOfParty(this.ports.directory, party);
    if (member === undefined) throw new Refusal('invalid', 'incomplete-act', 'no member has this party GLN');
    return member;
  }

  /** Raises a suspicion of a pack: whether it stands on the ledger. What nobody committed has the name of a ghost. */
  async suspect(actor: Actor, epc: string, kind: string): Promise<boolean> {
    const named = this.ports.shelf.find(epc)?.item ?? this.#ghost(epc);
    return named !== undefined && (await this.#raise(actor, named, kind));
  }

  /** Raises a suspicion: a member's repeated scans make one. Whether it stands on the ledger. */
  async #raise(actor: Actor, item: string, kind: string): Promise<boolean> {
    try {
      await this.#submit(actor, transactions.alert, { item, kind });
      return true;
    } catch (error) {
      return isRefusal(error, 'alert-known');
    }
  }

  async #submit(actor: Actor, transaction: string, request: object): Promise<void> {
    const argument = JSON.stringify(request);
    const transient = { actor: actorBytes(actor) };
    await this.#seen(await this.ports.ledger.submit({ transaction, argument, transient }));
  }

  /** Whoever scans it here next sees it. */
  async #seen({ block }: Commit): Promise<void> {
    await this.ports.reached(block, REACH_MS);
  }
}

interface OneAct {
  readonly step: ActStep;
  readonly epc: string;
  /** Whom each item goes to, for all of the event. */
  readonly commitments: Map<string, string>;
}

function freshSecret(): string {
  return randomBytes(32).toString('hex');
}
