/** Puts a member's part in the supply chain together from the rooms of its gateway. */
import { randomUUID } from 'node:crypto';

import { type StatusView, transactions } from '@salus/chaincode/supply/api';
import type { Request, Router } from 'express';

import type { Heard } from '../door/server.js';
import type { KeyStore } from '../keys/key-store.js';
import { NamedSecrets } from '../keys/named-secrets.js';
import { Refusal } from '../ledger/refusal.js';
import { GATEWAY_ACTOR } from '../ledger/vouched.js';
import type { Actor, Ledger } from '../ports.js';
import { Directory } from '../registry/directory.js';
import type { GatewaySettings } from '../settings.js';
import { openEpcis } from './epcis/open.js';
import type { RepositoryPorts } from './epcis/repository.js';
import { parseEpc } from './gs1/epc.js';
import { PackActs } from './packs/acts.js';
import { carryEvents } from './packs/carry.js';
import { HANDOVER_BYTES, HANDOVER_PATH, hearHandover } from './packs/handover.js';
import { licenseeOf } from './packs/identity.js';
import { type AskDoor, lookUp, tell, VERIFY_PATH } from './packs/issuer.js';
import { PackShelf } from './packs/shelf.js';
import { judge, type Scan, type Verdict } from './packs/verdict.js';
import { verifyExpress } from './packs/verify-express.js';

/** Milliseconds to wait until the projection shows what was written. */
const REACH_MS = 20_000;
const PHARMACIES = ['hospital', 'pharmacy'];

/** The rooms of a gateway that take part in the supply chain. */
export interface SupplyRooms extends RepositoryPorts {
  readonly settings: GatewaySettings;
  readonly keys: KeyStore;
  readonly ledger: Pick<Ledger, 'submit' | 'evaluate'>;
  /** Milliseconds since 1970, shifted as the settings say. */
  readonly clock: () => number;
  readonly ask: AskDoor;
}

/** A member's part in the supply chain. */
export class Supply {
  readonly #shelf: PackShelf;
  readonly #secrets: NamedSecrets;
  readonly #directory: Directory;
  readonly #acts: PackActs;

  constructor(private readonly rooms: SupplyRooms) {
    const { settings, projection, keys, ledger, ask } = rooms;
    this.#secrets = new NamedSecrets(keys);
    this.#shelf = new PackShelf({ projection, secrets: this.#secrets });
    this.#directory = new Directory(projection, settings);
    this.#acts = new PackActs({
      ...this.#looking,
      ledger,
      secrets: this.#secrets,
      ask,
      keep: this.#keep,
      premises: (user, place) => keys.hmac('lookup', `premises\n${user}\n${place}`),
    });
  }

  /** The routers to put under `/epcis` and `/verify`. */
  routers(
    actorOf: (request: Request) => Promise<Actor>,
    onFault: (error: unknown) => void,
  ): { readonly epcis: Router; readonly verify: Router } {
    const carry = carryEvents(this.#acts);
    const epcis = openEpcis({ ...this.rooms, carry }, actorOf, onFault);
    const party = parseEpc(this.#directory.gs1(this.rooms.settings.member).pgln ?? '');
    const responderGLN = party?.key ?? '';
    return { epcis, verify: verifyExpress({ verify: this.verify, actorOf, now: this.#now, responderGLN, onFault }) };
  }

  /** What this member's door hears of packs. */
  readonly heard: Readonly<Record<string, Heard>> = {
    [HANDOVER_PATH]: {
      most: HANDOVER_BYTES,
      hear: (_teller, body) =>
        hearHandover({ ledger: this.rooms.ledger, secrets: this.#secrets, keep: this.#keep }, body),
    },
    [VERIFY_PATH]: { most: 1_024, hear: (_teller, body) => Promise.resolve(tell(this.#shelf, body)) },
  };

  /** One scan, answered from what is known here, from the issuer's word, and from the ledger. */
  verify = async (scan: Scan): Promise<Verdict> => {
    const { settings, ledger } = this.rooms;
    const found = await lookUp(this.#looking, scan.gtin, scan.serial);
    const salts = (['own', 'receive'] as const).map((of) => found && this.#shelf.salt(found.epc, of));
    return judge(scan, {
      member: settings.member,
      isPharmacy: settings.roles.some((role) => PHARMACIES.includes(role)),
      now: this.#now(),
      isLicensed: licenseeOf(this.#directory, scan.gtin) !== undefined,
      terms: found?.terms,
      status: found === undefined ? undefined : await statusOf(ledger, found),
      salts: salts.filter((each) => each !== undefined),
    });
  };

  get #looking() {
    const { settings, ask } = this.rooms;
    return { member: settings.member, shelf: this.#shelf, directory: this.#directory, ask };
  }

  readonly #keep = async (records: readonly { readonly type: string; readonly value: unknown }[]): Promise<void> => {
    const { writer, projection, settings } = this.rooms;
    const gateway: Actor = { ...GATEWAY_ACTOR, member: settings.member, scopes: [] };
    const writes = records.map(({ type, value }) => {
      return { type, id: randomUUID(), expect: 0, text: JSON.stringify(value) };
    });
    const outcome = await writer.write(gateway, writes);
    if (outcome.state !== 'committed')
      throw new Refusal('unavailable', 'unknown', 'it is not known whether it was kept');
    await projection.reached(outcome.commit.block, REACH_MS);
  };

  readonly #now = (): string => new Date(this.rooms.clock()).toISOString();
}

async function statusOf(
  ledger: Pick<Ledger, 'evaluate'>,
  { item, origin }: { readonly item: string; readonly origin?: object },
): Promise<StatusView> {
  const argument = JSON.stringify({ item, ...(origin === undefined ? {} : { origin }) });
  const answer = await ledger.evaluate({ transaction: transactions.status, argument });
  return JSON.parse(Buffer.from(answer).toString('utf8')) as StatusView;
}
