/** Words on links that patients signed themselves: whoever brought one, it counts by the key that its side registered (T16). */
import { type LinkStatementHeader, linkStatementPayload } from '@salus/chaincode/patient/api';
import { decodeProtectedHeader } from 'jose';

import { SIGNATURE } from '../identity/keys.js';
import { canonicalForm, saysWith } from '../identity/statements.js';
import { comparePlaces, type Place } from '../projection/place.js';
import type { Facts, PatientLookup } from './lookup.js';
import { keyOf, type ProjectedWord, REGISTERED_SPACE, REVOKED_SPACE } from './project.js';

/** What each custodian's own transactions say of its patients and their keys. */
export interface SignedLinkPorts {
  readonly facts: Pick<Facts, 'fact'>;
  readonly lookup: Pick<PatientLookup, 'byPid'>;
  readonly channel: string;
}

/** A word of the second side makes this version of a link, and replaces the one before. */
const CONFIRMED = 2;

/**
 * Whether a word that the other custodian brought is the patient's: that two members endorsed it does not make it so. The
 * key is one that the word's custodian registered before, and had not revoked.
 */
export function isSignedWord(ports: SignedLinkPorts, linkId: string, word: ProjectedWord): boolean {
  const { signed } = word;
  const header = signed && readHeader(signed.statement);
  const payload = header && payloadOf(ports, word);
  if (payload === undefined || !isAbout(header, ports.channel, linkId)) return false;
  const key = keyInForce(ports, word, header?.kid ?? '', signed);
  return key !== undefined && saysWith(key, signed?.statement ?? '') === payload;
}

function readHeader(statement: string): LinkStatementHeader | undefined {
  try {
    const header = decodeProtectedHeader(statement) as Partial<LinkStatementHeader>;
    return header.alg === SIGNATURE && header.kid !== undefined ? (header as LinkStatementHeader) : undefined;
  } catch {
    return undefined;
  }
}

function isAbout(header: LinkStatementHeader | undefined, channel: string, linkId: string): boolean {
  const { salus } = (header ?? {}) as Partial<LinkStatementHeader>;
  if (salus?.channel !== channel || salus.link !== linkId) return false;
  return salus.version === CONFIRMED && salus.replaces === CONFIRMED - 1;
}

/** That both are one person, under the FHIR ids by which their custodians know them. */
function payloadOf({ lookup }: SignedLinkPorts, { sides }: ProjectedWord): string | undefined {
  const patients = sides.flatMap(({ pid, custodian }) => {
    const patient = lookup.byPid(pid)?.custodians[custodian]?.patientId;
    return patient === undefined ? [] : [{ custodian, patient }];
  });
  return patients.length === sides.length ? canonicalForm(linkStatementPayload(true, patients)) : undefined;
}

/** The public key at the word's place in the ledger's order. */
function keyInForce(
  { facts }: SignedLinkPorts,
  { member, sides }: ProjectedWord,
  kid: string,
  at: Place | undefined,
): object | undefined {
  const pid = sides.find(({ custodian }) => custodian === member)?.pid;
  if (pid === undefined || at === undefined) return undefined;
  const [registered, revoked] = [REGISTERED_SPACE, REVOKED_SPACE].map((space) => {
    const fact = facts.fact(space, keyOf(pid, member, kid));
    return fact === undefined ? undefined : (JSON.parse(fact) as Place & { readonly x: string; readonly y: string });
  });
  if (registered === undefined || comparePlaces(registered, at) >= 0) return undefined;
  if (revoked !== undefined && comparePlaces(revoked, at) < 0) return undefined;
  return { kty: 'EC', crv: 'P-256', x: registered.x, y: registered.y };
}
