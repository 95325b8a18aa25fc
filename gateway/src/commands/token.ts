/** `salus token`: a bearer token of the built-in development issuer. */
import { createHash } from 'node:crypto';

import { purposesOf } from '@salus/chaincode/access/api';
import { type Command, CommandError, type CommandInput } from '@salus/network/command';

import { acceptedIssuer, developmentIssuer, fhirBase } from '../identity/issuer.js';
import { readSigningKey } from '../identity/keys.js';
import { signToken, TOKEN_LIFETIME_S, type TokenClaims } from '../identity/tokens.js';
import type { GatewaySettings } from '../settings.js';
import { textOption } from './given.js';
import { memberSettings } from './members.js';

/** The longest that a token of the development issuer is good, minutes. */
export const MAX_TOKEN_MINUTES = TOKEN_LIFETIME_S / 60;

/** `salus token`: prints the token alone, for use in a shell; there is none in production. */
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
    {
      flags: '--minutes <number>',
      summary: `how long it is good, at most ${MAX_TOKEN_MINUTES}`,
      default: String(MAX_TOKEN_MINUTES),
    },
  ],
  async run(input, io) {
    io.out(await mintToken(io.stateDir, wishOf(input)));
    return 0;
  },
};

/** Whom a token is for; scope and purposes default to all that the role may have. */
export interface TokenWish {
  readonly member: string;
  readonly role: string;
  readonly user?: string | undefined;
  readonly patient?: string | undefined;
  readonly scope?: string | undefined;
  readonly purposes?: readonly string[] | undefined;
  /** How long it is good; MAX_TOKEN_MINUTES unless given. */
  readonly minutes?: number | undefined;
}

/** A bearer token of the member's development issuer. Throws CommandError where there is none or the wish is wrong. */
export async function mintToken(stateDir: string, wish: TokenWish): Promise<string> {
  const settings = memberSettings(stateDir, wish.member);
  if (settings.production) throw new CommandError('a production network has no development issuer');
  acceptedIssuer(settings, undefined);
  const claims = claimsOf(wish, settings);
  const now = Date.now() + settings.clockOffsetMs;
  return await signToken(claims, readSigningKey(settings.jwk), now, lifetimeOf(wish));
}

function wishOf(input: CommandInput): TokenWish {
  return {
    member: textOption(input, 'member') ?? '',
    role: textOption(input, 'role') ?? '',
    user: textOption(input, 'user'),
    patient: textOption(input, 'patient'),
    scope: textOption(input, 'scope'),
    purposes: textOption(input, 'purpose')?.split(','),
    minutes: Number(textOption(input, 'minutes') ?? MAX_TOKEN_MINUTES),
  };
}

/** Seconds. */
function lifetimeOf({ minutes = MAX_TOKEN_MINUTES }: TokenWish): number {
  if (Number.isInteger(minutes) && minutes >= 1 && minutes <= MAX_TOKEN_MINUTES) return minutes * 60;
  throw new CommandError(`--minutes must be a whole number from 1 to ${MAX_TOKEN_MINUTES}`, 2);
}

function claimsOf(wish: TokenWish, settings: GatewaySettings): TokenClaims {
  const role = knownRole(wish.role);
  return {
    issuer: developmentIssuer(settings.baseUrl),
    audience: fhirBase(settings.baseUrl),
    member: settings.member,
    role,
    ...(wish.patient === undefined ? {} : { patient: wish.patient }),
    ...(OWN_RECORD.has(role) ? personClaims(wish) : staffClaims(wish)),
    purposes: wish.purposes ?? [],
  };
}

/** Roles that see one patient's record. */
const OWN_RECORD: ReadonlySet<string> = new Set(['patient', 'guardian']);

function knownRole(role: string): string {
  if (Object.hasOwn(purposesOf, role)) return role;
  throw new CommandError(`no role ${role}; roles are ${Object.keys(purposesOf).join(', ')}`, 2);
}

function staffClaims({ user, role, scope }: TokenWish): Pick<TokenClaims, 'subject' | 'scope'> {
  return { subject: user ?? role, scope: scope ?? 'user/*.cruds' };
}

function personClaims({ user, role, patient, scope }: TokenWish): Pick<TokenClaims, 'subject' | 'scope'> {
  if (patient === undefined) throw new CommandError(`role ${role} needs --patient ID`, 2);
  return { subject: user ?? subjectOf(patient), scope: scope ?? 'patient/*.cruds' };
}

/** The same patient is the same person each time. */
function subjectOf(patient: string): string {
  return `p-${createHash('sha256').update(patient).digest('hex').slice(0, 32)}`;
}
