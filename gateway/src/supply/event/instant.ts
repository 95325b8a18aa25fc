/** Instants of events: xsd:dateTimeStamp, whose offset is not optional. */

const INSTANT = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d+))?(Z|[+-](?:0\d|1[0-3]):[0-5]\d|[+-]14:00)$/;

/** Milliseconds since 1970, the fourth decimal place rounding the third; undefined where the text is no instant. */
export function instantMs(text: string): number | undefined {
  const [, local, fraction = '', zone = ''] = INSTANT.exec(text) ?? [];
  if (local === undefined) return undefined;
  // 30 February is read as 2 March: a day that exists is the same day when written again.
  const asUtc = Date.parse(`${local}Z`);
  if (Number.isNaN(asUtc) || !new Date(asUtc).toISOString().startsWith(local)) return undefined;
  return Date.parse(local + zone) + millisOf(fraction);
}

/** The instant in UTC with milliseconds; undefined where the text is no instant. */
export function utcInstant(text: string): string | undefined {
  const ms = instantMs(text);
  return ms === undefined ? undefined : new Date(ms).toISOString();
}

function millisOf(fraction: string): number {
  const roundsUp = (fraction[3] ?? '0') >= '5';
  return Number(fraction.slice(0, 3).padEnd(3, '0')) + (roundsUp ? 1 : 0);
}
