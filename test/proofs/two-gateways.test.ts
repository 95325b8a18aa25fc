import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { developmentIssuer, fhirBase } from '@salus/gateway/identity/issuer';
import { readSigningKey } from '@salus/gateway/identity/keys';
import { signToken } from '@salus/gateway/identity/tokens';
import type { GatewaySettings } from '@salus/gateway/settings';

import { campaign } from '../support/campaigns.js';
import { type FhirBody, networkOfSuite } from '../support/network.js';
import { laboratoryForNorthside, patient, resourcesOf } from '../story/people.js';

const CLIENTS = 50;
const race = campaign('race');
const ROUNDS = race.size({ slice: 6, full: 1_000 });

/** Updates that meet another one, each a little later in its course. */
const STAGGERED = 16;

interface Answered {
  readonly status: number;
  readonly body: FhirBody;
}

/** Where a transaction's answer says that its entries are. */
function idsOf({ body }: Answered): string[] {
  return (body.entry ?? []).map(
    ({ response }) => (response as { location?: string }).location?.replace(/^.*R4/, '') ?? '',
  );
}

describe('two gateways of one member', () => {
  const network = networkOfSuite({ overrides: { gateways: { stmary: 2 } } });
  let gateways: readonly GatewaySettings[];
  /** Of the staff, at each gateway: each has a development issuer of its own. */
  let tokens: readonly string[];

  before(async () => {
    gateways = ['gateway0', 'gateway1'].map((gateway) => {
      const file = join(network.stateDir, 'members', 'stmary', 'gateways', gateway, 'settings.json');
      return JSON.parse(readFileSync(file, 'utf8')) as GatewaySettings;
    });
    tokens = await tokensOf('dr-adams', 'physician');
  });

  const tokensOf = (subject: string, role: string): Promise<string[]> =>
    Promise.all(
      gateways.map(async ({ member, baseUrl, jwk }) => {
        const claims = { issuer: developmentIssuer(baseUrl), audience: fhirBase(baseUrl), subject, member, role };
        return await signToken({ ...claims, scope: 'user/*.cruds', purposes: [] }, readSigningKey(jwk), Date.now());
      }),
    );
  const url = (gateway: number, path: string): string => `${fhirBase(gateways[gateway % 2]?.baseUrl ?? '')}${path}`;
  const bearer = (gateway: number): string => `Bearer ${tokens[gateway % 2] ?? ''}`;

  async function ask(
    gateway: number,
    path: string,
    body?: object,
    { method = 'POST', ...more }: Record<string, string> = {},
  ) {
    const headers = { authorization: bearer(gateway), 'content-type': 'application/fhir+json', ...more };
    const asked = body === undefined ? { headers } : { headers, method, body: JSON.stringify(body) };
    const response = await fetch(url(gateway, path), asked);
    const answered: Answered = { status: response.status, body: (await response.json()) as FhirBody };
    return { ...answered, block: response.headers.get('x-block') ?? '0', etag: response.headers.get('etag') };
  }

  const identified = (value: string): object => ({ ...patient, identifier: [{ system: 'urn:race', value }] });

  it(`make one resource of ${CLIENTS} conditional creates at once`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const headers = { 'if-none-exist': `identifier=urn:race|${round}` };
      const answers = await Promise.all(
        Array.from({ length: CLIENTS }, (_, client) => ask(client, '/Patient', identified(String(round)), headers)),
      );
      const created = answers.filter(({ status }) => status === 201);
      assert.deepEqual(
        [created.length, answers.filter(({ status }) => status === 200).length],
        [1, CLIENTS - 1],
        `round ${round}, seed ${race.seed}`,
      );
      assert.deepEqual(new Set(answers.map(({ body }) => body.id)).size, 1);
      const min = { 'x-min-block': created[0]?.block ?? '' };
      for (const gateway of [0, 1]) {
        assert.equal((await ask(gateway, `/Patient?identifier=urn:race|${round}`, undefined, min)).body.total, 1);
      }
    }
  }).timeout(0);

  it('make one resource of conditional creates in Bundles, and of conditional updates', async () => {
    const entry = {
      resource: identified('bundle'),
      request: { method: 'POST', url: 'Patient', ifNoneExist: 'identifier=urn:race|bundle' },
    };
    const bundle = { resourceType: 'Bundle', type: 'transaction', entry: [entry] };
    const answers = await Promise.all(Array.from({ length: 10 }, (_, client) => ask(client, '', bundle)));
    const statuses = answers.map(({ body }) => body.entry?.[0]?.response?.status);
    assert.deepEqual(statuses.sort(), [...Array<string>(9).fill('200 OK'), '201 Created']);
  });

  it('create again by the same criteria once nothing matches', async () => {
    const headers = { 'if-none-exist': 'identifier=urn:race|again' };
    const first = await ask(0, '/Patient', identified('again'), headers);
    const gone = await fetch(url(1, `/Patient/${first.body.id ?? ''}`), {
      method: 'DELETE',
      headers: { authorization: bearer(1), 'x-min-block': first.block },
    });
    assert.equal(gone.status, 204);
    const min = { 'x-min-block': gone.headers.get('x-block') ?? '' };
    const second = await ask(0, '/Patient', identified('again'), { ...headers, ...min });
    assert.equal(second.status, 201);
    assert.notEqual(second.body.id, first.body.id);
  });

  it('answer a key that the other one has used with what it made', async () => {
    const headers = { 'idempotency-key': 'asked-at-both' };
    const entry = { resource: patient, request: { method: 'POST', url: 'Patient' } };
    const bundle = { resourceType: 'Bundle', type: 'transaction', entry: [entry, entry] };
    const bundled = { 'idempotency-key': 'bundle-asked-at-both' };
    const [first, made] = [await ask(0, '/Patient', patient, headers), await ask(0, '', bundle, bundled)];
    const [second, again] = [await ask(1, '/Patient', patient, headers), await ask(1, '', bundle, bundled)];
    assert.deepEqual([first.status, second.status, second.body.id], [201, 201, first.body.id]);
    assert.deepEqual([made.status, again.status, idsOf(again)], [200, 200, idsOf(made)]);
    assert.equal(new Set(idsOf(made)).size, 2);
  });

  it('answer an update’s key with the version it made, whatever came after', async () => {
    const { body, block } = await ask(0, '/Patient', patient);
    const id = body.id ?? '';
    const put = (gateway: number, gender: string, more: Record<string, string>) =>
      ask(gateway, `/Patient/${id}`, { ...patient, id, gender }, { ...more, method: 'PUT' });
    const first = { 'if-match': 'W/"1"', 'idempotency-key': 'updated-at-both' };
    const updated = await put(0, 'other', { ...first, 'x-min-block': block });
    assert.deepEqual([updated.status, updated.etag], [200, 'W/"2"']);
    const later = await put(0, 'male', { 'if-match': 'W/"2"' });
    assert.deepEqual([later.status, later.etag], [200, 'W/"3"']);
    for (const gateway of [0, 1]) {
      const again = await put(gateway, 'other', { ...first, 'x-min-block': later.block });
      assert.deepEqual([again.status, again.etag], [200, 'W/"2"'], `gateway ${gateway}: ${JSON.stringify(again.body)}`);
    }
  });

  it('answer a transaction’s key with the versions it made, whatever came after', async () => {
    const [kept, ended] = [await ask(0, '/Patient', patient), await ask(0, '/Patient', patient)];
    const url = (body: FhirBody) => `Patient/${body.id ?? ''}`;
    const changes = {
      resourceType: 'Bundle',
      type: 'transaction',
      entry: [
        {
          resource: { ...patient, id: kept.body.id, gender: 'other' },
          request: { method: 'PUT', url: url(kept.body), ifMatch: 'W/"1"' },
        },
        { request: { method: 'DELETE', url: url(ended.body), ifMatch: 'W/"1"' } },
        { resource: patient, request: { method: 'POST', url: 'Patient' } },
      ],
    };
    const send = (gateway: number, block: string) =>
      ask(gateway, '', changes, { 'idempotency-key': 'changed-at-both', 'x-min-block': block });
    const told = ({ body }: Answered) =>
      (body.entry ?? []).map(({ response }) => {
        const { status, etag, location } = response as { status: string; etag?: string; location?: string };
        return [status, etag, location?.replace(/^.*R4/, '')];
      });
    const first = await send(0, ended.block);
    assert.equal(first.status, 200, JSON.stringify(first.body));
    assert.deepEqual(
      told(first).map(([status, etag]) => [status, etag]),
      [
        ['200 OK', 'W/"2"'],
        ['204 No Content', 'W/"2"'],
        ['201 Created', 'W/"1"'],
      ],
    );
    const later = await ask(
      0,
      `/${url(kept.body)}`,
      { ...patient, id: kept.body.id, gender: 'male' },
      { method: 'PUT' },
    );
    assert.equal(later.etag, 'W/"3"');
    for (const gateway of [0, 1]) {
      const again = await send(gateway, later.block);
      assert.equal(again.status, 200, `gateway ${gateway}: ${JSON.stringify(again.body)}`);
      assert.deepEqual(told(again), told(first), `gateway ${gateway}`);
      assert.equal(again.block, first.block);
    }
    // Another request under the key is no retry.
    const other = { ...changes, entry: changes.entry.slice(0, 1) };
    const misused = await ask(0, '', other, { 'idempotency-key': 'changed-at-both' });
    assert.ok(misused.status >= 400 && misused.status < 500, String(misused.status));
  });

  it('make one thing of a key that is asked at both at once', async () => {
    const headers = { 'idempotency-key': 'asked-at-once' };
    const answers = await Promise.all([0, 1, 0, 1].map((gateway) => ask(gateway, '/Patient', patient, headers)));
    const told = new Set(answers.map(({ status, body }) => `${status} ${body.id ?? ''}`));
    assert.equal(told.size, 1, [...told].join());
    assert.match([...told].join(), /^201 ./);
    for (const gateway of [0, 1]) {
      const status = await fetch(url(gateway, '/$write-status/asked-at-once'), {
        headers: { authorization: bearer(gateway) },
      });
      assert.equal(status.status, 200);
      assert.match(await status.text(), /committed/, 'not failed where the ledger said that it was done before');
    }
  });

  it('show the reads at both on the patient’s list', async () => {
    const { body, block } = await ask(0, '/Patient', patient);
    const id = body.id ?? '';
    for (const gateway of [0, 1, 1]) {
      assert.equal((await ask(gateway, `/Patient/${id}`, undefined, { 'x-min-block': block })).status, 200);
    }
    tokens = await tokensOf('o-1', 'privacy-officer');
    const seen: string[] = [];
    let path = `/AuditEvent?patient=${id}&_count=2`;
    while (path !== '') {
      const page = await ask(0, path);
      assert.ok((page.body.entry?.length ?? 0) <= 2);
      seen.push(...(page.body.entry ?? []).map(({ resource }) => String(resource?.id).replace(/-\d+$/, '')));
      const links = page.body['link'] as { relation: string; url: string }[];
      path = links.find(({ relation }) => relation === 'next')?.url.replace(/^.*\/fhir\/R4/, '') ?? '';
    }
    assert.equal(seen.filter((each) => each === 'gateway1').length, 2);
    assert.ok(seen.includes('gateway0'));
  });

  it('never join the text of one update of a consent with what another one at the same time said', async () => {
    tokens = await tokensOf('dr-adams', 'physician');
    const admitted = await ask(0, '/Patient', identified('amending'));
    const text = (word: string) => ({
      status: 'generated',
      div: `<div xmlns="http://www.w3.org/1999/xhtml">${word}</div>`,
    });
    const consent = { ...laboratoryForNorthside(String(admitted.body.id)), text: text('first') };
    const given = await ask(0, '/Consent', consent, { 'x-min-block': admitted.block });
    const path = `/Consent/${given.body.id ?? ''}`;
    let block = given.block;
    let refused = 0;
    for (let round = 0; round < STAGGERED; round += 1) {
      const updates = [0, 1].map(async (gateway) => {
        await sleep(gateway * round * 4);
        const dateTime = new Date(Date.UTC(2026, 0, 1, round, gateway)).toISOString();
        const amended = { ...consent, id: given.body.id, dateTime, text: text(`${round}/${gateway}`) };
        const answer = await ask(gateway, path, amended, { method: 'PUT', 'x-min-block': block });
        return { ...answer, sent: amended.text };
      });
      const answers = await Promise.all(updates);
      const taken = answers.filter(({ status }) => status === 200);
      refused += answers.length - taken.length;
      assert.ok(taken.length > 0, JSON.stringify(answers[0]?.body));
      block = String(Math.max(...taken.map((each) => Number(each.block))));
      for (const { sent, etag } of taken) {
        const version = /\d+/.exec(etag ?? '')?.[0] ?? '';
        const { body } = await ask(1, `${path}/_history/${version}`, undefined, { 'x-min-block': block });
        assert.deepEqual(body['text'], sent, `round ${round}, version ${version}`);
      }
    }
    assert.ok(refused > 0, 'none met another');
  }).timeout(60_000);

  it('give one consent that was asked for at both at once, and again, and never over what was said since', async () => {
    tokens = await tokensOf('dr-adams', 'physician');
    const admitted = await ask(0, '/Patient', identified('consenting'));
    assert.equal(admitted.status, 201, JSON.stringify(admitted.body));
    const patientId = String(admitted.body.id);
    const headers = { 'idempotency-key': 'consented-at-both', 'x-min-block': admitted.block };
    const consent = laboratoryForNorthside(patientId);
    const answers = await Promise.all(Array.from({ length: 8 }, (_, turn) => ask(turn, '/Consent', consent, headers)));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]), JSON.stringify(answers[0]?.body));
    const [first, ...others] = answers.map((answer) => String(answer.body.id));
    assert.deepEqual(new Set(others), new Set([first]));
    const ended = { ...consent, id: first, status: 'inactive' };
    const block = String(Math.max(...answers.map((answer) => Number(answer.block))));
    const withdrawn = await ask(1, `/Consent/${first ?? ''}`, ended, { method: 'PUT', 'x-min-block': block });
    assert.equal(withdrawn.status, 200);
    const again = await ask(0, '/Consent', consent, { ...headers, 'x-min-block': withdrawn.block });
    assert.deepEqual([again.status, again.etag], [201, 'W/"1"']);
    const { body: found } = await ask(1, `/Consent?patient=${patientId}`, undefined, {
      'x-min-block': withdrawn.block,
    });
    assert.deepEqual(
      resourcesOf(found).map(({ status }) => status),
      ['inactive'],
    );
  });
});
