/** Refusals as data: what the chaincode, the ledger or the gateway itself declines, and why. */

/** The categories a refusal can have; one table maps them to HTTP. */
export const REFUSAL_CATEGORIES = ['invalid', 'forbidden', 'not-found', 'conflict', 'gone', 'unavailable'] as const;

export type RefusalCategory = (typeof REFUSAL_CATEGORIES)[number];

/** A request declined: a category for machines, a code from a closed list per domain, a detail for people. */
export class Refusal extends Error {
  constructor(
    readonly category: RefusalCategory,
    /** Such as `version-conflict`; never holds patient data. */
    readonly code: string,
    readonly detail: string,
    options?: ErrorOptions,
  ) {
    super(`${category}/${code}: ${detail}`, options);
    this.name = 'Refusal';
  }
}

/** Finds the chaincode's encoded refusal (JSON) in a text of Fabric's, such as `chaincode response 500, {...}`. */
export function parseRefusal(text: string): Refusal | undefined {
  const start = text.indexOf('{"category":');
  const end = text.lastIndexOf('}');
  if (start < 0 || end < start) return undefined;
  let data: unknown;
  try {
    data = JSON.parse(text.slice(start, end + 1));
  } catch {
    return undefined;
  }
  if (typeof data !== 'object' || data === null) return undefined;
  const { category, code, detail } = data as Record<string, unknown>;
  if (!isCategory(category) || typeof code !== 'string') return undefined;
  return new Refusal(category, code, typeof detail === 'string' ? detail : '');
}

function isCategory(value: unknown): value is RefusalCategory {
  return (REFUSAL_CATEGORIES as readonly unknown[]).includes(value);
}
