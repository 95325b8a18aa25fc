/** `salus sign-link`: signs a word on a link of two hospitals' patients with a patient's own key. */
import { randomBytes } from 'node:crypto';

import { linkStatementPayload } from '@salus/chaincode/patient/api';
import { type Command, CommandError, type CommandInput } from '@salus/network/command';

import { signingKey } from '../identity/keys.js';
import { signCanonical } from '../identity/statements.js';
import { readOrMakeKey } from './patient-key.js';

const LINK_BYTES = 32;

/** `salus sign-link <sides...>`: prints a compact JWS (ES256) for the parameter `statement`; the key is read, never sent. */
export const signLinkCommand: Command = {
  name: 'sign-link',
  summary: 'sign that two hospitals’ patients are one, or that they are not, with a patient’s own key',
  arguments: [
    { name: 'sides', summary: 'both patients, each as <hospital>=<Patient id>', required: true, variadic: true },
  ],
  options: [
    {
      flags: '--key <file>',
      summary: 'private key (JWK); made, and its public part printed, when there is none',
      required: true,
    },
    { flags: '--link <id>', summary: 'the Linkage’s id; drawn, and printed, when there is none' },
    {
      flags: '--link-version <n>',
      summary: '1 for $link, 2 for $confirm-link, the next one for $unlink',
      default: '1',
    },
    { flags: '--not-same', summary: 'they are two persons: for $unlink' },
    { flags: '--channel <name>', summary: 'channel of the consortium', default: 'health' },
  ],
  async run(input, io) {
    const patients = input.args.map(sideOf);
    if (new Set(patients.map(({ custodian }) => custodian)).size !== 2 || patients.length !== 2) {
      throw new CommandError('name two hospitals, each as <hospital>=<Patient id>', 2);
    }
    const version = Number(input.options['linkVersion']);
    if (!Number.isInteger(version) || version < 1) throw new CommandError('--link-version is a whole number from 1', 2);
    const jwk = readOrMakeKey(String(input.options['key']), (line) => {
      io.err(line);
    });
    const link = linkOf(input, (line) => {
      io.err(line);
    });
    const replaces = version === 1 ? null : version - 1;
    const salus = { channel: String(input.options['channel']), link, version, replaces };
    const payload = linkStatementPayload(input.options['notSame'] !== true, patients);
    io.out(await signCanonical(payload, signingKey(jwk), { salus }));
    return 0;
  },
};

function sideOf(text: string): { readonly custodian: string; readonly patient: string } {
  const [, custodian, patient] = /^([a-z][a-z0-9-]*)=([A-Za-z0-9.-]{1,64})$/.exec(text) ?? [];
  if (custodian !== undefined && patient !== undefined) return { custodian, patient };
  throw new CommandError(`${text} is no side: write it as <hospital>=<Patient id>`, 2);
}

function linkOf({ options }: CommandInput, tell: (line: string) => void): string {
  const given = options['link'];
  if (typeof given === 'string') {
    if (/^[0-9a-f]{64}$/.test(given)) return given;
    throw new CommandError('--link is 64 hex digits', 2);
  }
  const drawn = randomBytes(LINK_BYTES).toString('hex');
  tell(`link ${drawn}`);
  return drawn;
}
