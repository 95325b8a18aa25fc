import type { CareConsent } from './terms';

/**
 * The care form of a Consent: what is signed and lies in `care`. No narrative, text, display, contained resource,
 * attachment or free-text extension; those stay with the custodian and are joined again on read.
 */

/** What was split off: JSON Pointer (RFC 6901) into the whole resource, and the value there. */
export type Rest = readonly { readonly path: string; readonly value: unknown }[];

/** A consent split in two: what is decided on goes to `care`, the rest stays at the custodian. */
export interface CareForm {
  readonly care: CareConsent;
  readonly rest: Rest;
}

/** Elements that are free text or carry it, wherever they stand. */
const FREE = ['text', 'display', 'contained', 'sourceAttachment', 'attachment', 'div'];

/** Extension values that cannot hold prose; any other makes the extension free text. */
const PLAIN_VALUES = [
  'valueBoolean',
  'valueCode',
  'valueCoding',
  'valueCodeableConcept',
  'valueDate',
  'valueDateTime',
  'valueDecimal',
  'valueId',
  'valueIdentifier',
  'valueInstant',
  'valueInteger',
  'valueOid',
  'valuePeriod',
  'valuePositiveInt',
  'valueReference',
  'valueUnsignedInt',
  'valueUri',
  'valueUrl',
  'valueUuid',
  'valueCanonical',
];

/** Splits a Consent into its care form and the rest; `rest` is empty when it was in care form already. */
export function careForm(consent: Readonly<Record<string, unknown>>): CareForm {
  const rest: Removed[] = [];
  const care = stripObject(consent, '', rest);
  return { care: { ...care, resourceType: 'Consent' }, rest };
}

/** Joins a care form and its rest to the resource that was split. */
export function joinCareForm(care: CareConsent, rest: Rest): Record<string, unknown> {
  const whole = copy(care) as Record<string, unknown>;
  for (const { path, value } of rest) {
    const names = path.split('/').slice(1).map(unescapePointer);
    insert(whole, names, value);
  }
  return whole;
}

interface Removed {
  readonly path: string;
  readonly value: unknown;
}

/** The value without free text, undefined where nothing is left of it. Removals are noted in document order. */
function strip(name: string, value: unknown, path: string, removed: Removed[]): unknown {
  const inner: Removed[] = [];
  const kept = isFree(name) ? undefined : stripInner(name, value, path, inner);
  removed.push(...(kept === undefined ? [{ path, value }] : inner));
  return kept;
}

function stripInner(name: string, value: unknown, path: string, removed: Removed[]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return stripList(name, value, path, removed);
  if (isExtensionList(name) && isProse(value)) return undefined;
  const kept = stripObject(value, path, removed);
  return Object.keys(kept).length === 0 && removed.length > 0 ? undefined : kept;
}

function stripList(name: string, list: readonly unknown[], path: string, removed: Removed[]): unknown[] | undefined {
  const kept = list.map((item, index) => strip(name, item, `${path}/${index}`, removed));
  const left = kept.filter((item) => item !== undefined);
  return left.length === 0 && list.length > 0 ? undefined : left;
}

function stripObject(value: object, path: string, removed: Removed[]): Record<string, unknown> {
  const present = Object.entries(value).filter(([, part]) => part !== undefined);
  const kept = present.map(
    ([name, part]) => [name, strip(name, part, `${path}/${escapePointer(name)}`, removed)] as const,
  );
  return Object.fromEntries(kept.filter(([, part]) => part !== undefined));
}

function isFree(name: string): boolean {
  return FREE.includes(name.startsWith('_') ? name.slice(1) : name);
}

function isExtensionList(name: string): boolean {
  return name === 'extension' || name === 'modifierExtension';
}

function isProse(extension: object): boolean {
  return Object.keys(extension).some((name) => name.startsWith('value') && !PLAIN_VALUES.includes(name));
}

function insert(target: unknown, names: readonly string[], value: unknown): void {
  const [name, ...deeper] = names;
  if (name === undefined || typeof target !== 'object' || target === null) return;
  const holder = target as Record<string, unknown>;
  if (deeper.length > 0) insert(holder[name], deeper, value);
  else if (Array.isArray(target)) target.splice(Number(name), 0, value);
  else holder[name] = value;
}

function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copy);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, copy(part)]));
}

function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

function unescapePointer(name: string): string {
  return name.replaceAll('~1', '/').replaceAll('~0', '~');
}
