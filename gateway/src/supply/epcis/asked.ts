/** A request and an answer of the EPCIS interface, free of any HTTP library, and what every endpoint demands first. */
import type { Actor } from '../../ports.js';
import type { EpcisDesk } from './desk.js';
import { EpcisProblem } from './problem.js';
import type { NamedQuery } from './stored.js';

/** A request as the endpoints see it. */
export interface Asked {
  readonly actor: Actor;
  readonly path: string;
  readonly base: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly header: (name: string) => string | undefined;
  /** The body. Throws EpcisProblem. */
  readonly json: () => unknown;
}

/** A response for any HTTP library to send; `body` is written as JSON. */
export interface EpcisAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** One method of one endpoint. */
export type Handler = (desk: EpcisDesk, asked: Asked) => EpcisAnswer | Promise<EpcisAnswer>;
/** Handlers by method. */
export type Endpoint = Readonly<Record<string, Handler>>;

/** Who captures. */
export const KEEPERS = ['supply-operator', 'pharmacist', 'quality-officer', 'carrier'];
/** Who asks. */
export const READERS = [...KEEPERS, 'regulator', 'auditor'];

/** Throws SecurityException for other roles. */
export function allow({ actor }: Asked, roles: readonly string[]): void {
  if (roles.includes(actor.role)) return;
  throw new EpcisProblem('SecurityException', `only these roles may: ${roles.join(', ')}`, 403);
}

/** The value. Throws NoSuchResourceException where there is none. */
export function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new EpcisProblem('NoSuchResourceException', `there is no such ${what}`);
  return value;
}

/** The named query of the path. Throws NoSuchNameException. */
export function named(desk: EpcisDesk, asked: Asked): NamedQuery {
  const query = desk.repository.namedQuery(asked.parameters.name ?? '');
  if (query === undefined) throw new EpcisProblem('NoSuchNameException', 'there is no query of this name');
  return query;
}
