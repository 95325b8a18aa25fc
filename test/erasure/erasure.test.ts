import { strict as assert } from 'node:assert';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

import { MAX_REASON } from '@salus/gateway/erasure/operation';
import { rootOf, type CertificateClaims } from '@salus/gateway/erasure/certificate';
import type { JWK } from 'jose';

import { found, shapesOf } from '../support/bytes-search.js';
import { campaign } from '../support/campaigns.js';
import { salus } from '../support/command.js';
import { freePortBase } from '../support/free-ports.js';
import { type Answer, type FhirBody, type TestNetwork, startNetwork } from '../support/network.js';
import { verifyStatement } from '../support/verify-statement.js';
import { glucose, laboratoryForNorthside, patient } from '../story/people.js';
import { holdsAsSignedAlone } from './forgeries.js';

const erasure = campaign('erasure');
/** Half of them are erased. */
const PATIENTS = erasure.size({ slice: 12, full: 200 });
/** In each some are erased while others write, and every process is killed. */
const ROUNDS = erasure.size({ slice: 2, full: 4 });
/** Writes to each patient in a round, at most. */
const TURNS = erasure.size({ slice: 20, full: 5 });
/** Milliseconds for what is done to each patient. */
const SCALE_MS = 12_000 * PATIENTS;
const word = (index: number): string => `ORTOLAN${String(index).padStart(3, '0')}QX`;

/** What a patient's record holds in this test: a name and a remark that no other record has. */
const personOf = (index: number): object => ({ ...patient, name: [{ family: `${word(index)}NAME` }] });
const remarkOf = (index: number, id: string, value: number): object => ({
  ...glucose(id, value),
  note: [{ text: `${word(index)}REMARK${value}` }],
});

const wish = (basis = 'unlawful-processing', reason = 'entered for the wrong person'): object => ({
  resourceType: 'Parameters',
  parameter: [
    { name: 'basis', valueCode: basis },
    { name: 'reason', valueString: reason },
  ],
});

function valueOf({ body }: Answer, name: string): string {
  const list = (body['parameter'] ?? []) as readonly { name: string; valueString: string }[];
  return list.find((each) => each.name === name)?.valueString ?? '';
}

describe('the erasure of a record', function () {
  this.timeout(120_000 + SCALE_MS);
  const stateDir = mkdtempSync(join(tmpdir(), 'salus-erasure-'));
  const ids: string[] = [];
  const certificates: CertificateClaims[] = [];
  /** The last answer with a certificate. */
  let certified: string;
  /** Wrapped keys of the erased patients' versions and their sealed keys, as they lay in keys.db. */
  const keys: Buffer[] = [];
  const written = new Map<string, number>();
  let network: TestNetwork;
  let portBase: number;

  const as = (role: string, user: string, member = 'stmary') => network.token({ member, user, role });
  const erase = async (id: string, user: string, basis?: string): Promise<Answer> =>
    network.ask('stmary', `Patient/${id}/$erase`, { token: await as('privacy-officer', user), body: wish(basis) });
  const erased = (): string[] => ids.slice(0, PATIENTS / 2);
  const kept = (): string[] => ids.slice(PATIENTS / 2);
  const keysDb = (): string => join(stateDir, 'members', 'stmary', 'data', 'keys.db');

  before(async () => {
    portBase = await freePortBase();
    network = await startNetwork({ stateDir, portBase });
    const token = await as('physician', 'dr-adams');
    for (let index = 0; index < PATIENTS; index += 1) {
      const created = await network.ask('stmary', 'Patient', { token, body: personOf(index) });
      assert.equal(created.status, 201, created.text);
      ids.push(String(created.body.id));
      await write(token, index);
      await network.ask('stmary', 'Consent', { token, body: laboratoryForNorthside(ids[index]!) });
    }
  });

  after(async () => {
    await network.stop();
    rmSync(stateDir, { recursive: true, force: true });
  });

  async function write(token: string, index: number): Promise<number> {
    const id = ids[index]!;
    const value = (written.get(id) ?? 0) + 1;
    const answer = await network.ask('stmary', 'Observation', { token, body: remarkOf(index, id, value) });
    if (answer.status === 201) written.set(id, value);
    return answer.status;
  }

  it('is refused to others than officers, without end of retention, and under a legal hold', async () => {
    const [id = ''] = ids;
    const physician = await as('physician', 'dr-adams');
    const wrong = await network.ask('stmary', `Patient/${id}/$erase`, { token: physician, body: wish() });
    assert.equal(wrong.status, 403, wrong.text);
    assert.equal((await erase(id, 'officer-a', 'consent-withdrawn')).status, 409);
    assert.equal((await erase('nobody', 'officer-a')).status, 404);
    const token = await as('admin', 'officer-a');
    const long = wish('legal-obligation', 'x'.repeat(MAX_REASON + 1));
    assert.equal((await network.ask('stmary', `Patient/${id}/$erase`, { token, body: long })).status, 422);
    const hold = (active: boolean): object => ({
      resourceType: 'Parameters',
      parameter: [
        { name: 'active', valueBoolean: active },
        { name: 'reason', valueCode: 'litigation' },
      ],
    });
    const set = await network.ask('stmary', `Patient/${id}/$legal-hold`, { token, body: hold(true) });
    assert.equal(set.status, 200, set.text);
    const held = await erase(id, 'officer-a');
    assert.equal(held.status, 409);
    assert.match(held.text, /under-legal-hold/);
    assert.doesNotMatch((await network.ask('stmary', '_history', { token })).text, /LegalHold/);
    assert.equal((await network.ask('stmary', `Patient/${id}/$legal-hold`, { token, body: hold(false) })).status, 200);
  });

  it('takes two officers', async () => {
    for (const id of erased()) {
      const first = await erase(id, 'officer-a');
      assert.equal(first.status, 202, first.text);
      const again = await erase(id, 'officer-a');
      assert.equal(again.status, 403);
      assert.match(again.text, /same-officer/);
      const token = await as('physician', 'dr-adams');
      assert.equal((await network.ask('stmary', `Patient/${id}`, { token })).status, 200, 'nothing is erased yet');
    }
  });

  it('is carried through while others write and the system is killed in between', async () => {
    const random = erasure.random();
    const share = Math.ceil(erased().length / ROUNDS);
    for (let round = 0; round < ROUNDS; round += 1) {
      const chosen = erased().slice(round * share, (round + 1) * share);
      rememberKeys(chosen);
      const token = await as('physician', 'dr-adams');
      const writing = ids.map(async (_id, index) => {
        for (let turn = 0; turn < TURNS; turn += 1) await write(token, index).catch(() => 0);
      });
      const approvals = chosen.map((id) => erase(id, 'officer-b').catch(() => undefined));
      await sleep(100 + Math.floor(random() * 400));
      await network.kill();
      await Promise.all([...writing, ...approvals]);
      network = await startNetwork({ stateDir, portBase });
    }
    for (const id of erased()) await finish(id);
  });

  /** Whatever the kill cut short: asked for again where it was not approved, awaited where it was. */
  async function finish(id: string): Promise<void> {
    let state = stateOf(id);
    if (state.state === 'pending') await erase(id, 'officer-b');
    const token = await as('auditor', 'auditor-a');
    for (let tries = 0; tries < 100; tries += 1) {
      state = stateOf(id);
      if (state.state === 'done') break;
      await sleep(200);
    }
    const answer = await network.ask('stmary', `$erasure/${state.id}`, { token });
    assert.equal(valueOf(answer, 'state'), 'done', answer.text);
    // With the member's public key of the registry alone, as anyone who holds the certificate does.
    const text = await verifyStatement(valueOf(answer, 'certificate'), publicKey());
    const claims = JSON.parse(text ?? '{}') as CertificateClaims;
    assert.equal(claims.kind, 'erasure');
    assert.equal(claims.root, rootOf(claims.keyHashes));
    certificates.push(claims);
    certified = answer.text;
  }

  function stateOf(patientId: string): { id: string; state: string } {
    const database = new DatabaseSync(keysDb(), { readOnly: true });
    const row = database.prepare('SELECT id, state FROM erasures WHERE patient = ?').get(patientId);
    database.close();
    return row as { id: string; state: string };
  }

  function publicKey(): JWK {
    const file = join(stateDir, 'members', 'stmary', 'gateways', 'gateway0', 'settings.json');
    const { members } = JSON.parse(readFileSync(file, 'utf8')) as { members: { name: string; jwk: JWK }[] };
    return members.find(({ name }) => name === 'stmary')!.jwk;
  }

  function rememberKeys(chosen: readonly string[]): void {
    const database = new DatabaseSync(keysDb(), { readOnly: true });
    for (const id of chosen) {
      const sealed = database.prepare('SELECT sealed AS key FROM patient_keys WHERE patient = ?').all(id);
      const wrapped = database.prepare('SELECT wrapped AS key FROM version_keys WHERE patient = ?').all(id);
      keys.push(...[...sealed, ...wrapped].map(({ key }) => Buffer.from(key as Uint8Array)));
    }
    database.close();
    assert.ok(keys.length >= 2 * chosen.length);
    assert.notDeepEqual(found(stateDir, [keys.at(-1)!]), [], 'the search finds a key where it lies');
  }

  /** Files that hold a word of an erased record, in whatever shape, or a key of one. */
  function remains(): string[] {
    const words = erased().flatMap((_id, index) => shapesOf(word(index)));
    return found(stateDir, [...words, ...keys]).map(({ file }) => file);
  }

  it('leaves no word and no key of it in any file, and the others whole', async () => {
    assert.deepEqual(remains(), []);
    assert.notDeepEqual(found(stateDir, shapesOf(word(PATIENTS - 1))), []);
    const token = await as('physician', 'dr-adams');
    for (const id of kept()) {
      assert.equal((await network.ask('stmary', `Patient/${id}`, { token })).status, 200);
      const observed = await network.ask('stmary', `Observation?patient=${id}&_count=1000`, { token });
      assert.ok((observed.body.entry ?? []).length >= (written.get(id) ?? 0), 'every acknowledged write is there');
    }
  });

  it('answers like what never was', async () => {
    const token = await as('physician', 'dr-adams');
    const unknown = await network.ask('stmary', 'Patient/nobody', { token });
    for (const id of erased()) {
      const read = await network.ask('stmary', `Patient/${id}`, { token });
      assert.equal(read.status, 404);
      assert.equal(read.text.replaceAll(id, 'nobody'), unknown.text);
      for (const path of [`Patient/${id}/_history`, `Patient/${id}/$everything`, `Patient/${id}/_history/1`]) {
        assert.equal((await network.ask('stmary', path, { token })).status, 404, path);
      }
      const observed = await network.ask('stmary', `Observation?patient=${id}`, { token });
      assert.deepEqual(resourcesOf(observed.body), []);
      const written = await network.ask('stmary', `Provenance?target=Patient/${id}`, { token });
      assert.deepEqual([written.status, written.body.total], [200, 0], 'nor is it said who wrote it');
      assert.notEqual((await network.ask('stmary', 'Observation', { token, body: glucose(id, 1) })).status, 201);
      const remote = await network.ask('northside', `Patient/${id}`, {
        token: await as('physician', 'dr-baker', 'northside'),
      });
      assert.equal(remote.status, 404);
      assert.equal((await erase(id, 'officer-a')).status, 404);
    }
  });

  const resourcesOf = ({ entry = [] }: FhirBody) =>
    entry.flatMap(({ resource }) => (resource?.resourceType === 'Observation' ? [resource] : []));

  it('leaves consents and access records', async () => {
    const token = await as('privacy-officer', 'officer-a');
    for (const id of erased()) {
      const events = await network.ask('stmary', `AuditEvent?patient=${id}`, { token });
      assert.match(events.text, /\$erase/, 'who asked for the erasure is on the list');
    }
    const consents = await network.ask('stmary', 'Consent?_count=1000', { token: await as('physician', 'dr-adams') });
    const about = (consents.body.entry ?? []).map(({ resource }) => JSON.stringify(resource?.['patient']));
    for (const id of ids)
      assert.ok(
        about.some((reference) => reference.includes(id)),
        `a consent of ${id}`,
      );
  });

  it('is what the ledger says: announced in public, purged key by key', async () => {
    for (const { announced, purged, keyHashes, erasureId } of certificates) {
      const announcement = await network.ask('northside', `/ledger/transactions/${announced}`);
      assert.match(announcement.text, new RegExp(erasureId));
      const purges = await Promise.all(purged.map((txId) => network.ask('northside', `/ledger/transactions/${txId}`)));
      const seen = purges.map(({ text }) => text).join('');
      for (const hash of keyHashes) assert.ok(seen.includes(hash), hash);
    }
  });

  it('is certified by what anybody checks against blocks of a peer of their own, and by nothing else', () =>
    holdsAsSignedAlone(stateDir, certified));

  it('raises no alarm, stays erased in a projection built anew, and the chain verifies', async () => {
    for (const member of ['stmary', 'acme']) {
      assert.doesNotMatch((await network.ask(member, '/metrics')).text, /salus_alarms_total\{alarm="purge/);
    }
    const rebuilt = await salus(stateDir, ['rebuild', '--member', 'stmary']);
    assert.equal(rebuilt.code, 0, rebuilt.err);
    const verified = await salus(stateDir, ['verify']);
    assert.equal(verified.code, 0, verified.err);
    assert.deepEqual(remains(), []);
  });
});
