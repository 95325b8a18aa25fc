/** Every reason for which anything is refused falls in one of these; the gateway has one HTTP outcome for each. */
export type Category = 'invalid' | 'forbidden' | 'not-found' | 'conflict' | 'gone' | 'unavailable';

/** A refusal as it crosses to the gateway: JSON in the message of the chaincode's error. Holds nothing personal. */
export interface RefusalData {
  readonly category: Category;
  readonly code: string;
  /** For a developer, in the field's terms: what was wrong and what would be right. Never a value of the request. */
  readonly detail: string;
}

/** A refusal is data; it is an Error only because Fabric carries nothing but an error's message. */
export class Refusal extends Error implements RefusalData {
  override readonly name = 'Refusal';

  constructor(
    readonly category: Category,
    readonly code: string,
    readonly detail: string,
  ) {
    super(JSON.stringify({ category, code, detail }));
  }
}

/** A domain's closed union of codes, each with its category: call it to make a Refusal. */
export interface Refusals<Code extends string> {
  (code: Code, detail: string): Refusal;
  readonly codes: Readonly<Record<Code, Category>>;
}

/** Declares the codes a domain refuses with. */
export function refusals<Code extends string>(codes: Readonly<Record<Code, Category>>): Refusals<Code> {
  return Object.assign((code: Code, detail: string) => new Refusal(codes[code], code, detail), { codes });
}

/** Refusals that come before any domain's rules. */
export const refuseCall = refusals({
  'invalid-request': 'invalid',
  'not-understood': 'invalid',
  'unknown-transaction': 'invalid',
  'timestamp-too-far': 'unavailable',
  'certificate-not-valid': 'forbidden',
  'not-a-gateway': 'forbidden',
  'not-a-member': 'forbidden',
  'actor-missing': 'invalid',
  'role-unknown': 'invalid',
  'no-recent-tick': 'unavailable',
});

/** The value a rule allowed, or its refusal thrown. */
export function allowed<T>(result: T | Refusal): T {
  if (result instanceof Refusal) throw result;
  return result;
}

const categories: readonly unknown[] = ['invalid', 'forbidden', 'not-found', 'conflict', 'gone', 'unavailable'];

/** The refusal inside a peer's error message, which may wrap it in text of its own; undefined when there is none. */
export function decodeRefusal(message: string): RefusalData | undefined {
  const start = message.indexOf('{"category":');
  const end = message.lastIndexOf('}');
  if (start < 0 || end < start) return undefined;
  try {
    const { category, code, detail } = JSON.parse(message.slice(start, end + 1)) as Record<string, unknown>;
    if (typeof code !== 'string' || typeof detail !== 'string' || !categories.includes(category)) return undefined;
    return { category: category as Category, code, detail };
  } catch {
    return undefined;
  }
}
