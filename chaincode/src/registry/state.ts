import { kind } from '../lib/kind';
import type { Approval, ConsortiumEntry, InForce, MemberEntry, RegistryEntry } from './api';

/** registry/consortium: the members in force. */
export const consortiumKind = kind<InForce<ConsortiumEntry>>('consortium', 'public', 'fixed');
/** The one attribute of the consortium's key. */
export const CONSORTIUM = 'health';
/** member/<name>: the member's entry in force. */
export const memberKind = kind<InForce<MemberEntry>>('member', 'public', 'name');
/** approval/<subject>/<hash>/<member>: one key for each approval. */
export const approvalKind = kind<Approval>('approval', 'public', 'subject', 'hash', 'member');

/** What an entry is about: the subject of its approvals. */
export function subjectOf(entry: RegistryEntry): string {
  return entry.kind === 'consortium' ? 'consortium' : `member:${entry.name}`;
}
