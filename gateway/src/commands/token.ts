/** `salus token`: a bearer token of the built-in development issuer. */
import { createHash } from 'node:crypto';

import { purposesOf } from '@salus/chaincode/access/api';
import { type Command, CommandError, type CommandInput } from '@salus/network/command';

import { acceptedIssuer, developmentIssuer, fhirBase } from '../identity/issuer.js';
import { readSigningKey } from '../identity/keys.js';
import { signToken, type TokenClaims } from '../identity/tokens.js';
import type { GatewaySettings } from '../settings.js';
import { memberSettings } from './members.js';

export const tokenCommand: Command = {
  name: 'token',
  summary: 'print a bearer token of the development issuer',
  options: [
    { flags: '--member <name>', summary: 'whose gateway the token is for', required: true },
    { flags: '--role <role>', summary: 'such as physician, nurse, patient, auditor', required: true },
    { flags: '--user <id>', summary: 'who bears it: an opaque id, such as dr-adams' },
    { flags: '--patient <id>', summary: 'FHIR id of the patient, for the roles patient and guardian' },
    { flags: '--purpose <codes>', summary: 'purposes of use, separated by commas; all of the role’s unless given' },
    { flags: '--scope <scopes>', summary: 'SMART scopes, separated by spaces' },
  ],
  async run(input, io) {
    const settings = memberSettings(io.stateDir, text(input, 'member') ?? '');
    if (settings.production) throw new CommandError('a production network has no development issuer');
    acceptedIssuer(settings, undefined);
    const claims = claimsOf(input, settings);
    io.out(await signToken(claims, await readSigningKey(settings.jwk), Date.now() + settings.clockOffsetMs));
    return 0;
  },
};

function claimsOf(input: CommandInput, settings: GatewaySettings): TokenClaims {
  const role = knownRole(text(input, 'role') ?? '');
  const patient = text(input, 'patient');
  return {
    issuer: developmentIssuer(settings.baseUrl),
    audience: fhirBase(settings.baseUrl),
    member: settings.member,
    role,
    ...(patient === undefined ? {} : { patient }),
    ...(OWN_RECORD.has(role) ? personClaims(input, patient, role) : staffClaims(input, role)),
    purposes: text(input, 'purpose')?.split(',') ?? [],
  };
}

/** Roles that see one patient's record. */
const OWN_RECORD: ReadonlySet<string> = new Set(['patient', 'guardian']);

function knownRole(role: string): string {
  if (Object.hasOwn(purposesOf, role)) return role;
  throw new CommandError(`no role ${role}; roles are ${Object.keys(purposesOf).join(', ')}`, 2);
}

function staffClaims(input: CommandInput, role: string): Pick<TokenClaims, 'subject' | 'scope'> {
  return { subject: text(input, 'user') ?? role, scope: text(input, 'scope') ?? 'user/*.cruds' };
}

function personClaims(
  input: CommandInput,
  patient: string | undefined,
  role: string,
): Pick<TokenClaims, 'subject' | 'scope'> {
  if (patient === undefined) throw new CommandError(`role ${role} needs --patient ID`, 2);
  return { subject: text(input, 'user') ?? subjectOf(patient), scope: text(input, 'scope') ?? 'patient/*.cruds' };
}

/** The same patient is the same person each time. */
function subjectOf(patient: string): string {
  return `p-${createHash('sha256').update(patient).digest('hex').slice(0, 32)}`;
}

function text(input: CommandInput, name: string): string | undefined {
  const value = input.options[name];
  return typeof value === 'string' ? value : undefined;
}
