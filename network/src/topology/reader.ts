import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type ParsedNode,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';

/** A mistake in the topology file: where it is, what is wrong, what would be right. */
export class TopologyError extends Error {
  constructor(
    readonly file: string,
    readonly line: number,
    readonly problem: string,
    readonly remedy: string,
  ) {
    super(`${file}:${line}: ${problem}; ${remedy}`);
    this.name = 'TopologyError';
  }
}

/** A map of the file with the name it is called in errors. */
export interface Section {
  readonly node: YAMLMap<ParsedNode, ParsedNode | null>;
  /** Such as "member stmary". */
  readonly title: string;
}

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly fallback?: number;
}

interface TextRule {
  readonly pattern: RegExp;
  /** What would be right, in words. */
  readonly expect: string;
  readonly fallback?: string;
}

/** Reads typed values out of a YAML text and refuses everything else with its line. */
export class TopologyReader {
  private readonly lines = new LineCounter();
  private readonly document: Document.Parsed;

  constructor(
    readonly file: string,
    text: string,
  ) {
    this.document = parseDocument(text, { lineCounter: this.lines, version: '1.2' });
    const [error] = this.document.errors;
    if (error) {
      const line = error.linePos?.[0].line ?? 1;
      throw new TopologyError(file, line, `not valid YAML: ${error.message.split('\n', 1)[0] ?? ''}`, 'correct it');
    }
  }

  /** The whole file, which must be a map of these keys. */
  root(keys: readonly string[]): Section {
    return this.section(this.document.contents, 'the file', keys);
  }

  /** Throws a TopologyError at the node, or at the key when there is one. */
  fail(at: Section | ParsedNode | null, problem: string, remedy: string, key?: string): never {
    const node = at && 'node' in at ? (key !== undefined && this.keyNode(at, key)) || at.node : at;
    const offset = node?.range?.[0] ?? 0;
    throw new TopologyError(this.file, this.lines.linePos(offset).line, problem, remedy);
  }

  section(node: unknown, title: string, keys: readonly string[]): Section {
    if (!isMap<ParsedNode, ParsedNode | null>(node)) {
      return this.fail(node as ParsedNode | null, `${title} is no map`, `give the keys ${keys.join(', ')}`);
    }
    for (const { key } of node.items) {
      const name = String(isScalar(key) ? key.value : key);
      if (!keys.includes(name)) this.fail(key, `${title} has the unknown key ${name}`, `use ${keys.join(', ')}`);
    }
    return { node, title };
  }

  /** A map under a key; absent when optional. */
  child(parent: Section, key: string, title: string, keys: readonly string[]): Section | undefined {
    const node = parent.node.get(key, true) as unknown;
    return node === undefined ? undefined : this.section(node, title, keys);
  }

  /** The children of a list under a key, with the nodes for errors. */
  list(parent: Section, key: string, max: number): ParsedNode[] {
    const node = parent.node.get(key, true) as unknown;
    if (node === undefined) return [];
    if (!isSeq(node)) return this.fail(parent, `${key} of ${parent.title} is no list`, 'give a list', key);
    const items = (node as YAMLSeq<ParsedNode>).items;
    if (items.length > max) {
      const problem = `${parent.title} has ${items.length} ${key}`;
      this.fail(parent, problem, `give at most ${max}`, key);
    }
    return items;
  }

  text(parent: Section, key: string, rule: TextRule): string {
    const value = parent.node.get(key) as unknown;
    if (value === undefined && rule.fallback !== undefined) return rule.fallback;
    if (typeof value === 'string' && rule.pattern.test(value)) return value;
    return this.fail(parent, `${key} of ${parent.title} is ${shown(value)}`, `give ${rule.expect}`, key);
  }

  /** A scalar of a list. */
  item(node: ParsedNode, title: string, rule: TextRule): string {
    const value: unknown = isScalar(node) ? node.value : undefined;
    if (typeof value === 'string' && rule.pattern.test(value)) return value;
    return this.fail(node, `${title} is ${shown(value)}`, `give ${rule.expect}`);
  }

  count(parent: Section, key: string, bounds: Bounds): number {
    const value = parent.node.get(key) as unknown;
    if (value === undefined && bounds.fallback !== undefined) return bounds.fallback;
    if (typeof value === 'number' && Number.isInteger(value) && value >= bounds.min && value <= bounds.max) {
      return value;
    }
    const remedy = `give a whole number from ${bounds.min} to ${bounds.max}`;
    return this.fail(parent, `${key} of ${parent.title} is ${shown(value)}`, remedy, key);
  }

  flag(parent: Section, key: string): boolean {
    const value = parent.node.get(key) as unknown;
    if (value === undefined) return false;
    if (typeof value === 'boolean') return value;
    return this.fail(parent, `${key} of ${parent.title} is ${shown(value)}`, 'give true or false', key);
  }

  choice<T extends string | boolean>(parent: Section, key: string, allowed: readonly T[], fallback: T): T {
    const value = parent.node.get(key) as unknown;
    if (value === undefined) return fallback;
    const found = allowed.find((each) => each === value);
    return found ?? this.fail(parent, `${key} of ${parent.title} is ${shown(value)}`, `give ${either(allowed)}`, key);
  }

  private keyNode(section: Section, key: string): ParsedNode | undefined {
    return section.node.items.find((pair) => isScalar(pair.key) && pair.key.value === key)?.key;
  }
}

/** "a, b or c". */
export function either(values: readonly (string | number | boolean)[]): string {
  const last = values.at(-1) ?? '';
  return values.length < 2 ? String(last) : `${values.slice(0, -1).join(', ')} or ${last}`;
}

function shown(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value);
}
