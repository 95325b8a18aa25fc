import { strict as assert } from 'node:assert';
import { createHash, createHmac, hash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { quarterOf } from '@salus/chaincode/patient/api';
import { KeyStore } from '@salus/gateway/keys/key-store';
import { NamedSecrets } from '@salus/gateway/keys/named-secrets';
import { codeOf } from '@salus/gateway/patient/codes';

import { glucose, laboratoryForNorthside, patient } from '../story/people.js';
import { campaign } from '../support/campaigns.js';
import { eventually } from '../support/eventually.js';
import { type AskOptions, type TestNetwork, startNetwork } from '../support/network.js';

const dictionary = campaign('dictionary');
/** Identifiers tried, the true one among them. */
const CANDIDATES = dictionary.size({ slice: 40_000, full: 10_000_000 });
const SYSTEM = 'urn:oid:2.16.840.1.113883.4.1';
const TRUE = Math.floor(CANDIDATES * 0.7);

const identifierOf = (number: number): string => String(100_000_000 + number);
const key = (...parts: string[]): string => `\0${parts.join('\0')}\0`;

/** What a careless design might have hashed, or taken the HMAC of, for one identifier. */
const texts = (id: string): string[] => [
  id,
  `${SYSTEM}|${id}`,
  `identifier=${SYSTEM}|${id}`,
  `Patient?identifier=${SYSTEM}|${id}`,
  `Patient/${id}`,
];

/** How what came of a text may stand in a key on the ledger. */
const keysOf = (text: string): string[] => [
  text,
  key('patient', text),
  key('consents', text),
  key('condition', text),
  key('idempotency', text),
  key('resource', text, '00000001'),
  key('lookup-entry', text),
  key('lookup-entry', 'stmary', text),
];

/** Hashes that everybody on the channel holds, found fast. */
class PublicHashes {
  readonly #all = new Set<string>();
  readonly #starts = new Uint8Array(1 << 24);

  constructor(text: string) {
    for (const [hex] of text.matchAll(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g)) this.#add(hex);
    for (const [base64] of text.matchAll(/[A-Za-z0-9+/_-]{43}=?/g))
      this.#add(Buffer.from(base64, 'base64').toString('hex'));
  }

  get size(): number {
    return this.#all.size;
  }

  has(hex: string): boolean {
    return this.#starts[Number.parseInt(hex.slice(0, 6), 16)] === 1 && this.#all.has(hex);
  }

  #add(hex: string): void {
    this.#all.add(hex);
    this.#starts[Number.parseInt(hex.slice(0, 6), 16)] = 1;
  }
}

/** Identifiers that somebody finds who tries each of them, by what each text is made into before it is a key. */
function attack(known: PublicHashes, made: (text: string) => string, candidates = CANDIDATES): number[] {
  const found: number[] = [];
  for (let number = 0; number < candidates; number += 1) {
    const tried = texts(identifierOf(number)).flatMap((text) => keysOf(made(text)));
    if (tried.some((each) => known.has(hash('sha256', each)) || known.has(each))) found.push(number);
  }
  return found;
}

/** Every file below a folder. */
function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}

const under =
  (secret: Buffer) =>
  (text: string): string =>
    createHmac('sha256', secret).update(text).digest('hex');

describe('a dictionary of identifiers against everything public', function () {
  this.timeout(180_000 + CANDIDATES / 2);
  const stateDir = mkdtempSync(join(tmpdir(), 'salus-dictionary-'));
  const id = identifierOf(TRUE);
  let network: TestNetwork;
  let known: PublicHashes;
  let quarterSecret: Buffer;

  /** The hospitals' secret of this quarter, as northside's administrator opens it: kept from its first look-up on. */
  function secretOf(store: KeyStore): Buffer {
    const secret = new NamedSecrets(store).find(`look-up/${quarterOf(new Date().toISOString())}`);
    assert.ok(secret, 'northside has looked somebody up');
    return Buffer.from(secret, 'hex');
  }

  const storeOf = (member: string): KeyStore => new KeyStore(join(stateDir, 'members', member, 'data'));

  before(async () => {
    network = await startNetwork({ stateDir });
    const token = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    const send = async (path: string, options: AskOptions): Promise<void> => {
      const answer = await network.ask('stmary', path, { token, ...options });
      assert.ok(answer.status < 300, answer.text);
    };
    const body = { ...patient, id, identifier: [{ system: SYSTEM, value: id }] };
    // The identifier as FHIR id, as criterion of a conditional create, as Idempotency-Key, in searches and links.
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
    await eventually(async () => {
      assert.match(await everythingPublic(), /patient:list-codes/);
    });
    await network.ask('northside', 'Patient/$match', { token: baker, body });
    known = new PublicHashes(await everythingPublic());
    const kept = storeOf('northside');
    quarterSecret = secretOf(kept);
    kept.close();
    await network.stop();
  });
  after(() => {
    rmSync(stateDir, { recursive: true, force: true });
  });

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
      attack(known, (text) => text),
      [],
    );
    assert.deepEqual(
      attack(known, (text) => createHash('sha256').update(text).digest('hex'), CANDIDATES / 10),
      [],
    );
  });

  it('finds nobody with the secret of another hospital in hand, or with one that was in use before', () => {
    const northside = storeOf('northside');
    assert.deepEqual(
      attack(known, (text) => northside.hmac('lookup', text), CANDIDATES / 4),
      [],
    );
    northside.close();
    assert.deepEqual(attack(known, under(randomBytes(32)), CANDIDATES / 4), []);
  });

  it("finds nobody with the hospitals' secret of the quarter in hand, under which the true one is listed", () => {
    for (const custodian of ['stmary', 'northside']) {
      const made = (value: string): string => codeOf(quarterSecret, custodian, { system: SYSTEM, value });
      const found: number[] = [];
      for (let number = 0; number < CANDIDATES / 4; number += 1) {
        const tried = keysOf(made(identifierOf(TRUE - number)));
        if (tried.some((each) => known.has(hash('sha256', each)) || known.has(each))) found.push(number);
      }
      assert.deepEqual(found, []);
    }
    assert.deepEqual(attack(known, under(quarterSecret), CANDIDATES / 4), []);
  });

  it("finds the true one for a hospital's administrator alone, among the codes that hospitals share", () => {
    const code = codeOf(quarterSecret, 'stmary', { system: SYSTEM, value: id });
    const holds = (member: string): boolean =>
      filesIn(join(stateDir, 'members', member)).some((file) => readFileSync(file).includes(code));
    assert.deepEqual(
      ['stmary', 'northside', 'authority', 'acme'].filter((member) => holds(member)),
      ['stmary', 'northside', 'authority'],
    );
  });

  it('finds the true one for whoever holds the secret of the hospital that wrote it: the search is no blind one', () => {
    const stmary = storeOf('stmary');
    const tried = keysOf(stmary.hmac('lookup', `Patient/${id}`)).filter((each) => known.has(hash('sha256', each)));
    assert.deepEqual(tried, [key('resource', stmary.hmac('lookup', `Patient/${id}`), '00000001')]);
    stmary.close();
  });
});
