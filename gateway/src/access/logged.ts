/** Logs local reads: what a request was permitted to see, before the answer goes out. */
import type { ConsentDecision } from '../consent/decision.js';
import { outcomeOf } from '../fhir/outcome.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import type { ReadLog } from './read-log.js';

type Fhir = (request: FhirRequest) => Promise<FhirResponse>;

export interface LoggedPorts {
  readonly decision: Pick<ConsentDecision, 'trailing'>;
  readonly log: ReadLog;
  /** FHIR instant. */
  readonly now: () => string;
}

/**
 * The same interface, every read of a patient's record logged: whatever the method, since a patch or a conditional
 * create shows what is there, too. Nothing is shown when the log cannot be written: a read is answered 503.
 */
export function logged(fhir: Fhir, ports: LoggedPorts): Fhir {
  return async (request) => {
    const trail = { patients: new Set<string>() };
    const response = await ports.decision.trailing(trail, () => fhir(request));
    if (trail.patients.size === 0) return response;
    try {
      ports.log.append(entriesOf(request, trail.patients, ports.now()));
      return response;
    } catch (error) {
      // What is committed stays acknowledged (T7), but shows nothing.
      if (!isRead(request)) return { status: response.status, headers: response.headers };
      return { headers: {}, ...outcomeOf(error) };
    }
  };
}

/** Whether it only reads. */
function isRead({ method, path }: FhirRequest): boolean {
  return method === 'GET' || method === 'HEAD' || path.endsWith('_search');
}

function entriesOf({ actor, method, path }: FhirRequest, patients: ReadonlySet<string>, at: string) {
  const { user, role, purpose } = actor;
  return [...patients].map((patient) => ({ at, patient, user, role, purpose, what: `${method} ${path}` }));
}
