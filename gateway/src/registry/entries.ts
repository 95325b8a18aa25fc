/** The registry's first entries, as this gateway's settings give them: every member approves the same at first start. */
import { createHash, X509Certificate } from 'node:crypto';

import type { ConsortiumEntry, MemberEntry, RegistryEntry } from '@salus/chaincode/registry/api';

import { canonicalForm } from '../identity/statements.js';
import type { GatewaySettings, MemberSettings } from '../settings.js';

/** The founding entry: its members in the order in which they tick the clock, and the entry of each. */
export function consortiumEntry({ members }: Pick<GatewaySettings, 'members'>): ConsortiumEntry {
  return {
    kind: 'consortium',
    members: members.map(({ name, mspId }) => ({ name, mspId })),
    entries: members.map(memberEntry),
  };
}

/** A member's entry. */
export function memberEntry(member: MemberSettings): MemberEntry {
  return {
    kind: 'member',
    name: member.name,
    mspId: member.mspId,
    roles: member.roles,
    gcp: member.gcp,
    ...(member.pgln === undefined ? {} : { pgln: member.pgln }),
    premises: member.sgln,
    gatewayUrl: member.baseUrl,
    doorUrl: member.doorUrl,
    keys: member.keys,
    doorRoots: [rootHash(member.doorRoot)],
  };
}

/** The hash by which members approve an entry: SHA-256 of its RFC 8785 form, lower-case hex. */
export function entryHash(entry: RegistryEntry): string {
  return createHash('sha256').update(canonicalForm(entry)).digest('hex');
}

/** Lower-case hex SHA-256 of a certificate's DER, given as PEM or read. */
export function rootHash(root: string | { readonly raw: Uint8Array }): string {
  const { raw } = typeof root === 'string' ? new X509Certificate(root) : root;
  return createHash('sha256').update(raw).digest('hex');
}
