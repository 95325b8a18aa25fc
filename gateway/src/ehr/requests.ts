/** What tells one client's request from another: what it writes, whatever ids were made for it. */
import type { ResourceWrite } from '../ports.js';

/** `Type/id/_history/version` of a write. */
export function writtenOf({ type, id, expect }: ResourceWrite): string {
  return `${type}/${id}/_history/${expect + 1}`;
}

/**
 * A text equal for two requests that write the same. Ids of new resources differ from one try to the next, so they are
 * put as their place in the request, wherever they are referred to.
 */
export function requestDigest(writes: readonly ResourceWrite[]): string {
  const places = new Map(writes.flatMap(({ id, expect }, index) => (expect === 0 ? [[id, `#${index}`] as const] : [])));
  const ids =
    places.size === 0
      ? undefined
      : new RegExp([...places.keys()].map((id) => id.replaceAll('.', '\\.')).join('|'), 'g');
  const neutral = (text: string): string =>
    ids === undefined ? text : text.replace(ids, (id) => places.get(id) ?? id);
  return JSON.stringify(
    writes.map(({ type, id, expect, text }) => [type, neutral(id), expect, text === undefined ? null : neutral(text)]),
  );
}
