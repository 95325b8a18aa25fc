import { hash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A set on its way: the number of blocks committed when it was simulated, and the file that holds it. */
interface Kept {
  readonly height: number;
  readonly file: string;
}

const NAME = /^(\d+)-([0-9a-f]+)-([0-9a-f]{64})$/;

/**
 * A member's private write sets whose transactions are not committed yet, a file each in a folder: in a database each
 * would be written four times, once more to overwrite it. They survive the death of the process; a peer that loses
 * power loses them, as endorsement promises nothing.
 */
export class TransientSets {
  private readonly kept = new Map<string, Kept[]>();

  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(folder)) this.find(name);
  }

  /** Ids of transactions with sets on their way. */
  ids(): string[] {
    return [...this.kept.keys()];
  }

  put(txId: string, bytes: Buffer, height: number): void {
    const digest = hash('sha256', bytes, 'hex');
    const known = this.kept.get(txId) ?? [];
    if (known.some(({ file }) => file.endsWith(digest))) return;
    const file = join(this.folder, `${height}-${Buffer.from(txId).toString('hex')}-${digest}`);
    writeFileSync(file, bytes, { mode: 0o600 });
    this.kept.set(txId, [...known, { height, file }]);
  }

  get(txId: string): Buffer[] {
    return this.kept.get(txId)?.map(({ file }) => readFileSync(file)) ?? [];
  }

  /** Forgets the sets of these transactions and those simulated below a height. */
  drop(txIds: readonly string[], below: number): void {
    for (const txId of txIds) this.keepOnly(txId, () => false);
    if (below <= 0) return;
    for (const txId of this.ids()) this.keepOnly(txId, ({ height }) => height >= below);
  }

  private keepOnly(txId: string, isKept: (set: Kept) => boolean): void {
    const sets = this.kept.get(txId);
    if (sets === undefined) return;
    for (const set of sets) if (!isKept(set)) rmSync(set.file, { force: true });
    const left = sets.filter(isKept);
    if (left.length > 0) this.kept.set(txId, left);
    else this.kept.delete(txId);
  }

  /** Takes up a file found on opening; one that a crash left half-written was never answered for. */
  private find(name: string): void {
    const file = join(this.folder, name);
    const [, height = '', id = '', digest] = NAME.exec(name) ?? [];
    if (hash('sha256', readFileSync(file), 'hex') !== digest) {
      rmSync(file);
      return;
    }
    const txId = Buffer.from(id, 'hex').toString();
    this.kept.set(txId, [...(this.kept.get(txId) ?? []), { height: Number(height), file }]);
  }
}
