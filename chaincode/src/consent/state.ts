import { kind } from '../lib/kind';
import type { ConsentList, ConsentRecord } from './api';

/** consent/<consentId>/<version>: one key for each version. */
export const consentKind = kind<ConsentRecord>('consent', 'care', 'consentId', 'version');
/** consents/<pid>: the one list on the ledger; it is what makes a withdrawal void an access that is being decided. */
export const consentListKind = kind<ConsentList>('consents', 'care', 'pid');
