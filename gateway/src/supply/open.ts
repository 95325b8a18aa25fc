/** Puts a member's part in the supply chain together from the rooms of its gateway. */
import type { StatusView } from '@salus/chaincode/supply/api';
import type { Request, Router } from 'express';

import type { Destinations } from '../delivery/destinations.js';
import type { Heard } from '../door/server.js';
import { type Keep, keeper } from '../ehr/keep.js';
import type { Fhir } from '../fhir/request.js';
import type { KeyStore } from '../keys/key-store.js';
import { NamedSecrets } from '../keys/named-secrets.js';
import type { Actor, Ledger } from '../ports.js';
import { Directory } from '../registry/directory.js';
import type { GatewaySettings } from '../settings.js';
import { ColdChain } from './cold/cold-chain.js';
import { evidenceOf } from './cold/evidence.js';
import type { EpcisDesk } from './epcis/desk.js';
import { epcisExpress } from './epcis/express.js';
import { EpcisSockets } from './epcis/sockets.js';
import { withSupplyFace } from './dispense/face.js';
import { withDispensing } from './dispense/operations.js';
import { recordingUndone } from './dispense/undone.js';
import { openDesk } from './epcis/open.js';
import { EventRepository, type RepositoryPorts } from './epcis/repository.js';
import { parseEpc } from './gs1/epc.js';
import { PackActs } from './packs/acts.js';
import { CARRIAGE_BYTES, CARRIAGE_PATH, hearCarriage } from './packs/carriage.js';
import { carryEvents } from './packs/carry.js';
import { Handing } from './packs/handing.js';
import { HANDOVER_BYTES, HANDOVER_PATH } from './packs/handover.js';
import { hearHandover } from './packs/hearing.js';
import { licenseeOf, memberOfParty } from './packs/identity.js';
import { type AskDoor, LOT_BYTES, LOT_PATH, lookUp, tell, tellLot, VERIFY_PATH } from './packs/issuer.js';
import { labelOf } from './packs/label.js';
import { projectedStatus } from './packs/projected-status.js';
import { type KnownItem, PackShelf } from './packs/shelf.js';
import { statusOf } from './packs/status.js';
import { PACK_TYPES } from './packs/stored.js';
import { judge, type Scan, type Verdict } from './packs/verdict.js';
import { verifyExpress } from './packs/verify-express.js';
import { Watch } from './packs/watch.js';
import { PendingWork } from '../keys/pending-work.js';
import { scanned, type ScanAnswer, type ScanWish } from './scan.js';
import { alertsOf } from './trade/alerts.js';
import { EXCEPTION_BYTES, EXCEPTION_PATH, Exceptions } from './trade/exceptions.js';
import { tradeExpress } from './trade/express.js';
import { hearHolding, HOLDING_BYTES, HOLDING_PATH, holdersOf, recallsOf } from './trade/holders.js';
import { reportReceipt } from './trade/receipt.js';
import { shipmentOf, shipmentsOf, shipmentsWith } from './trade/shipments.js';
import { Telling } from './trade/telling.js';
import { hearTrace, TRACE_BYTES, TRACE_PATH, tracesOf, type TraceWish } from './trade/trace.js';
import { traceEverywhere } from './trade/tracing.js';

const PHARMACIES = ['hospital', 'pharmacy'];

/** The rooms of a gateway that take part in the supply chain. */
export interface SupplyRooms extends RepositoryPorts {
  readonly settings: GatewaySettings;
  readonly keys: KeyStore;
  readonly ledger: Pick<Ledger, 'submit' | 'evaluate' | 'blocks'>;
  /** Where subscribers may be told. */
  readonly destinations: Destinations;
  /** Milliseconds since 1970, shifted as the settings say. */
  readonly clock: () => number;
  readonly ask: AskDoor;
}

/** A member's part in the supply chain. */
export class Supply {
  readonly #shelf: PackShelf;
  readonly #secrets: NamedSecrets;
  readonly #directory: Directory;
  readonly #cold: ColdChain;
  readonly #telling: Telling;
  readonly #exceptions: Exceptions;
  readonly #acts: PackActs;
  readonly #handing: Handing;
  readonly #desk: EpcisDesk;
  /** Subscriptions by websocket. */
  readonly sockets: EpcisSockets;
  readonly #keep: Keep;

  constructor(private readonly rooms: SupplyRooms) {
    const { settings, projection, keys, ledger, ask } = rooms;
    this.#keep = keeper(rooms);
    this.#secrets = new NamedSecrets(keys);
    this.#shelf = new PackShelf({ projection, secrets: this.#secrets });
    this.#directory = new Directory(projection, settings);
    const pending = new PendingWork(keys, settings.gateway);
    const own = { shelf: this.#shelf, secrets: this.#secrets, keep: this.#keep, ask };
    const onTaken = (value: object): Promise<void> => this.#keep([{ type: PACK_TYPES.handedOver, value }]);
    this.#handing = new Handing({ ...own, pending, onTaken });
    const looking = { ...this.#looking, ledger, projection, keep: this.#keep };
    this.#telling = new Telling(ask, pending);
    this.#exceptions = new Exceptions({ ...looking, telling: this.#telling });
    const titleOf = (name: string): string => settings.members.find((each) => each.name === name)?.title ?? name;
    const shipping = { ...this.#looking, titleOf, now: this.#now };
    this.#cold = new ColdChain({
      ...looking,
      secrets: this.#secrets,
      person: (user) => keys.hmac('lookup', `person\n${user}`),
    });
    this.#acts = new PackActs({
      ...looking,
      ...own,
      cold: this.#cold,
      shipment: (of, shipped) => shipmentOf(shipping, of, shipped),
      handing: this.#handing,
      reached: (block, timeoutMs) => projection.reached(block, timeoutMs),
      premises: (user, place, item) => keys.hmac('lookup', `premises\n${user}\n${place}\n${item}`),
      ghost: (epc) => keys.hmac('lookup', `ghost\n${epc}`),
    });
    const exceptionId = (about: string): string => keys.hmac('lookup', `exception\n${about}`);
    const receiving = { ...looking, secrets: this.#secrets, exceptions: this.#exceptions, exceptionId };
    const repository = new EventRepository(rooms);
    const { master } = repository;
    const shipments = (epcs: readonly string[]) => shipmentsWith(projection, epcs);
    const watch = (): Watch => new Watch({ ...looking, acts: this.#acts, master, shipments });
    const carry = carryEvents(this.#acts, watch, (...receipt) => reportReceipt(receiving, ...receipt));
    this.#desk = openDesk({ ...rooms, repository, pending, carry });
    this.sockets = new EpcisSockets(this.#desk);
  }

  /**
   * Goes on with what a killed gateway had promised, with deliveries to subscribers, and with handovers that doors do not
   * take, until the signal aborts; begins once it is known what became of all that was sent to the ledger before.
   */
  goOn(settled: Promise<void>, signal: AbortSignal, onFault: (error: unknown) => void): void {
    const { capturing, subscriptions } = this.#desk;
    settled
      .then(() => {
        const toDoors = [this.#handing.goOn(signal), this.#telling.goOn(signal)];
        return Promise.all([capturing.goOn(), subscriptions.goOn(signal), ...toDoors]);
      })
      .catch((error: unknown) => {
        if (!signal.aborted) onFault(error);
      });
  }

  /** The routers to put under `/epcis`, `/verify` and `/supply`. */
  routers(
    actorOf: (request: Request) => Promise<Actor>,
    onFault: (error: unknown) => void,
    fhir: Fhir,
  ): { readonly epcis: Router; readonly verify: Router; readonly supply: Router } {
    const { ledger, projection, settings } = this.rooms;
    const http = { actorOf, onFault };
    const party = parseEpc(this.#directory.gs1(settings.member).pgln ?? '');
    const responderGLN = party?.key ?? '';
    const alerts = () => alertsOf(projection, this.#shelf);
    const recalls = () => recallsOf(this.#holding);
    const holders = (lotId: string) => holdersOf(this.#holding, lotId);
    const label = (epc: string) => labelOf(this.#shelf, epc);
    return {
      epcis: epcisExpress(this.#desk, actorOf, onFault),
      verify: verifyExpress({ ...http, verify: this.verify, now: this.#now, responderGLN }),
      supply: tradeExpress({
        ...http,
        ...this.#coldRoom,
        ...this.#exceptionRoom,
        ...{ ledger, acts: recordingUndone(this.#acts, fhir), alerts, recalls, holders, label },
      }),
    };
  }

  /** What this member's door hears of packs. */
  readonly heard: Readonly<Record<string, Heard>> = {
    [HANDOVER_PATH]: {
      most: HANDOVER_BYTES,
      hear: (teller, body) => hearHandover(this.#hearing, teller, body),
    },
    [CARRIAGE_PATH]: {
      most: CARRIAGE_BYTES,
      hear: (_teller, body) => hearCarriage({ ...this.#looking, ...this.#hearing }, body),
    },
    [EXCEPTION_PATH]: { most: EXCEPTION_BYTES, hear: (teller, body) => this.#exceptions.hear(teller, body) },
    [TRACE_PATH]: { most: TRACE_BYTES, hear: (teller, body) => hearTrace(this.#traceRoom, teller, body) },
    [HOLDING_PATH]: {
      most: HOLDING_BYTES,
      hear: (teller, body) => Promise.resolve(hearHolding(this.#holding, teller, body)),
    },
    [LOT_PATH]: { most: LOT_BYTES, hear: (teller, body) => Promise.resolve(tellLot(this.#looking, teller, body)) },
    [VERIFY_PATH]: { most: 1_024, hear: (_teller, body) => Promise.resolve(tell(this.#looking, body)) },
  };

  /** One scan, answered from what is known here, from the issuer's word, and from the ledger. */
  verify = async (scan: Scan): Promise<Verdict> => {
    const { settings } = this.rooms;
    const found = await lookUp(this.#looking, scan.gtin, scan.serial);
    return judge(scan, {
      member: settings.member,
      isPharmacy: settings.roles.some((role) => PHARMACIES.includes(role)),
      now: this.#now(),
      isLicensed: licenseeOf(this.#directory, scan.gtin) !== undefined,
      terms: found?.terms,
      status: found === undefined ? undefined : await this.#statusOf(found),
      salts: found === undefined ? [] : this.#shelf.salts(found.epc, ['own', 'receive']),
    });
  };

  /** From the own projection, or from the contracts where that lags behind. */
  async #statusOf(known: KnownItem): Promise<StatusView> {
    const { projection, ledger, clock } = this.rooms;
    return projectedStatus(projection, known, clock()) ?? (await statusOf(ledger, known));
  }

  /** A scan at the counter: verified, received or dispensed. Throws Refusal. */
  async scan(actor: Actor, wish: ScanWish): Promise<ScanAnswer> {
    return await scanned({ acts: this.#acts, verify: this.verify }, actor, wish);
  }

  /** The FHIR interface with prescriptions' fills and dispensing in front of it. */
  inFrontOf(fhir: Fhir): Fhir {
    const { projection, ledger } = this.rooms;
    const find = (gtin: string, serial: string) => lookUp(this.#looking, gtin, serial);
    const shipments = () => shipmentsOf(projection);
    return withDispensing(withSupplyFace(fhir, { shipments, shelf: this.#shelf }), {
      projection,
      ledger,
      acts: this.#acts,
      lookUp: find,
      now: this.#now,
    });
  }

  get #hearing() {
    const { ledger, projection, settings } = this.rooms;
    const own = { member: settings.member, shelf: this.#shelf, secrets: this.#secrets, keep: this.#keep };
    return { ...own, ledger, projection, blocks: projection };
  }

  get #coldRoom() {
    const ports = { ...this.#looking, ledger: this.rooms.ledger, projection: this.rooms.projection, now: this.#now };
    return { cold: this.#cold, evidence: (epc: string) => evidenceOf(ports, epc) };
  }

  get #exceptionRoom() {
    const { ledger, projection } = this.rooms;
    const tracing = {
      ...this.#traceRoom,
      ledger,
      now: this.#now,
      lookUp: (gtin: string, serial: string) => lookUp(this.#looking, gtin, serial),
      reached: (block: number, timeoutMs: number) => projection.reached(block, timeoutMs),
    };
    return {
      exceptions: this.#exceptions,
      shipments: () => shipmentsOf(this.rooms.projection),
      traces: () => tracesOf(this.rooms.projection),
      trace: (actor: Actor, wish: TraceWish) => traceEverywhere(tracing, actor, wish),
      memberOf: (party: string) => memberOfParty(this.#directory, party),
    };
  }

  get #traceRoom() {
    return { ...this.#looking, projection: this.rooms.projection, desk: this.#desk, keep: this.#keep };
  }

  get #holding() {
    return { ...this.#looking, projection: this.rooms.projection, secrets: this.#secrets };
  }

  get #looking() {
    const { settings, projection, ask } = this.rooms;
    return { member: settings.member, shelf: this.#shelf, directory: this.#directory, projection, ask };
  }

  readonly #now = (): string => new Date(this.rooms.clock()).toISOString();
}
