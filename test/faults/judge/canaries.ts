/** Words planted in what each hospital writes, by which its content is known wherever it may have got to. */
import { join, sep } from 'node:path';
import { holders } from '../../support/bytes-search.js';

const PLANTED = 'CANARY';
const WORDS: Readonly<Record<string, string>> = { stmary: 'CANARY', northside: 'LINNETBIRD' };

/** The story's resources with the word of the member that writes them. */
export function disguised(text: string, member: string): string {
  return text.replaceAll(PLANTED, WORDS[member] ?? PLANTED);
}

/** Files outside a hospital's own data that hold its word, in a state folder whose processes have stopped. */
export function escaped(stateDir: string): string[] {
  return Object.entries(WORDS).flatMap(([member, word]) => {
    const own = join('members', member, 'data') + sep;
    const found = holders(stateDir, word);
    if (!found.some((file) => file.startsWith(own))) throw new Error(`the search does not find ${word} where it is`);
    return found.filter((file) => !file.startsWith(own));
  });
}
