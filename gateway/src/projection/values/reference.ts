/** References: `Type/id` where it is ours, the URL otherwise; identifiers of references beside it. */
import { BESIDE, type IndexRows } from './rows.js';

interface Reference {
  readonly reference?: string;
  readonly identifier?: { readonly system?: string; readonly value?: string };
}

const VERSIONED = /^(.*)\/_history\/([^/]+)$/;

/** The literal reference as it is stored and looked for, and the version it names. */
export function literalOf(reference: string, base: string): { readonly target: string; readonly version: string } {
  const local = base !== '' && reference.startsWith(base) ? reference.slice(base.length) : reference;
  const [, target = local, version = ''] = VERSIONED.exec(local) ?? [];
  return { target, version };
}

function reference(rows: IndexRows, parameter: number, value: Reference): void {
  const literal = value.reference;
  if (literal !== undefined && !literal.startsWith('#')) {
    const { target, version } = literalOf(literal, rows.base);
    rows.term(parameter, target, version);
  }
  const identifier = value.identifier;
  if (identifier?.value !== undefined) rows.term(parameter + BESIDE, identifier.value, identifier.system ?? '');
}

function canonical(rows: IndexRows, parameter: number, value: string): void {
  const [url = '', version = ''] = value.split('|');
  rows.term(parameter, url, version);
}

/** Whether a reference names a resource of the type, for `where(resolve() is Type)`. */
export function isTarget(value: Reference & { readonly type?: string }, type: string): boolean {
  if (value.type !== undefined) return value.type === type;
  return value.reference !== undefined && new RegExp(`(^|/)${type}/[^/]+(/_history/[^/]+)?$`).test(value.reference);
}

/** Adds the id of the patient a literal reference names. */
export function patientOf(value: Reference, ids: Set<string>): void {
  const id = /(?:^|\/)Patient\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[^/]+)?$/.exec(value.reference ?? '')?.[1];
  if (id !== undefined) ids.add(id);
}

/** Converters of `reference` parameters. */
export const referenceConverters = {
  Reference: reference,
  canonical,
  uri: canonical,
} as const;
