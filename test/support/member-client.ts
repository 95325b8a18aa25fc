/** A member's FHIR interface as users find it: its address in endpoints.json, a token of `salus token`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { salus } from './command.js';

/** An answer over HTTP. */
export interface MemberAnswer {
  readonly status: number;
  readonly text: string;
  readonly body: { readonly id?: string; readonly [element: string]: unknown };
}

/** Asks one member's gateway as a physician of its own. */
export interface MemberClient {
  create(resource: { readonly resourceType: string }): Promise<MemberAnswer>;
  /** Below the FHIR base. */
  read(path: string): Promise<MemberAnswer>;
}

/** A client with a token of its own. Throws what the command says when there is none to have. */
export async function memberClient(stateDir: string, member: string, topology?: string): Promise<MemberClient> {
  const { members } = JSON.parse(readFileSync(join(stateDir, 'endpoints.json'), 'utf8')) as {
    members: Record<string, { fhir: string }>;
  };
  const asked = await salus(stateDir, ['token', '--member', member, '--role', 'physician'], topology);
  if (asked.code !== 0) throw new Error(asked.err);
  const headers = { authorization: `Bearer ${asked.out.trim()}`, 'content-type': 'application/fhir+json' };
  const ask = async (path: string, more: RequestInit = {}): Promise<MemberAnswer> => {
    const response = await fetch(`${members[member]!.fhir}/${path}`, { headers, ...more });
    const text = await response.text();
    return { status: response.status, text, body: JSON.parse(text === '' ? '{}' : text) as MemberAnswer['body'] };
  };
  return {
    create: (resource) => ask(resource.resourceType, { method: 'POST', body: JSON.stringify(resource) }),
    read: (path) => ask(path),
  };
}
