/** A permitted access, as the asking gateway goes to doors with it. */
import type { KnownPatient } from '../patient/lookup.js';
import type { EarlyAnswers } from './early.js';

/** Whose doors may be asked under which access. */
export interface Permitted {
  readonly aid: string;
  /** FHIR instant of the tick at which it was decided; absent where the custodian alone knows. */
  readonly at?: string;
  readonly patient: KnownPatient;
  readonly custodians: readonly string[];
  /** Of doors that were asked already. */
  readonly early?: EarlyAnswers;
  /** It opened while the ledger was away: there is nothing to check an answer by. */
  readonly isLate?: true;
}
