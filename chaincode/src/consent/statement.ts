import { canonical } from '../lib/canonical';
import { parseJws } from '../lib/jws';
import { fhirId, integer, keyId, object, oneOf, optional, type Parser, text } from '../lib/schema';
import { MAX_VERSION, type RecordConsent, type StatementHeader } from './api';

const version = integer(1, MAX_VERSION);
const parseHeader: Parser<StatementHeader> = object<StatementHeader>({
  alg: oneOf('ES256'),
  kid: keyId,
  typ: optional(text(/^[A-Za-z0-9+.-]{1,64}$/, 'a media type')),
  salus: object({
    channel: text(/^[a-z][a-z0-9.-]*$/, "the channel's name"),
    consent: fhirId,
    version,
    replaces: (value, path) => (value === null ? null : version(value, path)),
  }),
});

/** The header of a statement as far as it can be one; undefined otherwise. Nothing in it is believed yet. */
export function statementHeader(statement: string): StatementHeader | undefined {
  const jws = parseJws(statement);
  if (jws === undefined) return undefined;
  try {
    return parseHeader(jws.header, 'header');
  } catch {
    return undefined;
  }
}

/**
 * What keeps the statement from being about exactly this version of this consent on this channel; undefined when
 * nothing does. Who signed is asked of `signersOf`.
 */
export function statementProblem(request: RecordConsent, statement: string, channel: string): string | undefined {
  const header = statementHeader(statement);
  if (header === undefined) return 'its protected header is not that of a statement';
  const { salus } = header;
  if (salus.channel !== channel) return 'it names another channel';
  if (salus.consent !== request.consentId) return 'it names another consent';
  if (salus.version !== request.version) return 'it names another version';
  if (salus.replaces !== (request.replaces ?? null)) return 'it names another version to replace';
  if (parseJws(statement)?.payload !== canonical(request.consent)) {
    return 'its payload is not the RFC 8785 form of the consent';
  }
  return undefined;
}
