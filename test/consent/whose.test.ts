import { strict as assert } from 'node:assert';

import { glucose, patient, resourcesOf } from '../story/people.js';
import { networkOfSuite } from '../support/network.js';
import { bySomebodyElse, coded, glucoseOf, outside, to } from './about.js';
import { Desk } from './desk.js';

describe('whose data a resource is, over HTTP', () => {
  const network = networkOfSuite();
  const { ask, made, consented } = new Desk(network);

  async function erased(of: string): Promise<void> {
    const body = {
      resourceType: 'Parameters',
      parameter: [
        { name: 'basis', valueCode: 'unlawful-processing' },
        { name: 'reason', valueString: 'entered for the wrong person' },
      ],
    };
    for (const user of ['officer-a', 'officer-b']) {
      const token = await network.token({ member: 'stmary', user, role: 'privacy-officer' });
      const answer = await network.ask('stmary', `${of}/$erase`, { token, body });
      assert.ok(answer.status < 300, answer.text);
    }
  }

  const denialOf = (user: string): object => ({
    type: 'deny',
    actor: [{ role: coded('IRCP'), reference: { identifier: { system: 'urn:salus:user', value: user } } }],
  });

  /** Names of what is asked one by one and shown. */
  async function shown(user: string, names: readonly string[]): Promise<string[]> {
    const seen: string[] = [];
    for (const name of names) if ((await ask(user, name)).status === 200) seen.push(name);
    return seen;
  }

  it('counts nothing that a policy without a rule of its own denies to the person it names', async () => {
    const a = await made(patient);
    const name = await made(glucoseOf(a, 80));
    const count = `Observation?_id=${name.slice('Observation/'.length)}&value-quantity=gt5&_summary=count`;
    assert.equal((await ask('dr-counting', count)).body.total, 1);
    const { actor } = denialOf('dr-counting') as { actor: object[] };
    await consented(a, { actor });
    assert.equal((await ask('dr-counting', name)).status, 404);
    assert.equal((await ask('dr-counting', count)).body.total, 0);
    assert.equal((await ask('dr-desk', count)).body.total, 1);
  });

  it('is the subject, not who wrote, did or sent it, who denies, and whose record it is part of', async () => {
    const [a, m] = [await made(patient), await made(patient)];
    await consented(a, denialOf('dr-a-denied'));
    await consented(m, denialOf('dr-m-denied'));
    const names: string[] = [];
    for (const each of bySomebodyElse(a, m)) names.push(await made(each));
    assert.deepEqual(await shown('dr-a-denied', names), []);
    assert.deepEqual(await shown('dr-m-denied', names), names);
    const everything = resourcesOf((await ask('dr-desk', `${a}/$everything?_count=100`)).body);
    const inRecord = everything.map(({ resourceType, id }) => `${resourceType ?? ''}/${id ?? ''}`);
    assert.deepEqual(
      names.filter((name) => !inRecord.includes(name)),
      [],
    );
  });

  it('is everybody whom it is about', async () => {
    const [a, b] = [await made(patient), await made(patient)];
    const account = await made({ resourceType: 'Account', status: 'active', subject: [to(a), to(b)] });
    const visit = await made({
      ...{ resourceType: 'Appointment', status: 'booked', start: '2026-02-01T08:00:00Z', end: '2026-02-01T09:00:00Z' },
      participant: [a, b].map((each) => ({ actor: to(each), status: 'accepted' })),
    });
    assert.deepEqual(await shown('dr-b-denied', [account, visit]), [account, visit]);
    await consented(b, denialOf('dr-b-denied'));
    assert.deepEqual(await shown('dr-b-denied', [account, visit]), []);
    assert.deepEqual(await shown('dr-desk', [account, visit]), [account, visit]);
    for (const type of ['Account', 'Appointment']) {
      const { body } = await ask('dr-b-denied', `${type}?_summary=count`);
      assert.equal(body.total, 0, type);
    }
  });

  it('is everybody whom what it is about is about', async () => {
    const [a, b] = [await made(patient), await made(patient)];
    const account = await made({ resourceType: 'Account', status: 'active', subject: [to(a), to(b)] });
    const [ofA, ofB] = [await made(glucoseOf(a, 86)), await made(glucoseOf(b, 87))];
    const names: string[] = [];
    for (const target of [[to(account)], [to(ofA), to(ofB)]]) {
      names.push(
        await made({
          ...{ resourceType: 'Provenance', target, recorded: '2026-01-10T08:30:00Z' },
          agent: [{ who: to(a) }],
        }),
      );
    }
    assert.deepEqual(await shown('dr-second', names), names);
    await consented(b, denialOf('dr-second'));
    assert.deepEqual(await shown('dr-second', [...names, account, ofB]), []);
    assert.deepEqual(await shown('dr-second', [ofA]), [ofA]);
    assert.deepEqual(await shown('dr-desk', names), names);
  });

  it('is nobody any more, and shown to nobody, where the one it was about is erased', async () => {
    const a = await made(patient);
    const id = `late-${a.slice(-20)}`;
    const early = await made({
      ...{ resourceType: 'Provenance', target: [to(`Observation/${id}`)], recorded: '2026-01-10T08:30:00Z' },
      agent: [{ who: to('Practitioner/dr-adams') }],
    });
    assert.deepEqual(await shown('dr-desk', [early]), [early]);
    const answer = await ask('dr-desk', `Observation/${id}`, { method: 'PUT', body: { ...glucoseOf(a, 88), id } });
    assert.equal(answer.status, 201, answer.text);
    assert.deepEqual(await shown('dr-desk', [early]), [early]);
    await erased(a);
    assert.deepEqual(await shown('dr-desk', [early]), []);
  });

  it('is decided for what R4 puts in no compartment, and such data lies in the record', async () => {
    const a = await made(patient);
    await consented(a, denialOf('dr-outside'));
    const observation = await made(glucoseOf(a, 82));
    const names: string[] = [];
    for (const each of outside(a, observation)) names.push(await made(each));
    assert.deepEqual(await shown('dr-outside', names), []);
    assert.deepEqual(await shown('dr-desk', names), names);
    const everything = resourcesOf((await ask('dr-desk', `${a}/$everything?_count=100`)).body);
    const inRecord = everything.map(({ resourceType, id }) => `${resourceType ?? ''}/${id ?? ''}`);
    assert.deepEqual(
      names.filter((name) => !inRecord.includes(name)),
      [],
    );
  });

  it('is by role alone of a Bundle that names nobody of here, and of whoever may see all that it holds', async () => {
    const urn = 'urn:uuid:5d1a8f0c-0f6c-4c56-9a0f-1a3f9d2f6b11';
    const resource = { ...patient, id: undefined };
    const collected = (...entry: object[]): object => ({ resourceType: 'Bundle', type: 'collection', entry });
    const plain = [
      collected({ resource: { resourceType: 'Organization', name: 'Lab' } }),
      collected({ resource: glucoseOf('Device/pump', 84) }),
      collected({ resource: { ...glucose('x', 84), subject: { display: 'a sample' } } }),
      collected({ resource }),
      collected({ fullUrl: urn, resource }, { resource: glucoseOf(urn, 84) }),
    ];
    const letter = {
      ...{ resourceType: 'DocumentReference', status: 'current', subject: to(urn) },
      content: [{ attachment: { title: 'letter' } }],
    };
    const noted = await made(collected({ fullUrl: urn, resource }, { resource: letter }));
    const names: string[] = [];
    for (const each of plain) names.push(await made(each));
    assert.deepEqual(await shown('dr-desk', [...names, noted]), [...names, noted]);
    const seen: number[] = [];
    for (const name of [...names, noted]) {
      const headers = { 'x-purpose-of-use': 'HPAYMT' };
      seen.push((await ask('biller-bundle', name, { role: 'biller', headers })).status);
    }
    assert.deepEqual(seen, [...names.map(() => 200), 404]);
  });

  it('is erased with the record of the one it is about, and not with that of another', async () => {
    const [a, m] = [await made(patient), await made(patient)];
    const observation = await made(glucoseOf(a, 85));
    const names: string[] = [];
    for (const each of [...bySomebodyElse(a, m), ...outside(a, observation)]) names.push(await made(each));
    await erased(m);
    assert.deepEqual(await shown('dr-desk', names), names);
    await erased(a);
    assert.deepEqual(await shown('dr-desk', names), []);
  });

  it('is found through what a transaction writes beside it', async () => {
    const a = await made(patient);
    await consented(a, denialOf('dr-beside'));
    const [device, metric] = [
      'urn:uuid:8d1a8f0c-0f6c-4c56-9a0f-1a3f9d2f6b12',
      'urn:uuid:9d1a8f0c-0f6c-4c56-9a0f-1a3f9d2f6b13',
    ];
    const answer = await ask('dr-desk', '', {
      body: {
        resourceType: 'Bundle',
        type: 'transaction',
        entry: [
          {
            fullUrl: metric,
            request: { method: 'POST', url: 'DeviceMetric' },
            resource: { resourceType: 'DeviceMetric', type: coded('t'), category: 'measurement', source: to(device) },
          },
          {
            fullUrl: device,
            request: { method: 'POST', url: 'Device' },
            resource: { resourceType: 'Device', patient: to(a) },
          },
        ],
      },
    });
    assert.equal(answer.status, 200, answer.text);
    const names = (answer.body.entry ?? []).map(({ response }) => {
      const { location = '' } = response as { location?: string };
      return /(Device(?:Metric)?\/[^/]+)\/_history/.exec(location)?.[1] ?? '';
    });
    assert.deepEqual(await shown('dr-desk', names), names);
    assert.deepEqual(await shown('dr-beside', names), []);
  });

  it('is remembered by a deletion, and by the versions before it', async () => {
    const a = await made(patient);
    const code = [{ coding: [{ system: 'http://loinc.org', code: '2339-0' }] }];
    await consented(a, { ...denialOf('dr-forgetful'), code });
    const name = await made(glucoseOf(a, 83));
    assert.deepEqual(await shown('dr-forgetful', [name, `${name}/_history`]), []);
    const gone = await ask('dr-desk', name, { method: 'DELETE' });
    assert.equal(gone.status, 204, gone.text);
    assert.equal((await ask('dr-desk', name)).status, 410);
    assert.equal((await ask('dr-forgetful', name)).status, 404);
    assert.equal((await ask('dr-forgetful', `${name}/_history`)).status, 404);
    assert.equal((await ask('dr-forgetful', name, { method: 'DELETE' })).headers.get('etag'), null);
    assert.ok(!(await ask('dr-forgetful', 'Observation/_history?_count=100')).text.includes(name));
  });
});
