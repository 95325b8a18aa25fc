/** Text as searches compare it: without case, accents and runs of blanks (R4 search.html#string). */

/** Longer values are indexed by their start. */
export const INDEXED_TEXT_LENGTH = 512;

const ASCII = /^[\x20-\x7e]*$/;

/** The form in which text is stored and looked for. */
export function normalized(text: string): string {
  const cut = text.length > INDEXED_TEXT_LENGTH ? text.slice(0, INDEXED_TEXT_LENGTH) : text;
  const plain = ASCII.test(cut) ? cut : cut.normalize('NFD').replace(/\p{Mn}/gu, '');
  return plain.toLowerCase().replace(/\s+/g, ' ').trim();
}
