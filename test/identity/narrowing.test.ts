import { strict as assert } from 'node:assert';

import { isWithin, scopesAllow, scopesCover, scopesReachAll } from '@salus/gateway/identity/scopes';
import { addApp } from '@salus/gateway/commands/app';
import { addPerson } from '@salus/gateway/commands/user';

import { patient, treatmentByNorthside } from '../story/people.js';
import { networkOfSuite, type Answer } from '../support/network.js';
import { authorizationRequest, discover, exchange, REDIRECT, sentBack, signIn } from '../support/smart-app.js';

const SYSTEM = 'http://terminology.hl7.org/CodeSystem/observation-category';
const LABORATORY = `category=${SYSTEM}|laboratory`;

const observation = (category: string, subject: string, more: object = {}) => ({
  resourceType: 'Observation',
  status: 'final',
  category: [{ coding: [{ system: SYSTEM, code: category }] }],
  code: { coding: [{ system: 'http://loinc.org', code: '2339-0' }] },
  subject: { reference: `Patient/${subject}` },
  ...more,
});

describe('a scope narrowed by a search', () => {
  const lab = observation('laboratory', 'ann');
  const vital = observation('vital-signs', 'ann');
  const covers = (scope: string, resource: object, type = 'Observation') =>
    scopesCover({ scopes: [scope] }, type, 'r', 'ann', () => resource as never);

  it('covers what the search would find', () => {
    const matches = [
      LABORATORY,
      'category=laboratory',
      'category=vital-signs,laboratory',
      `category=${SYSTEM}|`,
      'category=laboratory&code=http://loinc.org|2339-0',
      'status=final',
    ];
    for (const query of matches) assert.ok(covers(`user/Observation.rs?${query}`, lab), query);
    const misses = [
      'category=vital-signs',
      'category=|laboratory',
      'category=laboratory&status=amended',
      'category=http://other|laboratory',
    ];
    for (const query of misses) assert.ok(!covers(`user/Observation.rs?${query}`, lab), query);
    assert.ok(!covers(`user/Observation.rs?${LABORATORY}`, vital));
    assert.ok(covers(`user/*.rs?${LABORATORY}`, lab));
  });

  it('grants nothing where the search cannot be kept to', () => {
    const nothing = [
      '?',
      '?date=2020',
      '?category:in=http://x',
      '?nonsense=x',
      '?patient.name=x',
      '?_id=x',
      `?${LABORATORY}&date=2020`,
    ];
    for (const query of nothing) assert.ok(!covers(`user/Observation.rs${query}`, lab), query);
    for (const type of ['AuditEvent', 'Patient', 'Consent', 'ResearchStudy']) {
      const scope = `user/${type}.rs?${type === 'AuditEvent' ? 'type=rest' : 'status=active'}`;
      assert.ok(!scopesAllow({ scopes: [scope] }, type, 'r'), type);
    }
  });

  it('never reaches all, nor what has no content, and widens into nothing', () => {
    const bearer = { scopes: [`user/Observation.rs?${LABORATORY}`] };
    assert.ok(scopesAllow(bearer, 'Observation', 's'));
    assert.ok(!scopesReachAll(bearer, 'Observation', 's'));
    assert.ok(!scopesCover(bearer, 'Observation', 'r', 'ann'));
    assert.ok(!scopesCover(bearer, 'Observation', 'r', 'ann', () => undefined));
    assert.ok(isWithin(`patient/Observation.r?${LABORATORY}`, ['patient/Observation.rs']));
    assert.ok(!isWithin('patient/Observation.r', [`patient/Observation.rs?${LABORATORY}`]));
    assert.ok(!isWithin('system/Observation.r', ['user/*.cruds']));
  });

  describe('at a gateway', () => {
    const network = networkOfSuite();
    let [ann, first, second, narrow, wide] = ['', '', '', '', ''];
    const asked = async (path: string, options = {}) =>
      await network.ask('stmary', path, { token: narrow, ...options });
    const idsOf = (body: { entry?: readonly { resource?: { id?: string; resourceType?: string } }[] }) =>
      (body.entry ?? [])
        .filter(({ resource }) => resource?.resourceType === 'Observation')
        .map(({ resource }) => resource?.id);

    before(async () => {
      const staff = { member: 'stmary', user: 'dr-adams', role: 'physician' };
      wide = await network.token(staff);
      const create = async (body: { readonly resourceType: string }) =>
        String((await network.ask('stmary', body.resourceType, { token: wide, body })).body.id);
      ann = await create(patient);
      [first, second] = [await create(observation('laboratory', ann)), await create(observation('vital-signs', ann))];
      const password = await addPerson(network.stateDir, staff);
      addApp(network.stateDir, 'stmary', { id: 'chart', name: 'Chart', redirectUris: [REDIRECT] });
      const fhir = network.fhir('stmary');
      const endpoints = await discover(fhir);
      const scope = `launch/patient patient/Observation.cruds?${LABORATORY} patient/Patient.rs`;
      const request = authorizationRequest(endpoints, fhir, { scope });
      const back = await signIn(request, { user: 'dr-adams', password, fields: { patient: ann } });
      const got = await exchange(endpoints, sentBack(back.url).get('code') ?? '', request.verifier);
      assert.equal(got.body.scope, scope);
      narrow = got.body.access_token;
    });

    it('shows what is within it, by every way to read', async () => {
      assert.deepEqual(
        [(await asked(`Observation/${first}`)).status, (await asked(`Observation/${second}`)).status],
        [200, 404],
      );
      const ways = [
        `Observation?patient=${ann}`,
        `Observation?patient=${ann}&_total=accurate`,
        `Patient/${ann}/Observation`,
        `Patient/${ann}/$everything`,
        `Observation/_history`,
        `Patient?_id=${ann}&_revinclude=Observation:subject`,
        `?_type=Observation&patient=${ann}`,
      ];
      for (const way of ways) {
        const { status, body } = await asked(way);
        assert.deepEqual([status, idsOf(body)], [200, [first]], way);
        assert.deepEqual(
          idsOf((await network.ask('stmary', way, { token: wide })).body).toSorted(),
          [first, second].sort(),
          `${way} by everybody`,
        );
      }
      assert.equal((await asked(`Observation?patient=${ann}&_summary=count`)).body.total, 1);
    });

    it('asks another hospital for what is within it alone: no page is left empty', async () => {
      const own = await network.token({ member: 'stmary', user: 'pat', role: 'patient', patient: ann });
      const given = await network.ask('stmary', 'Consent', { token: own, body: treatmentByNorthside(ann, {}) });
      const headers = { 'x-min-block': given.headers.get('x-block') ?? '' };
      const pages = async (scope?: string): Promise<(string | undefined)[][]> => {
        const baker = { member: 'northside', user: 'dr-baker', role: 'physician', scope };
        const token = await network.token(baker);
        const found: (string | undefined)[][] = [];
        let path: string | undefined = `Observation?patient=${ann}&_count=1&_sort=-_lastUpdated`;
        while (path !== undefined) {
          const { status, body, text }: Answer = await network.ask('northside', path, { token, headers });
          assert.equal(status, 200, text);
          found.push(idsOf(body));
          const links = body.link as readonly { relation: string; url: string }[];
          path = links.find(({ relation }) => relation === 'next')?.url.split('/fhir/R4/')[1];
        }
        return found;
      };
      assert.deepEqual(await pages(), [[second], [first]]);
      assert.deepEqual(await pages(`user/Observation.rs?${LABORATORY} user/Patient.rs`), [[first]]);
    });

    it('takes what is within it, and no change into it or out of it', async () => {
      assert.equal((await asked('Observation', { body: observation('laboratory', ann) })).status, 201);
      assert.equal((await asked('Observation', { body: observation('vital-signs', ann) })).status, 403);
      const put = async (id: string, category: string) =>
        (
          await asked(`Observation/${id}`, {
            method: 'PUT',
            body: observation(category, ann, { id, note: [{ text: category }] }),
          })
        ).status;
      assert.deepEqual(
        [await put(first, 'laboratory'), await put(first, 'vital-signs'), await put(second, 'laboratory')],
        [200, 403, 409],
      );
      await asked(`Observation/${second}`, { method: 'DELETE' });
      assert.equal(
        (await network.ask('stmary', `Observation/${second}`, { token: wide })).status,
        200,
        'it is still there',
      );
      assert.equal((await asked(`Observation/${first}`, { method: 'DELETE' })).status, 403);
    });
  });
});
