import { kind } from '../lib/kind';
import type { AccessRecord, Disclosure, ReadAnchor } from './api';

/** access/<aid>: one record for each request, permitted or denied. */
export const accessKind = kind<AccessRecord>('access', 'care', 'aid');
/** disclosure/<aid>/<manifestId>: what a custodian delivered. */
export const disclosureKind = kind<Disclosure>('disclosure', 'care', 'aid', 'manifestId');
/** read-anchor/<anchorId>: a slice of the member's own read log. */
export const readAnchorKind = kind<ReadAnchor>('read-anchor', 'of-{member}', 'anchorId');
