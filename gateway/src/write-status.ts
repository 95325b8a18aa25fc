/** What became of a write that was answered with "unknown" ($write-status). */
import type { WriteStatus } from './fhir/request.js';
import { fhirBase } from './identity/issuer.js';
import { type EhrWriter, isAlreadyDone } from './ehr/writer.js';
import type { Outbox } from './ledger/outbox.js';
import type { GatewaySettings } from './settings.js';

/** Answers from the outbox: the asker's own keys only. */
export function writeStatusOf(ports: {
  readonly settings: Pick<GatewaySettings, 'baseUrl'>;
  readonly writer: Pick<EhrWriter, 'outboxKey'>;
  readonly outbox: Pick<Outbox, 'find'>;
}): WriteStatus {
  return (actor, key) => {
    const found = ports.outbox.find(ports.writer.outboxKey(actor, key));
    if (found === undefined) return Promise.resolve(undefined);
    const { standing } = found;
    // Refused because the member's other gateway had written it under the same key: then it is there.
    const isThere = standing.state === 'committed' || (standing.state === 'refused' && isAlreadyDone(standing.refusal));
    if (standing.state === 'refused' && !isThere) return Promise.resolve({ state: 'failed' });
    if (!isThere) return Promise.resolve({ state: 'unknown' });
    const [first] = found.written;
    const location = first === undefined ? {} : { location: `${fhirBase(ports.settings.baseUrl)}/${first}` };
    return Promise.resolve({ state: 'committed', ...location });
  };
}
