import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { Refusal } from '@salus/gateway/ledger/refusal';
import type { Actor } from '@salus/gateway/ports';

import { type Answer, networkOfSuite } from '../support/network.js';
import { SharingWorld } from '../support/sharing-world.js';
import { condition, glucose, laboratoryForNorthside, patient, resourcesOf } from './people.js';

/** A transaction as `/ledger/blocks/N` shows it to a program. */
interface Transaction {
  readonly txId: string;
  readonly transaction: string;
  readonly code: number;
  readonly creator: { readonly mspId: string };
  readonly endorsers: readonly { readonly mspId: string; readonly verified: boolean }[];
  readonly writes: readonly { readonly collection?: string }[];
}

/** All that can be told from a question. */
interface Trace {
  readonly status: number;
  readonly text: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly chain: readonly object[];
}

describe('before a record leaves for another hospital', () => {
  const network = networkOfSuite();
  let requester: string;
  /** Permits laboratory results, and permits nothing. */
  let open: string;
  let closed: string;
  /** Permits laboratory results, and has two. */
  let long: string;
  /** Block of the last of it. */
  let newest = '0';

  before(async () => {
    const physician = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    requester = await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' });
    const made = async (body: object): Promise<string> => {
      const { resourceType } = body as { resourceType: string };
      const answer = await network.ask('stmary', resourceType, { token: physician, body });
      assert.equal(answer.status, 201, answer.text);
      newest = answer.headers.get('x-block') ?? newest;
      return String(answer.body.id);
    };
    open = await made(patient);
    closed = await made(patient);
    long = await made(patient);
    await made(glucose(long, 71.5));
    for (const id of [open, closed, long]) {
      await made(glucose(id, 95.1));
      await made(condition(id));
    }
    await made(laboratoryForNorthside(open));
    await made(laboratoryForNorthside(long));
  });

  const ask = (path: string): Promise<Answer> =>
    network.ask('northside', path, { token: requester, headers: { 'x-min-block': newest } });
  const height = async (): Promise<number> =>
    (JSON.parse((await network.ask('northside', '/ledger')).text) as { height: number }).height;

  /** What was ordered from a block on by the requester and the custodian, in the chain's order. */
  async function orderedFrom(first: number): Promise<Transaction[]> {
    const found: Transaction[] = [];
    for (let number = first; number < (await height()); number += 1) {
      const answer = await network.ask('northside', `/ledger/blocks/${number}`);
      found.push(...(JSON.parse(answer.text) as { transactions: Transaction[] }).transactions);
    }
    // Clocks tick and read logs are anchored by the time, whoever asks what.
    return found.filter(({ transaction }) => !['clock:tick', 'access:anchor'].includes(transaction));
  }

  it('its access record is committed, endorsed by two members, and what was given is ordered after it', async () => {
    // The requester's gateway may not have seen the last of the consents yet.
    const before = Math.max(await height(), Number(newest) + 1);
    assert.equal(resourcesOf((await ask(`Observation?patient=${open}`)).body).length, 1);
    const ordered = await settled(before, 2);
    assert.deepEqual(
      ordered.map(({ transaction, code, creator }) => [transaction, code, creator.mspId]),
      [
        ['access:request', 0, 'NorthsideMSP'],
        ['access:disclose', 0, 'StmaryMSP'],
      ],
    );
    const endorsers = ordered[0]?.endorsers.filter(({ verified }) => verified).map(({ mspId }) => mspId) ?? [];
    assert.ok(new Set(endorsers).size >= 2, `endorsed by ${endorsers.join(' ')}`);
  });

  it('a further page is given under the access of the first, and what was given is ordered, too', async () => {
    const before = await height();
    const first = await ask(`Observation?patient=${long}&_count=1`);
    const links = first.body['link'] as readonly { readonly relation: string; readonly url: string }[];
    const { pathname, search } = new URL(links.find(({ relation }) => relation === 'next')?.url ?? '');
    await settled(before, 2);
    const second = await ask(pathname + search);
    const values = [first, second].flatMap(({ body }) => resourcesOf(body).map(({ valueQuantity }) => valueQuantity));
    assert.equal(new Set(values.map((each) => JSON.stringify(each))).size, 2, second.text);
    assert.deepEqual(
      (await settled(before, 3)).map(({ transaction, code }) => [transaction, code]),
      [
        ['access:request', 0],
        ['access:disclose', 0],
        ['access:disclose', 0],
      ],
    );
  });

  /** The custodian's door anchors what it gave when it has given it. */
  async function settled(first: number, count: number): Promise<Transaction[]> {
    for (;;) {
      const ordered = await orderedFrom(first);
      if (ordered.length >= count) return ordered;
      await network.ask('northside', '/livez');
    }
  }

  const questions = (id: string): string[] => [
    `Patient/${id}`,
    `Patient/${id}/$everything`,
    `Observation?patient=${id}`,
    `Observation?patient=${id}&_summary=count`,
    `Condition?patient=${id}&_include=*`,
    `Patient?_id=${id}`,
  ];

  it('a patient who permits nothing looks as one who does not exist: answer, headers, and the chain', async () => {
    const stranger = randomUUID();
    for (const [index, path] of questions(closed).entries()) {
      const [known, unknown] = [await trace(path, closed), await trace(questions(stranger)[index] ?? '', stranger)];
      assert.deepEqual(known, unknown, path);
      if (path.startsWith('Patient/')) assert.equal(known.chain.length, 1, 'recorded, though nothing was shown');
    }
  }).timeout(240_000);

  /** All that can be told from a question: at the requester, and on the chain. */
  async function trace(path: string, id: string): Promise<Trace> {
    const before = await height();
    const answer = await ask(path);
    const text = answer.text.replaceAll(id, '<id>').replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>');
    const own = new Set(['x-request-id', 'date']);
    const headers = [...answer.headers].filter(([name]) => !own.has(name));
    const chain = (await orderedFrom(before)).map(({ transaction, code, creator, endorsers, writes }) => ({
      ...{ transaction, code, creator: creator.mspId, endorsements: endorsers.length },
      writes: writes.map(({ collection }) => collection),
    }));
    return { status: answer.status, text: text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<uuid>'), headers, chain };
  }

  it('the ledger must answer: while it stands still nothing leaves, and afterwards it does again', async () => {
    const local = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    network.standStill(true);
    try {
      const answers = await Promise.all(questions(open).map(ask));
      for (const answer of answers) {
        assert.equal(answer.status, 503, answer.text);
        assert.equal(answer.body.resourceType, 'OperationOutcome');
        assert.doesNotMatch(answer.text, /CANARY|2339-0|95\.1/);
      }
      const own = await network.ask('stmary', `Observation?patient=${open}`, { token: local });
      assert.equal(own.status, 200, 'the custodian itself reads on: its log is its own');
    } finally {
      network.standStill(false);
    }
    let again = await ask(`Observation?patient=${open}`);
    while (again.status === 503) again = await ask(`Observation?patient=${open}`);
    assert.equal(resourcesOf(again.body).length, 1, again.text);
  }).timeout(240_000);
});

describe('a door of another hospital', () => {
  let world: SharingWorld;
  const events: string[] = [];
  const scopes = ['user/*.cruds'];
  const baker: Actor = { member: 'northside', user: 'baker', role: 'physician', purpose: 'TREAT', scopes };
  const adams: Actor = { ...baker, member: 'stmary', user: 'adams' };
  const request = (actor: Actor, path: string, more: object = {}) => ({
    ...{ method: 'GET', path, query: new URLSearchParams(), headers: {}, actor },
    ...more,
  });

  before(async () => {
    world = await SharingWorld.open();
    for (const type of ['Patient', 'Observation']) {
      const subject = type === 'Patient' ? {} : { subject: { reference: 'Patient/ann' } };
      const text = JSON.stringify({ resourceType: type, id: type === 'Patient' ? 'ann' : 'o', ...subject });
      const write = { type, id: type === 'Patient' ? 'ann' : 'o', expect: 0, text, patient: 'ann' };
      await world.stmary.sharing.writer.write(adams, [write]);
    }
    const body = JSON.stringify(laboratoryForNorthside('ann'));
    const proceed = (): never => assert.fail('the domain answers itself');
    const consent = request(adams, 'Consent', { method: 'POST', body });
    const made = await world.stmary.sharing.handlers.Consent?.(consent, 'create', proceed);
    assert.equal(made?.status, 201);
    world.stmary.server?.prependListener('request', () => {
      events.push('door asked');
    });
  });

  after(async () => {
    await world.close();
  });

  const read = () => {
    const query = new URLSearchParams({ patient: 'ann' });
    return world.northside.sharing.remote.search(request(baker, 'Observation', { query }), ['Observation'], 'ann');
  };

  it('is asked once the access record is ordered, and looks at no record before it is committed', async () => {
    const { decision } = world.stmary.sharing;
    const disclosing = decision.disclosing.bind(decision);
    decision.disclosing = (...framed) => {
      events.push('record looked at');
      return disclosing(...framed);
    };
    world.committing = async (name) => {
      if (name !== 'access:request') return;
      events.push('ordered');
      while (!events.includes('door asked')) await sleep(5);
      await sleep(100);
      events.push('committed');
    };
    await read();
    world.committing = () => Promise.resolve();
    assert.deepEqual(events.splice(0), ['ordered', 'door asked', 'committed', 'record looked at']);
  });

  it('is not asked at all when the record cannot be ordered', async () => {
    const submit = world.submit.bind(world);
    world.submit = (member, name, call) =>
      name === 'access:request'
        ? Promise.reject(new Refusal('unavailable', 'ledger-unreachable', 'nobody answers'))
        : submit(member, name, call);
    await assert.rejects(read(), { category: 'unavailable' });
    assert.deepEqual(events, []);
    world.submit = submit;
  });
});
