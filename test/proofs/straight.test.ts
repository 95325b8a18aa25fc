import { strict as assert } from 'node:assert';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import { decodeBlock } from '@salus/gateway/ledger/blocks';
import { connectPeer } from '@salus/gateway/ledger/connection';
import { connectLedger, type ConnectedLedger } from '@salus/gateway/ledger/fabric-ledger';
import { heldBy } from '@salus/gateway/ledger/held';
import type { LedgerCall, LedgerWrite } from '@salus/gateway/ports';
import type { GatewaySettings } from '@salus/gateway/settings';

import { condition, glucose, laboratoryForNorthside, patient } from '../story/people.js';
import { campaign } from '../support/campaigns.js';
import { gatewaySettings } from '../support/gateway-settings.js';
import { networkOfSuite } from '../support/network.js';

const straight = campaign('straight');
const random = straight.random();
const CALLS = straight.size({ slice: 120, full: 2_000 });
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;

/** What an attacker is given: every name there is. Only the values are secret. */
interface Names {
  readonly pids: readonly string[];
  readonly aids: readonly string[];
  readonly consentIds: readonly string[];
  readonly quarters: readonly string[];
}

/** A private value as it lies on the ledger, by what can be told from it and is no name. */
interface Secret {
  readonly collection: string;
  readonly marks: readonly string[];
}

describe(`${CALLS} calls straight at peers by every member’s own certificates`, function () {
  this.timeout(3_600_000);
  const network = networkOfSuite();
  const ledgers = new Map<string, ConnectedLedger>();
  const secrets: Secret[] = [];
  let names: Names;
  let newest = 0;

  const members = (): string[] => Object.keys(network.consortium.endpoints.members);

  /** The ledger as one member's certificate finds it at another member's peer. */
  function ledgerAt(peer: string, caller: Caller): ConnectedLedger {
    const name = JSON.stringify([peer, caller]);
    const known = ledgers.get(name) ?? connectLedger(callerAt(peer, caller)[0]);
    ledgers.set(name, known);
    return known;
  }

  /** A member's certificate, and another member's peer. */
  function callerAt(
    peer: string,
    { member, as }: Caller,
  ): readonly [GatewaySettings, GatewaySettings['peers'][number]] {
    const settings = gatewaySettings(network.stateDir, member);
    const identity = as === 'gateway' ? settings.identity : adminOf(network.stateDir, member);
    const { peers } = gatewaySettings(network.stateDir, peer);
    return [{ ...settings, identity, peers }, peers[0]!];
  }

  /** Every private write that a peer gives a caller with its blocks. */
  async function privateWrites(caller: Caller, peer = caller.member): Promise<LedgerWrite[]> {
    const { channel, chaincode } = gatewaySettings(network.stateDir, peer);
    const connection = connectPeer(...callerAt(peer, caller));
    const events = await connection.gateway
      .getNetwork(channel)
      .newBlockAndPrivateDataEventsRequest({ startBlock: 0n })
      .getEvents({ deadline: Date.now() + 60_000 });
    const found: LedgerWrite[] = [];
    try {
      for await (const message of events) {
        const { number, transactions } = decodeBlock(message, chaincode);
        found.push(...transactions.flatMap(({ writes }) => writes));
        if (number >= newest) break;
      }
    } finally {
      events.close();
      connection.close();
    }
    return found.filter(({ collection, value }) => collection !== undefined && value !== undefined);
  }

  before(async function () {
    this.timeout(300_000);
    const adams = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    const baker = await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' });
    const made = async (body: object): Promise<string> => {
      const { resourceType } = body as { resourceType: string };
      const answer = await network.ask('stmary', resourceType, { token: adams, body });
      assert.equal(answer.status, 201, answer.text);
      newest = Number(answer.headers.get('x-block'));
      return String(answer.body.id);
    };
    const id = await made(patient);
    for (const body of [glucose(id, 95.1), condition(id), laboratoryForNorthside(id)]) await made(body);
    const headers = { 'x-min-block': String(newest) };
    assert.equal((await network.ask('northside', `Observation?patient=${id}`, { token: baker, headers })).status, 200);
    newest = (JSON.parse((await network.ask('northside', '/ledger')).text) as { height: number }).height - 1;
    const writes = new Map<string, LedgerWrite>();
    for (const member of ['stmary', 'northside', 'authority']) {
      for (const write of await privateWrites({ member, as: 'gateway' })) writes.set(write.valueHash ?? '', write);
    }
    names = namesIn([...writes.values()]);
    secrets.push(...[...writes.values()].map((write) => secretOf(write, names)));
    assert.ok(secrets.length > 5 && names.pids.length > 0 && names.aids.length > 0, `${secrets.length} secrets`);
  });
  after(() => {
    for (const ledger of ledgers.values()) ledger.close();
  });

  /** Collections whose values a member's gateway may have. */
  const held = ({ member, as }: Caller): ((collection: string) => boolean) => {
    const { roles } = gatewaySettings(network.stateDir, member);
    return as === 'gateway' ? heldBy({ member, roles }) : () => false;
  };

  /** Collections of which something stands in a text, and that the caller may not see. */
  function leaked(text: string, caller: Caller): string[] {
    const may = held(caller);
    const found = secrets.filter(
      ({ collection, marks }) => !may(collection) && marks.some((each) => text.includes(each)),
    );
    return [...new Set(found.map(({ collection }) => collection))];
  }

  async function answer(peer: string, caller: Caller, call: LedgerCall): Promise<string> {
    try {
      return Buffer.from(await ledgerAt(peer, caller).evaluate(call)).toString('utf8');
    } catch (error) {
      return `${String(error)} ${JSON.stringify(error)} ${JSON.stringify((error as Error).cause)}`;
    }
  }

  it('are answered with what is the caller’s to know, and nothing else', async () => {
    const wrong: string[] = [];
    let known = 0;
    for (let n = 0; n < CALLS; n += 1) {
      const caller: Caller = { member: pick(members()), as: random() < 0.8 ? 'gateway' : 'admin' };
      const peer = random() < 0.5 ? caller.member : pick(members());
      const call = pick(questions)(names);
      const text = await answer(peer, caller, call);
      const found = leaked(text, caller);
      if (found.length > 0)
        wrong.push(`${JSON.stringify(caller)} at ${peer}: ${call.transaction} shows ${found.join()}`);
      if (secrets.some(({ marks }) => marks.some((each) => text.includes(each)))) known += 1;
    }
    assert.deepEqual(wrong, [], `seed ${straight.seed}: ${wrong.length} of ${CALLS}`);
    assert.ok(known > 0, 'nobody was shown anything, not even its own');
  });

  it('get of the blocks of any peer the private values of the caller’s own collections alone', async () => {
    const wrong: string[] = [];
    for (const member of members()) {
      for (const peer of ['stmary', 'northside', 'acme']) {
        const caller: Caller = { member, as: 'gateway' };
        const got = await privateWrites(caller, peer).catch(() => []);
        const may = held(caller);
        const foreign = new Set(got.map(({ collection }) => collection!).filter((each) => !may(each)));
        if (foreign.size > 0) wrong.push(`${member} at ${peer}: ${[...foreign].join()}`);
        if (member === peer && member !== 'acme') assert.ok(got.length > 0, `${member} gets nothing of its own`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  it('change nothing that is another member’s', async () => {
    const before = (await privateWrites({ member: 'stmary', as: 'gateway' })).length;
    for (const member of members().filter((each) => each !== 'stmary')) {
      const key = { key: hex(), version: 1, value: { ciphertext: 'AAAA', salt: hex() } };
      const request = { idempotencyKey: hex(), digest: hex(), entries: [key], salt: hex() };
      const call = callOf('ehr:write', request);
      const refused = ledgerAt('stmary', { member, as: 'gateway' }).submit({ ...call, endorsers: ['StmaryMSP'] });
      await assert.rejects(refused, `${member} writes at stmary`);
    }
    assert.equal((await privateWrites({ member: 'stmary', as: 'gateway' })).length, before);
  });
});

/** A member's gateway, or its administrator. */
interface Caller {
  readonly member: string;
  readonly as: 'gateway' | 'admin';
}

const hex = (): string => randomBytes(32).toString('hex');

function callOf(transaction: string, request: object): LedgerCall {
  const actor = { user: 'u-mallory', role: 'admin', purpose: 'HSYSADMIN' };
  const transient = { request: Buffer.from(JSON.stringify(request)), actor: Buffer.from(JSON.stringify(actor)) };
  return { transaction, transient };
}

/** Everything that a contract answers from private values. */
const questions: readonly ((names: Names) => LedgerCall)[] = [
  ({ aids }) => callOf('access:read', { aid: pick(aids) }),
  ({ consentIds }) => callOf('consent:read', { consentId: pick(consentIds), version: 1 }),
  ({ pids }) => callOf('consent:list', { pid: pick(pids) }),
  ({ pids }) => callOf('patient:read', { pid: pick(pids) }),
  ({ quarters }) => callOf('patient:secret', { quarter: pick(quarters) }),
];

function adminOf(stateDir: string, member: string): { readonly cert: string; readonly key: string } {
  const dir = join(stateDir, 'members', member, 'admin', 'msp');
  return { cert: join(dir, 'signcerts', 'cert.pem'), key: join(dir, 'keystore', 'key.pem') };
}

function namesIn(writes: readonly LedgerWrite[]): Names {
  const values = writes.map(({ value }) => JSON.parse(Buffer.from(value!).toString('utf8')) as Record<string, unknown>);
  const all = (name: string): string[] => [
    ...new Set(values.flatMap((each) => (name in each ? [String(each[name])] : []))),
  ];
  return { pids: all('pid'), aids: all('aid'), consentIds: all('consentId'), quarters: all('quarter') };
}

/** Strings in a value that are long enough to be told from chance, and that the attacker was not given. */
function secretOf({ collection, value }: LedgerWrite, names: Names): Secret {
  const given = new Set(Object.values(names as unknown as Record<string, string[]>).flat());
  const marks =
    Buffer.from(value!)
      .toString('utf8')
      .match(/[\w+/=-]{24,}/g) ?? [];
  return { collection: collection!, marks: marks.filter((each) => !given.has(each)) };
}
