/** Bearer tokens (RFC 9068, SMART on FHIR, IHE IUA) and the actors they stand for. */
import { mayClaim, purposesOf, type Role } from '@salus/chaincode/access/api';
import { errors, jwtVerify, SignJWT, type JWTPayload, type JWTVerifyGetKey } from 'jose';

import { Refusal } from '../ledger/refusal.js';
import type { Actor, Mandate } from '../ports.js';
import { SIGNATURE, type SigningKey } from './keys.js';
import { roleIn, type RoleTable } from './roles.js';
import { VerifiedTokens } from './verified-tokens.js';

/** Seconds a development token lives. */
export const TOKEN_LIFETIME_S = 12 * 3600;
const CLOCK_TOLERANCE_S = 30;
/** Longest token looked at. */
export const MAX_TOKEN_CHARACTERS = 16_384;

/** What a token says, before it is signed. */
export interface TokenClaims {
  readonly issuer: string;
  /** FHIR base. */
  readonly audience: string;
  readonly subject: string;
  readonly member: string;
  readonly role: string;
  readonly patient?: string;
  readonly scope: string;
  /** Purposes of use the token is good for; empty = all of the role's. */
  readonly purposes: readonly string[];
}

/** How tokens of one member are checked. */
export interface TokenRules {
  readonly member: string;
  readonly issuer: string;
  readonly audience: string;
  readonly keys: JWTVerifyGetKey;
  /** JWS algorithms that tokens may be signed with; absent = ES256. */
  readonly algorithms?: readonly string[];
  /** What the issuer's claims mean here; absent = its tokens name member and role themselves. */
  readonly roles?: RoleTable;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A patient's or guardian's subject as the ledger may show it. */
  readonly pseudonym: (subject: string) => string;
  /** Whether a token that verifies still counts, asked every time; absent = until its end. */
  readonly isInForce?: (payload: JWTPayload) => boolean;
  /** What a guardian, by pseudonym, may do for a patient. */
  readonly mandateOf: (user: string, patient: string) => Mandate;
}

/** Signs a token as the built-in development issuer does: good from `now` (milliseconds) for so many seconds. */
export async function signToken(
  claims: TokenClaims,
  by: SigningKey,
  now: number,
  lifetime = TOKEN_LIFETIME_S,
): Promise<string> {
  const seconds = Math.floor(now / 1000);
  const payload: JWTPayload = {
    member: claims.member,
    role: claims.role,
    scope: claims.scope,
    ...(claims.patient === undefined ? {} : { patient: claims.patient }),
    extensions: { ihe_iua: { purpose_of_use: claims.purposes.map((code) => ({ system: PURPOSE_SYSTEM, code })) } },
  };
  return await new SignJWT(payload)
    .setProtectedHeader({ alg: SIGNATURE, kid: by.kid, typ: 'at+jwt' })
    .setIssuer(claims.issuer)
    .setAudience(claims.audience)
    .setSubject(claims.subject)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + lifetime)
    .sign(by.key);
}

const PURPOSE_SYSTEM = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';

/**
 * The actor behind an Authorization header, for the purpose named in X-Purpose-Of-Use, or the token's first. Throws
 * Refusal: `unauthenticated` when the token is missing or bad, `purpose-not-claimable` when the role may not claim it.
 */
export async function authenticate(
  authorization: string | undefined,
  purposeHeader: string | undefined,
  rules: TokenRules,
): Promise<Actor> {
  const payload = await verified(bearer(authorization), rules);
  const role = roleOf(payload, rules);
  const granted = grantedPurposes(payload, role);
  const purpose = purposeHeader?.trim() ?? granted[0] ?? '';
  if (!granted.includes(purpose) || !mayClaim(role, purpose)) {
    throw new Refusal(
      'forbidden',
      'purpose-not-claimable',
      `${role} may claim ${granted.join(', ')}, and nothing else`,
    );
  }
  const [user, whose] = [userOf(payload, role, rules), patientOf(payload, role)];
  const { patient } = whose;
  return {
    ...{ member: rules.member, user, role, purpose, ...whose },
    ...(role === 'guardian' && patient !== undefined ? { mandate: rules.mandateOf(user, patient) } : {}),
    scopes: typeof payload.scope === 'string' ? payload.scope.split(' ').filter((scope) => scope !== '') : [],
  };
}

function bearer(authorization: string | undefined): string {
  const [, token] = /^Bearer +([A-Za-z0-9_.-]+) *$/i.exec(authorization ?? '') ?? [];
  if (token === undefined || token.length > MAX_TOKEN_CHARACTERS) {
    throw unauthenticated('send Authorization: Bearer <token>; `npm run salus -- token` prints one');
  }
  return token;
}

/** What each member's rules verified lately. */
const lately = new WeakMap<TokenRules, VerifiedTokens>();

async function verified(token: string, rules: TokenRules): Promise<JWTPayload> {
  const tokens = lately.get(rules) ?? new VerifiedTokens();
  lately.set(rules, tokens);
  const now = rules.now();
  const known = tokens.find(token, now);
  const payload = known ?? (await verify(token, rules));
  if (rules.isInForce?.(payload) === false) throw unauthenticated('the token was revoked; get a new one');
  if (known === undefined) tokens.keep(token, payload, now);
  return payload;
}

async function verify(token: string, rules: TokenRules): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, rules.keys, {
      issuer: rules.issuer,
      audience: rules.audience,
      algorithms: [...(rules.algorithms ?? [SIGNATURE])],
      clockTolerance: CLOCK_TOLERANCE_S,
      currentDate: new Date(rules.now()),
      requiredClaims: ['sub', 'exp', ...(rules.roles === undefined ? ['role', 'member'] : [])],
    });
    return payload;
  } catch (error) {
    if (error instanceof errors.JOSEError) throw unauthenticated(reasonOf(error));
    throw error;
  }
}

function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'the token has expired; get a new one';
  if (error instanceof errors.JWTClaimValidationFailed) return `the token's claim ${error.claim} is not right here`;
  return 'the token is not one of this member’s issuer';
}

function roleOf(payload: JWTPayload, rules: TokenRules): Role {
  // An issuer with a table of roles is the member's own: what it issues for this FHIR base is for this member.
  const { member = rules.roles === undefined ? undefined : rules.member } = payload;
  if (member !== rules.member) throw unauthenticated(`the token is not for ${rules.member}`);
  if (rules.roles !== undefined) return tableRole(payload, rules.roles);
  const role = payload.role;
  if (typeof role !== 'string' || !Object.hasOwn(purposesOf, role))
    throw unauthenticated('the token names no known role');
  return role as Role;
}

function tableRole(payload: JWTPayload, table: RoleTable): Role {
  const role = roleIn(table, payload);
  if (role === undefined) throw unauthenticated('the token’s groups give no role here');
  return role;
}

/** The token's purposes, which may be codes or codings (IHE IUA), as far as the role may claim them. */
function grantedPurposes(payload: JWTPayload, role: Role): readonly string[] {
  const { extensions } = payload as { extensions?: { ihe_iua?: { purpose_of_use?: unknown } } };
  const listed = extensions?.ihe_iua?.purpose_of_use;
  if (!Array.isArray(listed) || listed.length === 0) return purposesOf[role];
  const codes = listed.map((each: unknown) =>
    typeof each === 'string' ? each : (each as { code?: unknown } | null)?.code,
  );
  return codes.filter((code): code is string => typeof code === 'string' && mayClaim(role, code));
}

/** The issuer's subject must be an opaque id: it is what consents and access lists name a member of staff by. */
const SUBJECT = /^[A-Za-z0-9._:-]{1,64}$/;

function userOf(payload: JWTPayload, role: Role, rules: TokenRules): string {
  const subject = payload.sub ?? '';
  if (!SUBJECT.test(subject)) throw unauthenticated('the token’s subject must be 1 to 64 of A-Z a-z 0-9 . _ : -');
  return role === 'patient' || role === 'guardian' ? rules.pseudonym(subject) : subject;
}

/** Whose record it is, for patients and guardians; for staff the patient of the SMART launch, if there was one. */
function patientOf(payload: JWTPayload, role: Role): { readonly patient?: string; readonly launch?: string } {
  const named = typeof payload.patient === 'string' && payload.patient !== '' ? payload.patient : undefined;
  if (role !== 'patient' && role !== 'guardian') return named === undefined ? {} : { launch: named };
  if (named === undefined) throw unauthenticated(`a token of role ${role} must name its patient`);
  return { patient: named };
}

function unauthenticated(detail: string): Refusal {
  return new Refusal('forbidden', 'unauthenticated', detail);
}
