/** A small consortium whose contracts run on a double of the ledger: real certificates, a clock of its own. */
import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import { TICK_STALE_MS } from '@salus/chaincode/clock/api';
import { setEndorserClock } from '@salus/chaincode/dist/lib/guard.js';
import { chaincodeOf } from '@salus/chaincode/dist/lib/host.js';
import { decodeRefusal, majorityOf } from '@salus/chaincode/registry/api';
import { Authority } from '@salus/network/identity/authority';
import { type Proposal, type ReadWriteSet, type Store, StubDouble } from './stub-double.js';

/** A call as a gateway makes it. */
export interface Call {
  readonly args?: readonly string[];
  readonly request?: object;
  readonly actor?: object;
  /** Shifts the proposal's timestamp from the world's clock, ms. */
  readonly shiftMs?: number;
  /** Certificate to call with instead of the member's gateway's. */
  readonly certificate?: string;
  readonly mspId?: string;
}

/** What an endorser answers. */
export interface Outcome {
  readonly status: number;
  readonly message: string;
  readonly payload: string;
  readonly rwset: ReadWriteSet;
  readonly txId: string;
  /** Everything of the call that goes into a block in clear. */
  readonly inClear: string;
}

/** A physician treating somebody. */
export const physician = { user: 'u-7f3a', role: 'physician', purpose: 'TREAT' };
/** 256 random bits, hex. */
export const random = (): string => randomBytes(32).toString('hex');

const roles: Readonly<Record<string, readonly string[]>> = {
  stmary: ['hospital'],
  northside: ['hospital'],
  acme: ['manufacturer', 'sponsor'],
  authority: ['regulator', 'witness'],
  tally: ['cro'],
  westgate: ['hospital'],
};

/** The members, in the order in which they tick, of a world that names none. */
export const members = ['stmary', 'northside', 'acme', 'authority'];
/** The same with a contract research organisation and a third hospital. */
export const manyMembers = Object.keys(roles);
const mspId = (member: string): string => `${member.charAt(0).toUpperCase()}${member.slice(1)}MSP`;

/** Members, their certificates, one state. Each endorser's is the same here. */
export class ContractWorld {
  /** Hears of every outcome of every world. */
  static watch: (outcome: Outcome) => void = () => undefined;

  /** The endorsers' clock, ms since 1970. */
  clockMs = Date.now();
  /** Every outcome so far. */
  readonly outcomes: { readonly transaction: string; readonly outcome: Outcome }[] = [];
  /** What was committed, by place and key. */
  readonly store: Store = new Map();
  private readonly chaincode = chaincodeOf();
  private version = 0;

  private constructor(private readonly certificates: ReadonlyMap<string, string>) {
    setEndorserClock(() => this.clockMs);
  }

  /** A world in which nothing is registered yet. */
  static async empty(names: readonly string[] = members): Promise<ContractWorld> {
    const certificates = new Map<string, string>();
    for (const member of names) certificates.set(member, await gatewayCertificate(member));
    return new ContractWorld(certificates);
  }

  /** A world whose consortium and members are in force and whose clock has ticked. */
  static async founded(
    keys: Readonly<Record<string, object>> = {},
    names: readonly string[] = members,
  ): Promise<ContractWorld> {
    const world = await ContractWorld.empty(names);
    const voters = names.slice(0, majorityOf(names.length));
    for (const voter of voters) await world.submit(voter, 'registry:approve', approval(consortiumEntry(names)));
    for (const member of names) {
      for (const voter of voters) {
        await world.submit(voter, 'registry:approve', approval(memberEntry(member, keys[member])));
      }
    }
    await world.submit('stmary', 'clock:tick');
    return world;
  }

  /** Endorses only. */
  async evaluate(member: string, name: string, call: Call = {}): Promise<Outcome> {
    const proposal = this.proposal(member, name, call);
    const { txId } = proposal;
    const stub = new StubDouble(this.store, proposal, (collection) => isMemberOf(member, collection));
    const response = await this.chaincode.Invoke(stub as never);
    const message = response.message ?? '';
    const payload = Buffer.from(response.payload ?? []).toString('utf8');
    const inClear = visible(name, proposal.args, payload, message, stub.rwset);
    const outcome = { status: response.status, message, payload, rwset: stub.rwset, txId, inClear };
    this.outcomes.push({ transaction: name, outcome });
    ContractWorld.watch(outcome);
    return outcome;
  }

  /** Endorses and commits; fails the test when refused. */
  async submit(member: string, name: string, call: Call = {}): Promise<Outcome> {
    const outcome = await this.evaluate(member, name, call);
    assert.equal(outcome.status, 200, `${name}: ${outcome.message}`);
    assert.equal(this.commit(outcome), 'VALID', name);
    return outcome;
  }

  /** Endorses and expects this refusal. */
  async refused(code: string, member: string, name: string, call: Call = {}): Promise<void> {
    const outcome = await this.evaluate(member, name, call);
    assert.equal(decodeRefusal(outcome.message)?.code, code, `${name}: ${outcome.status} ${outcome.message}`);
  }

  private proposal(member: string, name: string, call: Call): Proposal {
    const { request, actor, args = [], shiftMs = 0 } = call;
    const transient = Object.entries({ request, actor }).filter(([, value]) => value !== undefined);
    return {
      name,
      args,
      transient: Object.fromEntries(transient.map(([key, value]) => [key, JSON.stringify(value)])),
      mspId: call.mspId ?? mspId(member),
      certificate: call.certificate ?? this.certificates.get(member) ?? '',
      txId: random(),
      timestampMs: this.clockMs + shiftMs,
      channel: 'health',
    };
  }

  /** Applies what was endorsed, unless what it read has changed since. */
  commit({ rwset }: Outcome): 'VALID' | 'MVCC_READ_CONFLICT' {
    const isStale = rwset.reads.some(({ place, key, version }) => this.store.get(place)?.get(key)?.version !== version);
    if (isStale) return 'MVCC_READ_CONFLICT';
    this.version += 1;
    for (const [place, writes] of rwset.writes) {
      const cells = this.store.get(place) ?? new Map<string, { value: Buffer; version: number }>();
      this.store.set(place, cells);
      for (const [key, value] of writes) {
        if (value === undefined) cells.delete(key);
        else cells.set(key, { value, version: this.version });
      }
    }
    return 'VALID';
  }

  /** Lets the time come past an instant, ms since 1970, and so far that it is anybody's turn to tick. */
  comePast(instant: number): Promise<void> {
    return this.pass(Math.max(instant - this.clockMs, 0) + TICK_STALE_MS, 'stmary');
  }

  /** Lets the time pass and the next member tick. */
  async pass(ms: number, ticker: string): Promise<void> {
    this.clockMs += ms;
    await this.submit(ticker, 'clock:tick');
  }
}

/** Argument of registry:approve. */
export function approval(entry: object): Call {
  return { args: [JSON.stringify(entry)] };
}

/** The founding consortium. */
export function consortiumEntry(names: readonly string[] = members) {
  return { kind: 'consortium', members: names.map((name) => ({ name, mspId: mspId(name) })) };
}

/** A key of the form that the registry takes, each member's another; nobody signs with it. */
const someKey = (name: string) => {
  const [x, y] = ['x', 'y'].map((axis) => hash('sha256', `${name}/${axis}`, 'base64url'));
  return { kty: 'EC', crv: 'P-256', x, y, kid: `key-of-${name}` };
};

/** A member's first entry. */
export function memberEntry(name: string, key: object = someKey(name)) {
  return {
    kind: 'member',
    name,
    mspId: mspId(name),
    roles: roles[name] ?? ['hospital'],
    gcp: [],
    premises: [],
    gatewayUrl: `https://${name}.example`,
    doorUrl: `https://${name}.example:8201`,
    keys: [key],
    doorRoots: [],
  };
}

/** A certificate of a gateway, or with other units. */
export async function gatewayCertificate(member: string, units: readonly string[] = ['gateway']): Promise<string> {
  const authority = await Authority.create({ organisation: member, name: `ca.${member}` });
  const issued = await authority.identity({ organisation: member, name: 'gateway0', units }, 'client');
  return issued.certificate;
}

function isMemberOf(member: string, collection: string): boolean {
  if (collection === 'care') return (roles[member] ?? []).some((role) => ['hospital', 'witness'].includes(role));
  if (collection === 'care-keys') return roles[member]?.includes('hospital') === true;
  return collection === `of-${member}`;
}

/** Of private writes a block holds hashes alone; keys of public ones, values, events, arguments lie in it in clear. */
function visible(name: string, args: readonly string[], payload: string, message: string, rwset: ReadWriteSet): string {
  const open = [...(rwset.writes.get('') ?? [])].map(([key, value]) => `${key}=${value?.toString('utf8') ?? ''}`);
  const event = rwset.event ? `${rwset.event.name} ${rwset.event.payload.toString('utf8')}` : '';
  return [name, ...args, payload, message, event, ...open].join('\n');
}
