/** Version and time are not part of what is written: they are put into the text when the ledger gave them. */
import { parseExactly, type JsonObject } from './json.js';

const ORDERED = /^\{"resourceType":"[A-Za-z]+","id":"[A-Za-z0-9.-]+",("meta":\{)?/;

/**
 * The resource's JSON text with meta.versionId and meta.lastUpdated set; decimals keep their digits.
 * `text` is a JSON object with resourceType and id; `lastUpdated` a FHIR instant.
 */
export function withVersion(text: string, version: number, lastUpdated: string): string {
  const own = `"versionId":"${version}","lastUpdated":"${lastUpdated}"`;
  const start = ORDERED.exec(text);
  // What writtenText made starts with type, id and meta without the two: no need to read the rest.
  if (start !== null && !text.includes('"versionId"') && !text.includes('"lastUpdated"')) {
    const [head, meta] = start;
    const rest = text.slice(head.length);
    if (meta === undefined) return `${head}"meta":{${own}},${rest}`;
    return rest.startsWith('}') ? `${head}${own}${rest}` : `${head}${own},${rest}`;
  }
  const { resourceType, id, meta, ...rest } = parseExactly(text) as JsonObject;
  return JSON.stringify({
    resourceType,
    id,
    meta: { ...bareMeta(meta), versionId: String(version), lastUpdated },
    ...rest,
  });
}

/** The text that is written to the ledger: type, id, meta first, without meta.versionId and meta.lastUpdated. */
export function writtenText(resource: JsonObject, newId: string): string {
  const { resourceType, meta, ...rest } = without(resource, 'id');
  const bare = bareMeta(meta);
  const kept = Object.keys(bare).length === 0 ? {} : { meta: bare };
  return JSON.stringify({ resourceType, id: newId, ...kept, ...rest });
}

function bareMeta(meta: unknown): JsonObject {
  if (typeof meta !== 'object' || meta === null) return {};
  return without(meta as JsonObject, 'versionId', 'lastUpdated');
}

function without(object: JsonObject, ...names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}
