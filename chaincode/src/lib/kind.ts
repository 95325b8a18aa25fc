/**
 * Where records lie: `public` state, `care` (hospitals and the witness), `care-keys` (hospitals), or `of-{member}`, the
 * collection that the calling member alone holds. A transaction writes one place.
 */
export type Place = 'public' | 'care' | 'care-keys' | 'of-{member}';

/** A private place as the network must define it: its members by role (`self`: one collection each) and endorsers. */
export interface Collection {
  readonly name: Exclude<Place, 'public'>;
  /** Present where every member has one of its own; `{member}` in the name stands for it. */
  readonly each?: 'member';
  readonly members: 'self' | readonly string[];
  /** How many of its members' peers must endorse a write. */
  readonly endorsers: number;
}

/** Every private place. The build writes this, with the kinds that lie in each, for the network to derive from. */
export const collections: readonly Collection[] = [
  { name: 'of-{member}', each: 'member', members: 'self', endorsers: 1 },
  { name: 'care', members: ['hospital', 'witness'], endorsers: 2 },
  { name: 'care-keys', members: ['hospital'], endorsers: 2 },
];

/** One kind of record: its composite keys are `name` and as many attributes as `attributes` names. */
export interface Kind<T> {
  readonly name: string;
  readonly place: Place;
  readonly attributes: readonly string[];
  /** Carries the record's type alone; never set. */
  readonly shape?: T;
}

/** A stored key taken apart. */
export interface KeyParts {
  readonly name: string;
  readonly attributes: readonly string[];
}

const SEPARATOR = '\u0000';
/** No separator, no text: Fabric's own composite keys accept U+0000, so that two lists could give one key. */
const part = /^[A-Za-z0-9._:-]{1,128}$/;

/** Declares a kind of record. */
export function kind<T>(name: string, place: Place, ...attributes: readonly string[]): Kind<T> {
  return { name, place, attributes };
}

/** Fabric's composite key of these parts: U+0000 name U+0000 (attribute U+0000)*. */
export function composeKey(name: string, attributes: readonly string[]): string {
  const wrong = [name, ...attributes].find((item) => !part.test(item));
  if (wrong !== undefined) throw new Error(`part of a ${name} key has characters outside A-Z a-z 0-9 . _ : -`);
  return `${SEPARATOR}${name}${SEPARATOR}${attributes.map((attribute) => attribute + SEPARATOR).join('')}`;
}

/** The key of one record of this kind. */
export function keyOf(kindOf: Kind<unknown>, ...attributes: readonly string[]): string {
  if (attributes.length !== kindOf.attributes.length) {
    throw new Error(`a ${kindOf.name} key has the attributes ${kindOf.attributes.join(', ')}`);
  }
  return composeKey(kindOf.name, attributes);
}

/** Takes a composite key apart; undefined for any other key. */
export function parseKey(key: string): KeyParts | undefined {
  if (!key.startsWith(SEPARATOR) || !key.endsWith(SEPARATOR) || key.length < 3) return undefined;
  const [name, ...attributes] = key.slice(1, -1).split(SEPARATOR);
  return name === undefined || name === '' ? undefined : { name, attributes };
}
