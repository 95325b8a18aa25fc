/** What patients sign themselves: a compact JWS whose protected header says about which version of what it is (T16). Pure. */
import { parseJws } from './jws';
import { integer, keyId, object, oneOf, optional, type Parser, text } from './schema';

/** Protected header of a statement; `salus` says what it is about. */
export interface SignedHeader<Subject extends SignedVersion> {
  readonly alg: 'ES256';
  /** A key registered by `patient:key`. */
  readonly kid: string;
  readonly typ?: string | undefined;
  readonly salus: Subject;
}

/** The version of something that is signed, on which channel, and the one that it replaces. */
export interface SignedVersion {
  readonly channel: string;
  readonly version: number;
  readonly replaces: number | null;
}

/** Parsers of SignedVersion; versions are 1 to `most`. */
export function signedVersion(most: number): { readonly [K in keyof SignedVersion]: Parser<SignedVersion[K]> } {
  const version = integer(1, most);
  return {
    channel: text(/^[a-z][a-z0-9.-]*$/, "the channel's name"),
    version,
    replaces: (value, path) => (value === null ? null : version(value, path)),
  };
}

/** Reads the header of a statement as far as it can be one; undefined otherwise. Nothing in it is believed yet. */
export function headerReader<Subject extends SignedVersion>(
  salus: Parser<Subject>,
): (statement: string) => SignedHeader<Subject> | undefined {
  const parse = object<SignedHeader<Subject>>({
    alg: oneOf('ES256'),
    kid: keyId,
    typ: optional(text(/^[A-Za-z0-9+.-]{1,64}$/, 'a media type')),
    salus,
  });
  return (statement) => {
    const jws = parseJws(statement);
    if (jws === undefined) return undefined;
    try {
      return parse(jws.header, 'header');
    } catch {
      return undefined;
    }
  };
}
