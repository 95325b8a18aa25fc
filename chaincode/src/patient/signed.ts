/** What patients sign themselves: who signed, and whether a statement is about exactly this word on this link. Pure. */
import { canonical } from '../lib/canonical';
import { isSignedBy, parseJws } from '../lib/jws';
import { hex256, object } from '../lib/schema';
import { headerReader, signedVersion } from '../lib/statement';
import { type LinkStatementHeader, linkStatementPayload, type PatientKey } from './api';

/** The states of a link are passed through once each. */
const LAST_VERSION = 3;

/** What a word on a link is about. */
export interface LinkSaid {
  readonly linkId: string;
  /** The link's version that the word makes: 1 proposed; the one after the version in force. */
  readonly version: number;
  /** Whether both are said to be one person. */
  readonly same: boolean;
  /** FHIR ids at the custodians; absent where the ledger knows no such patient. */
  readonly patients: readonly { readonly custodian: string; readonly patient?: string | undefined }[];
}

/** The header of a link's statement as far as it can be one; undefined otherwise. Nothing in it is believed yet. */
export const linkStatementHeader = headerReader<LinkStatementHeader['salus']>(
  object<LinkStatementHeader['salus']>({ ...signedVersion(LAST_VERSION), link: hex256 }),
);

/** What keeps the statement from being exactly this word on this channel; undefined when nothing does. */
export function linkStatementProblem(statement: string, said: LinkSaid, channel: string): string | undefined {
  const header = linkStatementHeader(statement);
  if (header === undefined) return 'its protected header is not that of a statement on a link';
  const { salus } = header;
  if (salus.channel !== channel) return 'it names another channel';
  if (salus.link !== said.linkId) return 'it names another link';
  if (salus.version !== said.version) return 'it names another version';
  if (salus.replaces !== (said.version === 1 ? null : said.version - 1)) return 'it names another version to replace';
  const payload = parseJws(statement)?.payload ?? '';
  if (payload !== canonical(linkStatementPayload(said.same, known(said, payload)))) {
    return 'its payload does not say so of these two patients';
  }
  return undefined;
}

/** Of a patient whom the ledger does not know the id is the one that the statement names: nobody learns whether it is right. */
function known({ patients }: LinkSaid, payload: string): readonly { custodian: string; patient: string }[] {
  return patients.map(({ custodian, patient }) => ({ custodian, patient: patient ?? namedIn(payload, custodian) }));
}

function namedIn(payload: string, custodian: string): string {
  try {
    const { patients } = JSON.parse(payload) as { patients: readonly { custodian: string; patient: string }[] };
    return patients.find((each) => each.custodian === custodian)?.patient ?? '';
  } catch {
    return '';
  }
}

/** What keeps a key from signing for the patient at its custodian; `clock` (FHIR instant) where the key has an end. */
export function keyProblem(
  statement: string,
  key: PatientKey | undefined,
  clock: string | undefined,
): string | undefined {
  // What the custodian's wallet signs is the custodian's word, which its own transaction gives.
  if (key === undefined || key.holder === 'custodian') return 'no key of the patient that the custodian registered';
  if (key.until !== undefined && (clock === undefined || clock >= key.until)) return 'the key has ended';
  return signersOf(statement, [key]).length === 0 ? 'the key did not sign it, or was revoked' : undefined;
}

/** Custodians one of whose active keys signed the statement. */
export function signersOf(statement: string, keys: readonly PatientKey[]): readonly string[] {
  const jws = parseJws(statement);
  if (jws === undefined) return [];
  return keys.filter((key) => key.state === 'active' && isSignedBy(jws, key.jwk)).map((key) => key.custodian);
}
