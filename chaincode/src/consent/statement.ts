import { canonical } from '../lib/canonical';
import { parseJws } from '../lib/jws';
import { fhirId, object } from '../lib/schema';
import { headerReader, signedVersion } from '../lib/statement';
import { MAX_VERSION, type RecordConsent, type StatementHeader } from './api';

/** The header of a consent's statement as far as it can be one; undefined otherwise. Nothing in it is believed yet. */
export const statementHeader = headerReader<StatementHeader['salus']>(
  object<StatementHeader['salus']>({ ...signedVersion(MAX_VERSION), consent: fhirId }),
);

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
