import { strict as assert } from 'node:assert';
import { createHash, createHmac } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { quarterOf } from '@salus/chaincode/patient/api';
import { KeyStore } from '@salus/gateway/keys/key-store';
import { NamedSecrets } from '@salus/gateway/keys/named-secrets';
import { codeOf } from '@salus/gateway/patient/codes';

import { glucose, laboratoryForNorthside, patient } from '../story/people.js';
import { campaign } from '../support/campaigns.js';
import { engineName } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { freePortBase } from '../support/free-ports.js';
import { type AskOptions, type TestNetwork, startNetwork } from '../support/network.js';
import { attack, attackBy, identifierOf, type Made, PublicHashes, SYSTEM } from './guessing.js';

const dictionary = campaign('dictionary');
/** Identifiers tried, the true one among them. */
const CANDIDATES = dictionary.size({ slice: 20_000, full: 10_000_000 });
/** The same with a secret in hand that opens less than the hospitals' of the last quarter. */
const SOME = CANDIDATES / 4;
const TRUE = Math.floor(CANDIDATES * 0.7);

/** Every file below a folder. */
function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}

const under =
  (secret: Buffer): Made =>
  (text) =>
    createHmac('sha256', secret).update(text).digest('hex');

/** What a custodian lists for an identifier under a quarter's secret. */
const listed =
  (secret: Buffer, custodian: string): Made =>
  (value) =>
    codeOf(secret, custodian, { system: SYSTEM, value });

/** Milliseconds until the middle of the first month of the next quarter. */
function untilNextQuarter(): number {
  const now = new Date();
  return Date.UTC(now.getUTCFullYear(), 3 * (Math.floor(now.getUTCMonth() / 3) + 1), 15) - now.getTime();
}

describe('a dictionary of identifiers against everything public', function () {
  this.timeout(300_000 + CANDIDATES);
  // Fabric's own programs know no other time than the machine's.
  if (engineName !== 'embedded') return;
  const stateDir = mkdtempSync(join(tmpdir(), 'salus-dictionary-'));
  const clockOffsetMs = untilNextQuarter();
  const id = identifierOf(TRUE);
  const body = { ...patient, id, identifier: [{ system: SYSTEM, value: id }] };
  let network: TestNetwork;
  let known: PublicHashes;
  /** The hospitals' secret of the quarter that is over, under which the true one was listed, and that of this one. */
  let lastSecret: Buffer;
  let secret: Buffer;

  /** The hospitals' secret of a quarter, as northside's administrator opens it: kept from its first look-up on. */
  function secretOf(offsetMs: number): Buffer {
    const store = storeOf('northside');
    const found = new NamedSecrets(store).find(`look-up/${quarterOf(new Date(Date.now() + offsetMs).toISOString())}`);
    store.close();
    assert.ok(found, 'northside has looked somebody up');
    return Buffer.from(found, 'hex');
  }

  const storeOf = (member: string): KeyStore => new KeyStore(join(stateDir, 'members', member, 'data'));

  before(async () => {
    const portBase = await freePortBase();
    network = await startNetwork({ stateDir, portBase });
    await inTheFirstQuarter();
    await lookedUp([/patient:list-codes/]);
    await network.stop();
    lastSecret = secretOf(0);
    network = await startNetwork({ stateDir, portBase, clockOffsetMs });
    const anew = [/patient:list-codes[^]+patient:list-codes/, /patient:purge-codes/, /patient:retire-secret/];
    known = new PublicHashes(await lookedUp(anew));
    await network.stop();
    secret = secretOf(clockOffsetMs);
  });
  after(() => {
    rmSync(stateDir, { recursive: true, force: true });
  });

  /** The identifier as FHIR id, as criterion of a conditional create, as Idempotency-Key, in searches and links. */
  async function inTheFirstQuarter(): Promise<void> {
    const token = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    const send = async (path: string, options: AskOptions): Promise<void> => {
      const answer = await network.ask('stmary', path, { token, ...options });
      assert.ok(answer.status < 300, answer.text);
    };
    await send(`Patient/${id}`, { method: 'PUT', body });
    const create = { ...glucose(id, 81), identifier: [{ system: SYSTEM, value: id }] };
    const criteria = { 'if-none-exist': `identifier=${SYSTEM}|${id}`, 'idempotency-key': id };
    await send('Observation', { body: create, headers: criteria });
    await send('Consent', { body: laboratoryForNorthside(id) });
    const other = [
      { name: 'custodian', valueString: 'northside' },
      { name: 'patient', valueString: id },
    ];
    await send(`Patient/${id}/$link`, { body: { resourceType: 'Parameters', parameter: other } });
    await send('Patient/$match', { body });
    const baker = await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' });
    const seen = await network.ask('northside', `Observation?patient=${id}`, { token: baker });
    assert.ok(seen.text.includes('2339-0'), seen.text);
    await network.ask('northside', `Patient/${id}`, { token: baker });
  }

  /** Once all of `shown` stands on the ledger, northside looks the patient up; resolves to everything public. */
  async function lookedUp(shown: readonly RegExp[]): Promise<string> {
    await eventually(async () => {
      const text = await everythingPublic();
      for (const each of shown) assert.match(text, each);
    });
    const token = await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' });
    await network.ask('northside', 'Patient/$match', { token, body });
    return await everythingPublic();
  }

  /** Every block and every transaction as a member that keeps no patient lays them open. */
  async function everythingPublic(): Promise<string> {
    const parts: string[] = [];
    for (let number = 0; ; number += 1) {
      const block = await network.ask('acme', `/ledger/blocks/${number}`, { headers: { accept: 'application/json' } });
      if (block.status !== 200) break;
      parts.push(block.text);
    }
    return parts.join('\n');
  }

  it('finds nobody, whatever the identifier was written into', () => {
    assert.ok(known.size > 100, `${known.size} public hashes`);
    assert.deepEqual(
      attack(known, (text) => text, TRUE, CANDIDATES),
      [],
    );
    assert.deepEqual(
      attack(known, (text) => createHash('sha256').update(text).digest('hex'), TRUE, SOME),
      [],
    );
  });

  it('finds nobody with the secret of another hospital in hand', () => {
    const northside = storeOf('northside');
    assert.deepEqual(
      attack(known, (text) => northside.hmac('lookup', text), TRUE, SOME),
      [],
    );
    northside.close();
  });

  it("finds nobody with the hospitals' secret of the last quarter in hand, under which the true one was listed", () => {
    assert.notDeepEqual(lastSecret, secret);
    findsNobody(lastSecret, CANDIDATES);
  });

  it('nor with that of this quarter, under which it is listed', () => {
    findsNobody(secret, SOME);
  });

  function findsNobody(inHand: Buffer, candidates: number): void {
    for (const custodian of ['stmary', 'northside']) {
      assert.deepEqual(attackBy(known, listed(inHand, custodian), TRUE, candidates), []);
    }
    assert.deepEqual(attack(known, under(inHand), TRUE, candidates), []);
  }

  it("finds the true one for a hospital's administrator alone, among the codes that hospitals share", () => {
    const holds = (member: string, code: string): boolean =>
      filesIn(join(stateDir, 'members', member)).some((file) => readFileSync(file).includes(code));
    const holders = (code: string): string[] =>
      ['stmary', 'northside', 'authority', 'acme'].filter((member) => holds(member, code));
    assert.deepEqual(holders(listed(secret, 'stmary')(id)), ['stmary', 'northside', 'authority']);
    assert.deepEqual(holders(listed(lastSecret, 'stmary')(id)), [], 'what was listed before is purged');
  });

  it('finds the true one for whoever holds the secret of the hospital that wrote it: the search is no blind one', () => {
    const stmary = storeOf('stmary');
    const made: Made = (text) => stmary.hmac('lookup', text);
    assert.deepEqual(attack(known, made, TRUE, 100), [TRUE]);
    const code = made(`Patient/${id}`);
    assert.deepEqual(known.placesOf(code), [`\0resource\0${code}\x0000000001\0`]);
    stmary.close();
  });
});
