import assert from 'node:assert/strict';

import { MAX_CODES, quarterBefore, quarterOf } from '@salus/chaincode/patient/api';
import { NamedSecrets } from '@salus/gateway/keys/named-secrets';
import { codeOf, listedIdentifiers, LONGEST_IDENTIFIER } from '@salus/gateway/patient/codes';
import { CODE_SPACE } from '@salus/gateway/patient/project';

import { eventually } from '../support/eventually.js';
import { adams } from '../glass/people.js';
import { SharingWorld } from '../support/sharing-world.js';

const SYSTEM = 'http://hl7.org/fhir/sid/us-ssn';
const ssn = { system: SYSTEM, value: '217-45-6001' };
const known = { system: SYSTEM, value: '217456001' };
const patient = (identifier: readonly object[]) => ({ resourceType: 'Patient', identifier });

describe('which identifiers a patient is found by', () => {
  it('is those with a system that mean something beyond one hospital, however they are spaced', () => {
    const others = [
      { value: '1' },
      { system: SYSTEM, value: ' - ' },
      { system: SYSTEM, value: '2', use: 'old' },
      { system: 'urn:mrn', value: '3', type: { coding: [{ code: 'MR' }] } },
    ];
    assert.deepEqual(listedIdentifiers(patient([ssn, ...others])), [known]);
    assert.deepEqual(listedIdentifiers(patient([{ system: SYSTEM, value: '217 45.6001' }])), [known]);
    assert.deepEqual(listedIdentifiers({ resourceType: 'Patient' }), []);
    const many = Array.from({ length: MAX_CODES + 1 }, (_, index) => ({ system: SYSTEM, value: String(index) }));
    assert.equal(listedIdentifiers(patient(many)).length, MAX_CODES);
  });

  it('is none that is longer than identifiers are', () => {
    const long = { system: SYSTEM, value: '1'.repeat(LONGEST_IDENTIFIER) };
    assert.deepEqual(listedIdentifiers(patient([long])), [long]);
    assert.deepEqual(listedIdentifiers(patient([{ ...long, value: `${long.value}1` }, ssn])), [known]);
  });

  it('is told apart by hospital and secret', () => {
    const [one, two] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const codes = [codeOf(one, 'stmary', known), codeOf(one, 'northside', known), codeOf(two, 'stmary', known)];
    assert.equal(new Set(codes).size, 3);
  });
});

describe("a hospital's look-up codes", () => {
  let world: SharingWorld;
  const running = new AbortController();
  let keeping: Promise<void>;
  let lastSecret: Buffer;

  before(async () => {
    world = await SharingWorld.open();
    keeping = world.stmary.sharing.hospital!.run(running.signal);
  });
  after(async () => {
    running.abort();
    await keeping;
    await world.close();
  });

  const quarter = (): string => quarterOf(new Date(world.contracts.clockMs).toISOString());
  const kept = (at: string): Buffer | undefined => {
    const secret = new NamedSecrets(world.stmary.keys).find(`look-up/${at}`);
    return secret === undefined ? undefined : Buffer.from(secret, 'hex');
  };
  /** Pids that northside finds with a secret. */
  const found = (secret: Buffer | undefined): string[] =>
    secret === undefined
      ? []
      : world.northside.projected.facts(CODE_SPACE, `${codeOf(secret, 'stmary', known)}/`).map(({ value }) => value);
  const write = async (id: string, identifier: readonly object[], expect = 0): Promise<void> => {
    const text = JSON.stringify({ ...patient(identifier), id });
    await world.stmary.sharing.writer.write(adams, [{ type: 'Patient', id, expect, text, patient: id }]);
  };

  it('are where other hospitals find them, soon after the patient is written', async () => {
    await write('ann', [ssn]);
    await eventually(() => {
      lastSecret = kept(quarter())!;
      assert.deepEqual(found(lastSecret), [world.stmary.sharing.lookup.pidOf('ann')]);
      return Promise.resolve();
    });
  });

  it("rotate with the quarter: last quarter's secret finds nothing and is no more", async () => {
    await world.pass(93 * 86_400_000, 'northside');
    await write('bob', []);
    await eventually(() => {
      assert.deepEqual(found(kept(quarter())), [world.stmary.sharing.lookup.pidOf('ann')]);
      assert.deepEqual(found(lastSecret), []);
      assert.equal(kept(quarterBefore(quarter())), undefined);
      assert.equal(world.submitted.at(-1), 'patient:retire-secret');
      return Promise.resolve();
    });
    const { message } = await world.contracts.evaluate('northside', 'patient:secret', {
      request: { quarter: quarterBefore(quarter()) },
    });
    assert.match(message, /unknown-secret/);
    assert.equal(world.northside.projected.facts(CODE_SPACE).length, 2, 'one code and its origin');
  });

  it('are purged with the record', async () => {
    await world.stmary.sharing.hospital!.forget('ann');
    assert.deepEqual(world.northside.projected.facts(CODE_SPACE), []);
    assert.deepEqual(world.submitted.slice(-3), ['ehr:erase-announce', 'patient:purge-codes', 'patient:key']);
  });
});
