/** Two hospitals whose contracts run on the double of the ledger, whose doors are real HTTPS on loopback. */
import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { accessProjector } from '@salus/gateway/access/project';
import { clockProjector } from '@salus/gateway/clock/project';
import { consentProjector } from '@salus/gateway/consent/project';
import { Destinations } from '@salus/gateway/delivery/destinations';
import { Sharing } from '@salus/gateway/door/sharing';
import { ehrProjector } from '@salus/gateway/ehr/project';
import { authorshipOf, codeOf, openStored, toEntry } from '@salus/gateway/ehr/translate';
import type { FhirRequest, FhirResponse } from '@salus/gateway/fhir/request';
import { bundleAnswer } from '@salus/gateway/fhir/bundle-text';
import { signingKey } from '@salus/gateway/identity/keys';
import { freshSecrets } from '@salus/gateway/keys/content';
import { KeyStore } from '@salus/gateway/keys/key-store';
import { Memory } from '@salus/gateway/keys/memory';
import { parseRefusal, Refusal } from '@salus/gateway/ledger/refusal';
import { patientProjector } from '@salus/gateway/patient/project';
import type { Actor, Ledger, LedgerCall, RecordWriter } from '@salus/gateway/ports';
import { Directory } from '@salus/gateway/registry/directory';
import type { GatewaySettings, MemberSettings } from '@salus/gateway/settings';
import { Authority } from '@salus/network/identity/authority';

import { ContractWorld, random, type Outcome } from './contract-world.js';
import { exampleSettings } from './example-settings.js';
import { Projected } from './projected.js';
import { scratchFolder } from './scratch.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
interface Transaction {
  readonly code: number;
  readonly writes: { collection: string; keyHash: string; valueHash: string }[];
}

const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');
const mspIdOf = (member: string): string => `${member.charAt(0).toUpperCase()}${member.slice(1)}MSP`;

/** One hospital. */
export class Hospital {
  readonly projected = new Projected();
  readonly alarms: string[] = [];
  readonly sharing: Sharing;
  readonly keys: KeyStore;
  readonly memory: Memory;
  server: Server | undefined;

  constructor(
    readonly settings: GatewaySettings,
    readonly world: SharingWorld,
    readonly signing: Awaited<ReturnType<typeof signingKey>>,
  ) {
    this.keys = new KeyStore(settings.dataDir);
    this.memory = new Memory(this.keys);
    this.sharing = new Sharing({
      settings,
      ledger: this.world.ledgerOf(settings.member),
      outbox: { old: () => [], drop: () => undefined },
      transaction: (txId) => Promise.resolve(this.world.transactions.get(txId)),
      keys: this.keys,
      memory: this.memory,
      projection: this.projected,
      directory: new Directory(this.projected, settings),
      writer: this.#writer(),
      signingKey: signing,
      clock: () => this.world.contracts.clockMs,
      destinations: new Destinations(false),
      alarm: (what) => {
        this.alarms.push(what);
      },
      delayed: (what, error) => {
        throw new Error(what, { cause: error });
      },
    });
  }

  /** Answers from the own record alone; counts what it shows. */
  readonly fhir = (request: FhirRequest): Promise<FhirResponse> => {
    const [type = '', id, operation] = request.path.split('/');
    const patient = operation === undefined ? request.query.get('patient') : id;
    if (id !== undefined && operation === undefined) return Promise.resolve(this.#read(request.actor, type, id));
    const shown = this.projected.versions
      .filter((each) => each === this.projected.current(each.type, each.id) && each.patient === patient)
      .filter((each) => operation !== undefined || each.type === type)
      .flatMap((each) => this.sharing.decision.permit(request.actor, each) ?? []);
    const entries = shown.map((stored) => ({ resource: stored.text, more: { search: { mode: 'match' } }, stored }));
    return Promise.resolve(bundleAnswer({ head: { type: 'searchset', total: entries.length }, entries }));
  };

  #read(actor: Actor, type: string, id: string): FhirResponse {
    const stored = this.projected.current(type, id);
    const shown = stored && this.sharing.decision.permit(actor, stored);
    return shown === undefined ? { status: 404, headers: {} } : { status: 200, headers: {}, resource: shown.text };
  }

  #writer(): RecordWriter {
    return {
      write: async (actor, writes) => {
        const made = writes.map(({ type, id, expect, text, patient }) => {
          const [secrets] = freshSecrets(1);
          const content = {
            type,
            id,
            ...(text === undefined ? {} : { text }),
            ...(patient === undefined ? {} : { patient }),
            by: authorshipOf(actor, undefined),
          };
          const { entry, ledgerKey } = toEntry(content, expect + 1, codeOf(this.keys, type, id), secrets!);
          this.keys.keepVersionKeys([{ ledgerKey, ...secrets!, ...(patient === undefined ? {} : { patient }) }]);
          return entry;
        });
        const request = { idempotencyKey: random(), digest: random(), entries: made, salt: random() };
        const { user, role, purpose } = actor;
        await this.world.submit(this.settings.member, 'ehr:write', { request, actor: { user, role, purpose } });
        return { state: 'committed', commit: { txId: '', block: 0 }, written: [] };
      },
    };
  }
}

/** stmary and northside. */
export class SharingWorld {
  readonly transactions = new Map<string, Transaction>();
  readonly hospitals = new Map<string, Hospital>();
  readonly submitted: string[] = [];
  /** Whether the ledger is away from everybody, or from one member. */
  isAway: boolean | string = false;

  private constructor(
    readonly contracts: ContractWorld,
    private readonly folder: ReturnType<typeof scratchFolder>,
  ) {}

  static async open(): Promise<SharingWorld> {
    const names = ['stmary', 'northside'];
    const jwks = names.map((name) => newJwk(`${name}-gateway0`));
    const publics = Object.fromEntries(names.map((name, index) => [name, jwks[index]!.public]));
    const world = new SharingWorld(await ContractWorld.founded(publics), scratchFolder());
    const members: Mutable<MemberSettings>[] = [];
    for (const [index, name] of names.entries()) {
      const dir = join(world.folder.path, name);
      mkdirSync(dir);
      members.push(await memberSettings(name, dir, jwks[index]!.public as unknown as MemberSettings['jwk']));
    }
    writeFileSync(join(world.folder.path, 'roots.pem'), members.map(({ doorRoot }) => doorRoot).join(''));
    for (const [index, name] of names.entries()) {
      const settings = world.#settings(name, members);
      const hospital = new Hospital(settings, world, signingKey(jwks[index]!.private));
      world.hospitals.set(name, hospital);
      hospital.server = await hospital.sharing.open(hospital.fhir);
      const { port } = hospital.server.address() as AddressInfo;
      members[index]!.doorUrl = `https://127.0.0.1:${port}`;
    }
    // The tick that the world was founded with came before there was anybody to apply it.
    await world.pass(60_000, 'northside');
    return world;
  }

  get stmary(): Hospital {
    return this.hospitals.get('stmary')!;
  }

  get northside(): Hospital {
    return this.hospitals.get('northside')!;
  }

  async close(): Promise<void> {
    for (const { sharing, server, keys } of this.hospitals.values()) {
      server?.closeAllConnections();
      await new Promise((resolve) => server?.close(resolve));
      await sharing.close();
      keys.close();
    }
    this.folder.remove();
  }

  ledgerOf(member: string): Ledger {
    return {
      submit: async (call) => {
        this.#reach(member);
        const outcome = await this.submit(member, call.transaction, decoded(call), call.onOrdered);
        return { txId: outcome.txId, block: 0 };
      },
      evaluate: async (call) => {
        this.#reach(member);
        const outcome = await this.contracts.evaluate(member, call.transaction, decoded(call));
        if (outcome.status !== 200) throw parseRefusal(outcome.message) ?? new Error(outcome.message);
        return Buffer.from(outcome.payload);
      },
      blocks: () => {
        throw new Error('no blocks in this world: what is committed is projected at once');
      },
    };
  }

  #reach(member: string): void {
    if (this.isAway !== true && this.isAway !== member) return;
    throw new Refusal('unavailable', 'ledger-unreachable', 'the ledger cannot be reached; try again later');
  }

  /** What happens between a transaction's being ordered and its commit. */
  committing: (name: string) => Promise<void> = () => Promise.resolve();

  /** Endorses, orders, commits and projects at every member that holds the place. */
  async submit(member: string, name: string, call: object, onOrdered?: () => void): Promise<Outcome> {
    const outcome = await this.contracts.evaluate(member, name, call);
    if (outcome.status !== 200) throw parseRefusal(outcome.message) ?? new Error(outcome.message);
    onOrdered?.();
    await this.committing(name);
    this.contracts.commit(outcome);
    this.submitted.push(name);
    for (const [place, writes] of outcome.rwset.writes) {
      for (const [key, value] of writes) if (value) this.project(outcome.txId, mspIdOf(member), place, key, value);
    }
    for (const { key } of outcome.rwset.purges.filter(({ place }) => place === 'care')) this.#purge(outcome.txId, key);
    return outcome;
  }

  /** Lets the time pass and a member tick. */
  async pass(ms: number, ticker: string): Promise<void> {
    this.contracts.clockMs += ms;
    const { txId, rwset } = await this.contracts.submit(ticker, 'clock:tick');
    for (const [key, value] of rwset.writes.get('') ?? []) {
      const write = { key, ...(value === undefined ? {} : { value }), isDelete: false, isPurge: false };
      for (const { projected } of this.hospitals.values()) projected.apply(clockProjector(write), txId);
    }
  }

  /** What a committed write does to the projections. */
  project(txId: string, creatorMspId: string, collection: string, key: string, value: Buffer): void {
    const known = this.transactions.get(txId) ?? { code: 0, writes: [] };
    this.transactions.set(txId, known);
    known.writes.push({ collection, keyHash: sha256(key), valueHash: sha256(value) });
    const timestamp = new Date(this.contracts.clockMs).toISOString();
    const none = { transaction: '', argument: '', writes: [], elsewhere: { writes: 0, purges: 0 } };
    const rest = { ...none, block: this.transactions.size, index: 0, code: 0, endorsers: [] };
    const transaction = { txId, timestamp, creatorMspId, ...rest };
    const write = { collection, key, value, isDelete: false, isPurge: false };
    for (const [name, { projected, keys }] of this.hospitals) {
      if (collection !== 'care' && collection !== `of-${name}`) continue;
      const open = (ledgerKey: string, bytes: Uint8Array) => openStored(ledgerKey, bytes, { keys });
      projected.block = transaction.block;
      const projectors = [patientProjector, accessProjector, consentProjector(name), ehrProjector(name, keys)];
      for (const projector of projectors) projected.apply(projector(write, transaction, open), txId);
    }
  }

  /** What a committed purge in `care` does to them. */
  #purge(txId: string, key: string): void {
    const write = { collection: 'care', keyHash: sha256(key), isDelete: true, isPurge: true };
    const none = { block: 0, index: 0, code: 0, timestamp: '', creatorMspId: '', endorsers: [], argument: '' };
    const transaction = { ...none, txId, transaction: '', writes: [], elsewhere: { writes: 0, purges: 1 } };
    for (const { projected } of this.hospitals.values()) projected.apply(patientProjector(write, transaction), txId);
  }

  #settings(name: string, members: readonly MemberSettings[]): GatewaySettings {
    const dir = join(this.folder.path, name);
    const doorTls = {
      cert: join(dir, 'door.pem'),
      key: join(dir, 'door.key'),
      ca: join(this.folder.path, 'roots.pem'),
    };
    const own = { member: name, mspId: mspIdOf(name), baseUrl: `http://${name}.example`, dataDir: dir, doorTls };
    return { ...exampleSettings(), ...own, members };
  }
}

/** A person's or a gateway's new key. */
export function newJwk(kid: string = randomUUID()): {
  public: Record<string, string>;
  private: Record<string, string>;
} {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x, y, d } = privateKey.export({ format: 'jwk' });
  const known = { kty: 'EC', crv: 'P-256', x: x!, y: y!, kid, alg: 'ES256', use: 'sig' };
  return { public: known, private: { ...known, d: d! } };
}

async function memberSettings(name: string, dir: string, jwk: MemberSettings['jwk']): Promise<Mutable<MemberSettings>> {
  const authority = await Authority.create({ organisation: name, name: `tlsca.${name}` });
  const issued = await authority.tls({ organisation: name, name: `gateway0.${name}` }, ['127.0.0.1']);
  writeFileSync(join(dir, 'door.pem'), issued.certificate);
  writeFileSync(join(dir, 'door.key'), issued.key);
  const [example] = exampleSettings().members;
  const named = { name, mspId: mspIdOf(name), title: name, kid: jwk.kid, jwk, keys: [jwk] };
  return { ...example!, ...named, doorRoot: authority.certificate };
}

function decoded({ argument, transient }: LedgerCall): object {
  const parsed = Object.entries(transient ?? {}).map(
    ([key, value]) => [key, JSON.parse(Buffer.from(value).toString('utf8')) as object] as const,
  );
  return { ...(argument === undefined ? {} : { args: [argument] }), ...Object.fromEntries(parsed) };
}
