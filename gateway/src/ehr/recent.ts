/** What this gateway wrote a moment ago and the projection has not opened yet: it need not be decrypted again. */
import type { StoredValue } from '@salus/chaincode/ehr/api';

/** Contents remembered at most. */
export const MOST_RECENT = 10_000;

/** Contents by the place and the salt of their stored value, each good for one reading. */
export class RecentContents {
  readonly #contents = new Map<string, { readonly ciphertext: string; readonly plaintext: string }>();

  /** Remembers the plaintext of a value about to be written under a ledger key. */
  keep(ledgerKey: string, { salt, ciphertext }: StoredValue, plaintext: string): void {
    const [oldest] = this.#contents.size >= MOST_RECENT ? this.#contents.keys() : [];
    if (oldest !== undefined) this.#contents.delete(oldest);
    this.#contents.set(`${ledgerKey}${salt}`, { ciphertext, plaintext });
  }

  /** Forgets everything: the keys of some of it were destroyed. */
  clear(): void {
    this.#contents.clear();
  }

  /** The plaintext of this value, if it is the one remembered for this place to the last byte of its ciphertext. */
  take(ledgerKey: string, { salt, ciphertext }: StoredValue): string | undefined {
    const name = `${ledgerKey}${salt}`;
    const found = this.#contents.get(name);
    if (found === undefined) return undefined;
    this.#contents.delete(name);
    return found.ciphertext === ciphertext ? found.plaintext : undefined;
  }
}
