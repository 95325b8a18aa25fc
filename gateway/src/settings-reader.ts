/** Small strict readers for JSON of known shape: unknown keys are refused, errors name the place. */

/** Keys and positions from the file to the value at hand, for errors. */
export type Path = readonly (string | number)[];

/** Takes a value of any shape. Throws a SettingsError that names the path when it is not right. */
export type Reader<T> = (value: unknown, path: Path) => T;

/** A mistake in a settings file: where it is and what would be right. */
export class SettingsError extends Error {
  constructor(path: Path, what: string) {
    const [file, ...inside] = path;
    super(`${file ?? 'settings'}: ${inside.length === 0 ? '' : `${inside.join('.')} `}${what}`);
    this.name = 'SettingsError';
  }
}

/** A reader for a key that may be missing. */
export function absent<T>(read: Reader<T>): Reader<T | undefined> {
  return (value, path) => (value === undefined ? undefined : read(value, path));
}

/** Reads an object with exactly these keys. */
export function asRecord<T extends Record<string, unknown>>(
  value: unknown,
  path: Path,
  fields: { readonly [K in keyof T]: Reader<T[K]> },
): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SettingsError(path, 'must be an object');
  }
  const unknownKey = Object.keys(value).find((key) => !Object.hasOwn(fields, key));
  if (unknownKey !== undefined) {
    throw new SettingsError([...path, unknownKey], `is not known; known are ${Object.keys(fields).join(', ')}`);
  }
  const given = value as Record<string, unknown>;
  const entries = Object.entries<Reader<unknown>>(fields).map(([key, read]) => [key, read(given[key], [...path, key])]);
  return Object.fromEntries(entries.filter(([, read]) => read !== undefined)) as T;
}

/** A reader for lists. */
export function asList<T>(read: Reader<T>): Reader<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new SettingsError(path, 'must be a list');
    return value.map((each, index) => read(each, [...path, index]));
  };
}

/** A text that is not empty. */
export function asText(value: unknown, path: Path): string {
  if (typeof value !== 'string' || value === '') throw new SettingsError(path, 'must be a text that is not empty');
  return value;
}

/** Takes true or false, nothing that only stands for them. */
export function asBoolean(value: unknown, path: Path): boolean {
  if (typeof value !== 'boolean') throw new SettingsError(path, 'must be true or false');
  return value;
}

/** Takes a whole number that JavaScript holds exactly, negative ones too. */
export function asInteger(value: unknown, path: Path): number {
  if (!Number.isSafeInteger(value)) throw new SettingsError(path, 'must be a whole number');
  return value as number;
}

/** A TCP port; 0 lets the system choose one. */
export function asPort(value: unknown, path: Path): number {
  const port = asInteger(value, path);
  if (port < 0 || port > 65_535) throw new SettingsError(path, 'must be a port, 0 to 65535');
  return port;
}

/** An http or https URL without a slash at its end. */
export function asUrl(value: unknown, path: Path): string {
  const text = asText(value, path);
  if (!/^https?:\/\/[^\s/]+/.test(text) || text.endsWith('/') || !URL.canParse(text)) {
    throw new SettingsError(path, 'must be an http or https URL without a slash at its end');
  }
  return text;
}
