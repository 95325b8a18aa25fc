/** What a percent-encoded text stands for (RFC 3986 section 2.1); undefined for a broken escape. */
export function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
