/** `salus sign`: signs a resource with a patient's own key, for the header X-Statement. */
import { type Command, CommandError, type CommandInput } from '@salus/network/command';

import { signingKey } from '../identity/keys.js';
import { signStatement } from '../identity/statements.js';
import { readJson, readOrMakeKey } from './patient-key.js';

/** `salus sign <file>`: prints a compact JWS (ES256) over the consent's care form; the key is read, never sent. */
export const signCommand: Command = {
  name: 'sign',
  summary: 'sign a Consent with a patient’s own key and print it for the header X-Statement',
  arguments: [
    {
      name: 'file',
      summary: 'the Consent as JSON, in its care form: with id, without text or display',
      required: true,
    },
  ],
  options: [
    { flags: '--patient <id>', summary: 'whose consent it is: must be the patient it names', required: true },
    {
      flags: '--key <file>',
      summary: 'private key (JWK); made, and its public part printed, when there is none',
      required: true,
    },
    { flags: '--consent-version <n>', summary: 'version being signed; 1 is the first', default: '1' },
    { flags: '--channel <name>', summary: 'channel of the consortium', default: 'health' },
  ],
  async run(input, io) {
    const keyFile = text(input, 'key');
    const jwk = readOrMakeKey(keyFile, (line) => {
      io.err(line);
    });
    const consent = readConsent(input.args[0] ?? '', text(input, 'patient'));
    const version = Number(text(input, 'consentVersion'));
    if (!Number.isInteger(version) || version < 1)
      throw new CommandError('--consent-version is a whole number from 1', 2);
    const subject = {
      channel: text(input, 'channel'),
      consent: consent.id,
      version,
      replaces: version === 1 ? null : version - 1,
    };
    io.out(await signStatement(consent, subject, signingKey(jwk)));
    return 0;
  },
};

interface SignedConsent {
  readonly resourceType: 'Consent';
  readonly id: string;
  readonly patient?: { readonly reference?: string };
}

function readConsent(file: string, patient: string): SignedConsent {
  const consent = readJson(file) as Partial<SignedConsent> | null;
  if (consent?.resourceType !== 'Consent' || typeof consent.id !== 'string') {
    throw new CommandError(`${file} is no Consent with an id: a statement names the consent it is about`);
  }
  if (consent.patient?.reference !== `Patient/${patient}`) {
    throw new CommandError(`${file} is not about Patient/${patient}: its patient.reference says otherwise`);
  }
  return consent as SignedConsent;
}

function text(input: CommandInput, name: string): string {
  const value = input.options[name];
  return typeof value === 'string' ? value : '';
}
