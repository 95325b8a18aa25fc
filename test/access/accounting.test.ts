import { strict as assert } from 'node:assert';
import { existsSync } from 'node:fs';

import { FORM_LIMIT, MOST_LINES } from '@salus/gateway/pages/record';
import { chromium, type Browser } from 'playwright-core';

import { type TestNetwork, startNetwork } from '../support/network.js';
import { glucose, laboratoryForNorthside, patient, resourcesOf } from '../story/people.js';
import { broken, type Event } from './balp-rules.js';

describe('what a patient is told of who read the record', () => {
  let network: TestNetwork;
  let physician: string;
  let requester: string;
  let own: string;
  let patientId: string;
  let observation: string;

  const created = async (resource: object, token: string): Promise<string> => {
    const { resourceType } = resource as { resourceType: string };
    const answer = await network.ask('stmary', resourceType, { token, body: resource });
    assert.equal(answer.status, 201, answer.text);
    return String(answer.body.id);
  };
  const listed = async (query: string, token: string): Promise<Event[]> => {
    const list = await network.ask('stmary', `AuditEvent?${query}&_count=1000`, { token });
    assert.equal(list.status, 200, list.text);
    return resourcesOf(list.body);
  };

  before(async () => {
    network = await startNetwork();
    physician = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    requester = await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' });
    patientId = await created(patient, physician);
    own = await network.token({ member: 'stmary', user: 'pat', role: 'patient', patient: patientId });
    observation = await created(glucose(patientId, 95.1), physician);
    await network.ask('northside', `Observation?patient=${patientId}`, { token: requester });
    await created(laboratoryForNorthside(patientId), own);
    for (const path of [
      `Observation?patient=${patientId}`,
      `Observation/${observation}`,
      `Patient/${patientId}/$everything`,
    ]) {
      await network.ask('northside', path, { token: requester });
    }
    const here = [
      `Observation/${observation}`,
      `Patient/${patientId}`,
      `Patient/${patientId}/_history/1`,
      `Patient/${patientId}/_history`,
    ];
    for (const path of [
      ...here,
      `Observation?patient=${patientId}`,
      `Patient/${patientId}/$everything`,
      'Observation',
    ]) {
      await network.ask('stmary', path, { token: physician });
    }
    const body = { ...patient, id: patientId, birthDate: '1971-03-15' };
    await network.ask('stmary', `Patient/${patientId}`, { method: 'PUT', token: physician, body });
    await network.ask('stmary', 'Observation?patient=nobody', { token: physician });
  });

  after(async () => {
    await network.stop();
  });

  it('is AuditEvents in the shapes of BALP, every required element of each', async () => {
    const events = await listed(`patient=${patientId}`, own);
    const claimed = new Set(events.flatMap(({ meta }) => meta?.profile ?? []).map((each) => each.split('.').at(-1)));
    for (const name of ['PatientRead', 'PatientQuery']) assert.ok(claimed.has(name), [...claimed].join());
    assert.deepEqual(
      events.filter(({ outcome }) => outcome === '0').flatMap((event) => broken(event).map((rule) => [rule, event])),
      [],
    );
  });

  it('says of what was denied what BALP says, under no profile, for the profiles are for what succeeded', async () => {
    const denied = (await listed(`patient=${patientId}`, own)).filter(({ outcome }) => outcome !== '0');
    assert.deepEqual(
      denied.map(({ outcome, meta }) => [outcome, meta]),
      [['4', undefined]],
    );
    const as = 'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientQuery';
    assert.deepEqual(broken(denied[0]!, as), []);
  });

  it('names what was read, the version, the search and the consent it was decided on', async () => {
    const text = (await listed(`patient=${patientId}`, own)).map((event) => JSON.stringify(event));
    const says = (...words: string[]): boolean => text.some((each) => words.every((word) => each.includes(word)));
    assert.ok(says('"code":"read"', `"reference":"Observation/${observation}"`, 'stmary/dr-adams'));
    assert.ok(says('"code":"search-type"', 'GET Observation', 'northside/dr-baker', 'Consent/', 'decided by'));
    assert.ok(says('"code":"vread"', `"reference":"Patient/${patientId}/_history/1"`, 'stmary/dr-adams'));
    assert.ok(says('"code":"history-instance"', `"description":"GET Patient/${patientId}/_history"`));
    assert.ok(says('"code":"search-type"', `"query":"${Buffer.from('GET Observation').toString('base64')}"`));
    assert.ok(says('"code":"operation"', `GET Patient/${patientId}/$everything`));
  });

  it('holds for searches that came upon nobody’s record, without a patient', async () => {
    const officer = await network.token({ member: 'stmary', user: 'po-1', role: 'privacy-officer' });
    const events = await listed('patient:missing=true', officer);
    assert.ok(events.length > 0);
    for (const event of events) {
      assert.match(event.meta?.profile?.[0] ?? '', /IHE\.BasicAudit\.Query$/);
      assert.deepEqual(broken(event), []);
    }
  });

  const posted = (fields: Record<string, string>) =>
    network.ask('stmary', '/record', {
      method: 'POST',
      body: new URLSearchParams(fields).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' },
    });
  const rowsOf = (text: string): string[] =>
    text.split('<tbody>')[1]?.split('</tbody>')[0]?.split('<tr>').slice(1) ?? [];

  describe('as a page', () => {
    it('says who, of which organisation, when, why, what and on which consent', async () => {
      const { status, text } = await posted({ token: own, patient: patientId });
      assert.equal(status, 200, text);
      const rows = rowsOf(text);
      const says = (...words: string[]): boolean => rows.some((row) => words.every((word) => row.includes(word)));
      assert.ok(
        says('dr-baker, physician', 'Northside', 'treatment', 'observation', 'allowed', 'on Consent/', 'version 1'),
        text,
      );
      assert.ok(says('dr-baker', 'refused'), text);
      assert.ok(says('dr-adams', 'St. Mary', 'the whole record', 'by role, at the custodian'), text);
      assert.ok(says('dr-adams', 'changed: patient'), text);
      assert.ok(says('the patient', 'own request'), text);
      assert.match(rows[0] ?? '', /<time datetime="\d{4}-\d\d-\d\dT/);
      assert.doesNotMatch(text, /CANARY/);
    });

    it('accounts for disclosures as 45 CFR 164.528 asks: date, recipient, what, purpose, and no uses at the custodian', async () => {
      const { text } = await posted({ token: own, patient: patientId, view: 'accounting' });
      assert.match(text, /six|6 years/);
      const rows = rowsOf(text);
      assert.equal(rows.length, 2, text);
      for (const row of rows) {
        for (const word of ['Northside', 'dr-baker', 'treatment *', '<time']) assert.ok(row.includes(word), row);
        assert.ok(/observation|the whole record/.test(row) && !/dr-adams|refused/.test(row), row);
      }
    });

    it('says what is wrong instead of a page, with the status of the FHIR interface', async () => {
      const other = await created({ resourceType: 'Patient', birthDate: '1990-01-01' }, physician);
      assert.deepEqual(rowsOf((await posted({ token: own, patient: other })).text), []);
      const refused = await posted({ token: physician, patient: patientId });
      assert.equal(refused.status, 403);
      assert.match(refused.text, /role="alert"/);
      for (const token of ['', 'a.b.c', own.slice(0, -3)]) {
        assert.equal((await posted({ token, patient: patientId })).status, 401);
      }
      assert.equal((await posted({ token: own, patient: patientId, cursor: 'x' })).status, 400);
    });

    it('reads no form beyond its limit', async () => {
      const fields = { token: own, patient: patientId };
      const size = new URLSearchParams({ ...fields, more: '' }).toString().length;
      assert.equal((await posted({ ...fields, more: 'x'.repeat(FORM_LIMIT - size) })).status, 200);
      assert.equal((await posted({ ...fields, more: 'x'.repeat(FORM_LIMIT - size + 1) })).status, 413);
    });

    it('fits a phone, prints its rows, and needs no script', async function () {
      this.timeout(60_000);
      if (!existsSync('/usr/bin/chromium')) return this.skip();
      const args = ['--no-sandbox', '--disable-dev-shm-usage'];
      const browser: Browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args });
      try {
        const context = await browser.newContext({ viewport: { width: 360, height: 740 }, javaScriptEnabled: false });
        const page = await context.newPage();
        await page.goto(new URL('/record', network.fhir('stmary')).href);
        await page.getByLabel('Your record number here').fill(patientId);
        await page.getByLabel('Your access token').fill(own);
        await page.getByRole('button', { name: 'Accounting of disclosures' }).click();
        await page.locator('tbody tr').first().waitFor();
        assert.equal(await page.locator('h1').textContent(), 'Accounting of disclosures');
        assert.equal(await page.locator('tbody tr').count(), 2);
        assert.ok(!page.url().includes(own), 'the token stands in no address');
        assert.equal(await page.evaluate('document.documentElement.scrollWidth - window.innerWidth'), 0);
        await page.emulateMedia({ media: 'print' });
        assert.equal(await page.locator('header.bar').isVisible(), false);
        assert.equal(await page.locator('tbody tr').first().isVisible(), true);
        await page.goBack();
        await page.getByLabel('Your record number here').fill(patientId);
        await page.getByLabel('Your access token').fill(own);
        await page.getByRole('button', { name: 'Show who read it' }).click();
        await page.locator('tbody tr').first().waitFor();
        assert.equal(await page.evaluate('document.documentElement.scrollWidth - window.innerWidth'), 0);
      } finally {
        await browser.close();
      }
    });

    it('shows so many lines, and the older ones a button away', async () => {
      const read = () => network.ask('stmary', `Patient/${patientId}`, { token: physician });
      for (let done = 0; done <= MOST_LINES; done += 20) await Promise.all(Array.from({ length: 20 }, read));
      const { text } = await posted({ token: own, patient: patientId });
      assert.equal(rowsOf(text).length, MOST_LINES);
      const cursor = /name="cursor" value="([^"]+)"/.exec(text)?.[1] ?? '';
      const older = await posted({ token: own, patient: patientId, cursor });
      assert.ok(
        rowsOf(older.text).some((row) => row.includes('refused')),
        'what came first is on the last page',
      );
      assert.doesNotMatch(older.text, /name="cursor"/);
      const accounting = await posted({ token: own, patient: patientId, view: 'accounting' });
      assert.equal(rowsOf(accounting.text).length, 2, 'disclosures are found behind what was read here');
    }).timeout(120_000);
  });
});
