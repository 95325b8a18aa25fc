import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { ARM_PATH, armsHeard } from '@salus/gateway/trial/arm';
import { compactDecrypt } from 'jose';
import type { SigningKey } from '../support/signing.js';
import { TRIAL, TrialWorld } from './world.js';

/** A key to which an answer is sealed; its public half as the contracts take it. */
function sealingKey() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = privateKey.export({ format: 'jwk' });
  return { privateKey, jwk: { kty: 'EC' as const, crv: 'P-256' as const, x, y, kid: 'seal' } };
}

describe("the allocator's door, asked for an arm", () => {
  let world: TrialWorld;
  let person: SigningKey;
  const mine = sealingKey();

  const wish = (slot: number, by = person) => {
    const place = { trial: TRIAL, stratum: 's1', slot };
    const content = { channel: 'health', ...place, meaning: 'tell-arm', to: mine.jwk };
    return { ...place, to: mine.jwk, statement: by.sign(content) };
  };

  async function knock(teller: string, question: object | string): Promise<{ readonly sealed?: string } | undefined> {
    const evaluate = async ({ transaction = '', argument = '' }): Promise<Uint8Array> => {
      const outcome = await world.ledger.evaluate('tally', transaction, { args: [argument] });
      if (outcome.status !== 200) throw new Error(outcome.message);
      return Buffer.from(outcome.payload);
    };
    const heard = armsHeard({ evaluate })[ARM_PATH]!;
    return heard.hear(teller, typeof question === 'string' ? question : JSON.stringify(question));
  }

  before(async () => {
    world = await TrialWorld.enrolling();
    for (const slot of [1, 2, 3, 4, 5]) await world.enrolled(`P${slot}`, 'stmary', 's1', slot);
    person = await world.delegate('stmary', 'investigator');
    for (const slot of [1, 2, 3, 4]) {
      const asked = { stratum: 's1', slot, reason: 'overdose', delegate: person.kid };
      await world.act('stmary', 'investigator', 'unblind-one', asked);
    }
  });

  it('tells it to that person alone, in answers of one length', async () => {
    const lengths = new Set<number>();
    const told: string[] = [];
    for (const slot of [1, 2, 3, 4]) {
      const { sealed = '' } = (await knock('stmary', wish(slot))) ?? {};
      lengths.add(sealed.length);
      const { plaintext } = await compactDecrypt(sealed, mine.privateKey);
      told.push((JSON.parse(Buffer.from(plaintext).toString()) as { arm: string }).arm.trim());
      await assert.rejects(compactDecrypt(sealed, sealingKey().privateKey));
    }
    const list = world.lists.get('s1')!.slice(0, 4);
    assert.deepEqual(
      told,
      list.map(({ arm }) => arm),
    );
    assert.equal(new Set(told).size, 2);
    assert.equal(lengths.size, 1);
  });

  it('pads what it seals, so that arms of other names are told apart by no length', async () => {
    const sizes = ['A', 'placebo-in-a-capsule'].map(async (arm) => {
      const evaluate = () => Promise.resolve(Buffer.from(JSON.stringify({ arm, kit: 'K1', site: 'stmary' })));
      const answer = await armsHeard({ evaluate })[ARM_PATH]!.hear('stmary', JSON.stringify(wish(1)));
      return (answer as { sealed: string }).sealed.length;
    });
    const [one, two] = await Promise.all(sizes);
    assert.equal(one, two);
  });

  it('shows nothing to the sponsor, to another site, of a slot that is not unblinded, or for a forged wish', async () => {
    for (const teller of ['acme', 'northside', 'westgate', 'medisure']) {
      assert.equal(await knock(teller, wish(1)), undefined, teller);
    }
    assert.equal(await knock('stmary', wish(5)), undefined);
    assert.equal(await knock('stmary', wish(1, await world.delegate('northside', 'investigator'))), undefined);
    assert.equal(await knock('stmary', { ...wish(1), to: sealingKey().jwk }), undefined);
    for (const nonsense of ['', '{}', 'null', '{"trial":1}']) assert.equal(await knock('stmary', nonsense), undefined);
  });
});
