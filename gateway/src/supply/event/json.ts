/** JSON values of EPCIS documents, read defensively. */

/** A JSON object whose members are not checked yet. */
export type JsonMap = Readonly<Record<string, unknown>>;

/** Whether a value is a JSON object. */
export function isMap(value: unknown): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A list as it is, another value as a list of one, nothing as none. */
export function asList(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

/** The strings of a list. */
export function texts(value: unknown): readonly string[] {
  return asList(value).filter((each): each is string => typeof each === 'string');
}

/** A member of an object that is text; undefined otherwise. */
export function textOf(value: unknown, name: string): string | undefined {
  const found = isMap(value) ? value[name] : undefined;
  return typeof found === 'string' ? found : undefined;
}
