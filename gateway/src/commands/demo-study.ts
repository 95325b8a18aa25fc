/** The study that `salus demo trial` plays: protocol, lists, and what its people sign. */
import { createHash, generateKeyPairSync, randomBytes, randomInt } from 'node:crypto';

import type { Allotted, Protocol } from '@salus/chaincode/trial/api';
import { compactDecrypt, CompactSign, type JWK } from 'jose';

import { SIGNATURE } from '../identity/keys.js';
import { canonicalForm } from '../identity/statements.js';

/** The one stratum of each site. */
export const strata = { stmary: 'site-1', northside: 'site-2' } as const;
/** Hash of the consent document's English translation. */
export const documentHash = createHash('sha256').update('We ask you to take part in a study of ...').digest('hex');

/** What was registered before anybody was enrolled. */
export const registered: Protocol = {
  title: 'A two-site study of a tablet against placebo in high blood pressure',
  outcomes: [
    { id: 'death', role: 'primary', measure: 'Death from any cause', timeFrame: 'two years' },
    { id: 'pressure', role: 'secondary', measure: 'Systolic blood pressure', timeFrame: 'week 12' },
  ],
  sampleSize: 8,
  allocation: {
    scheme: 'blocks',
    arms: ['tablet', 'placebo'].map((code) => ({ code, label: code, ratio: 1 })),
    strata: Object.values(strata),
  },
  criteria: ['adult', 'blood-pressure-over-140'],
  visits: [{ id: 'week-12', forms: ['vitals'] }],
  document: '0'.repeat(64),
};

/** What the sponsor would rather have registered, once it knows how things go. */
export const switched: Protocol['outcomes'] = registered.outcomes.map((outcome) => ({
  ...outcome,
  role: outcome.id === 'pressure' ? 'primary' : 'secondary',
}));

/** Blocks of four, two of each arm, drawn by the statistician; kit numbers say nothing. */
export function drawList(length: number): Allotted[] {
  const arms = Array.from({ length: length / 4 }, () => shuffled(['tablet', 'tablet', 'placebo', 'placebo'])).flat();
  return arms.map((arm, index) => ({ slot: index + 1, kit: `K${randomHex(6)}`, arm, nonce: randomHex(32) }));
}

function shuffled(items: readonly string[]): string[] {
  const left = [...items];
  return items.map(() => left.splice(randomInt(left.length), 1)[0] ?? '');
}

/** Random bytes, lower-case hex. */
export function randomHex(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}

/** SHA-256 of the RFC 8785 form, lower-case hex. */
export function hashOf(value: object): string {
  return createHash('sha256').update(canonicalForm(value)).digest('hex');
}

/** Somebody who signs with a key of their own. */
export class Signer {
  private readonly pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });

  constructor(readonly kid: string) {}

  /** The public half. */
  get jwk(): JWK {
    const { x = '', y = '' } = this.pair.publicKey.export({ format: 'jwk' });
    return { kty: 'EC', crv: 'P-256', x, y, kid: this.kid };
  }

  /** Compact JWS over the RFC 8785 form of the content. */
  sign(content: object): Promise<string> {
    return new CompactSign(Buffer.from(canonicalForm(content)))
      .setProtectedHeader({ alg: SIGNATURE, kid: this.kid })
      .sign(this.pair.privateKey);
  }

  /** A signature as a trial's contracts want it: over the content, the time, and a commitment of the printed name. */
  async signature(content: object): Promise<object> {
    const stamp = { signedAt: new Date().toISOString(), name: randomHex(32) };
    return { kid: this.kid, ...stamp, statement: await this.sign({ ...content, ...stamp }) };
  }
}

/** A participant's consent to version 1 of the document, countersigned. */
export async function consentTo(
  trial: { readonly channel: string; readonly trial: string },
  participant: string,
  investigator: Signer,
): Promise<object> {
  const person = new Signer(`p-${participant}`);
  const about = { participant, n: 1, document: 1, language: 'en', parts: [] };
  const content = { ...trial, ...about, hash: documentHash };
  const statement = await person.sign(content);
  const countersignature = await investigator.signature({ ...content, meaning: 'counter-signature', statement });
  return { ...about, jwk: person.jwk, statement, countersignature };
}

/** A wish to be told one arm, with the key that the answer is sealed for, and what opens the answer. */
export async function wishToKnow(
  place: { readonly channel: string; readonly trial: string; readonly stratum: string; readonly slot: number },
  by: Signer,
): Promise<{ readonly statement: string; readonly to: JWK; readonly open: (sealed: string) => Promise<string> }> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const to = { kty: 'EC', crv: 'P-256', x, y, kid: 'seal' };
  const statement = await by.sign({ ...place, meaning: 'tell-arm', to });
  const open = async (sealed: string): Promise<string> => {
    const { plaintext } = await compactDecrypt(sealed, privateKey);
    return (JSON.parse(Buffer.from(plaintext).toString('utf8')) as { readonly arm: string }).arm.trim();
  };
  return { statement, to, open };
}
