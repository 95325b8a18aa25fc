/** Logs local reads: what a request was permitted to see, before the answer goes out. */
import type { ConsentDecision, Trail } from '../consent/decision.js';
import { outcomeOf } from '../fhir/outcome.js';
import type { Fhir, FhirRequest } from '../fhir/request.js';
import type { Actor } from '../ports.js';
import { NOBODY, type ReadLog } from './read-log.js';

/** The decision whose permits are logged, and the log. */
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
    const { actor, method, path } = request;
    const trail = newTrail();
    const response = await ports.decision.trailing(trail, () => fhir(request));
    try {
      if (response.status < 400 || trail.patients.size > 0)
        await append(ports, { actor, what: `${method} ${path}` }, trail);
      return response;
    } catch (error) {
      // What is committed stays acknowledged (T7), but shows nothing.
      if (!isRead(request)) return { status: response.status, headers: response.headers };
      return { headers: {}, ...outcomeOf(error) };
    }
  };
}

/** A read and what it is called in the log. */
export interface LoggedRead {
  readonly actor: Actor;
  /** HTTP method and path without query. */
  readonly what: string;
}

/** Runs work that reads, and logs whose records it was shown before its result is given out. Throws Refusal. */
export async function loggedWork<T>(ports: LoggedPorts, read: LoggedRead, work: () => Promise<T>): Promise<T> {
  const trail = newTrail();
  const result = await ports.decision.trailing(trail, work);
  await append(ports, read, trail);
  return result;
}

function newTrail(): Trail {
  return { patients: new Set(), searched: false };
}

/** Whether it only reads. */
function isRead({ method, path }: FhirRequest): boolean {
  return method === 'GET' || method === 'HEAD' || path.endsWith('_search');
}

/** One entry for each patient; one without a patient for a search that came upon nobody's record. */
async function append({ log, now }: LoggedPorts, { actor, what }: LoggedRead, { patients, searched }: Trail) {
  const named = patients.size === 0 && searched ? [NOBODY] : [...patients];
  if (named.length === 0) return;
  const { user, role, purpose, mandate } = actor;
  const at = now();
  const as = mandate?.person === undefined ? {} : { person: mandate.person };
  // Who is a delegate is not called a guardian: the patient reads this.
  const known = mandate?.kind === 'delegate' ? mandate.kind : role;
  await log.append(named.map((patient) => ({ at, patient, user, role: known, ...as, purpose, what })));
}
