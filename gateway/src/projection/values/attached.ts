/** Which Binaries a resource attaches: the content is written apart, and says itself of nobody (R4 binary.html). */
import type { JsonObject } from '../../fhir/json.js';
import { literalOf } from './reference.js';

/** Dictionary number of the names of what is attached: no parameter's, which are above 0. */
export const ATTACHED = -8;

/** Elements whose references lead to content: DocumentManifest.content, payload.contentReference of messages. */
const CONTENT = ['content', 'contentReference'];
const BINARY = /^(Binary\/[A-Za-z0-9.-]{1,64})(?:[?#].*)?$/;

/**
 * `Binary/id` of all that a resource attaches, in what it contains or holds, too: `Attachment.url` of whatever type, and
 * references to content. Relative, by `base` (with a slash at its end) or of a version. Whatever the resource holds.
 */
export function attachedIn(resource: JsonObject, base: string): ReadonlySet<string> {
  const found = new Set<string>();
  const add = (link: unknown): void => {
    const [, name] = typeof link === 'string' ? (BINARY.exec(literalOf(link, base).target) ?? []) : [];
    if (name !== undefined) found.add(name);
  };
  // Not by recursion: a resource is as deep as its sender likes.
  const open: { readonly part: object; readonly isContent: boolean }[] = [{ part: resource, isContent: false }];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { part, isContent } = at;
    const { url, reference } = part as JsonObject;
    add(url);
    if (isContent) add(reference);
    for (const [name, inner] of Object.entries(part)) {
      const isInContent = Array.isArray(part) ? isContent : CONTENT.includes(name);
      if (typeof inner === 'object' && inner !== null) open.push({ part: inner as object, isContent: isInContent });
    }
  }
  return found;
}
