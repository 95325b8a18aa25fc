/** Days as packs carry them: GS1 General Specifications section 3.4.7. */

/** YYMMDD as YYYY-MM-DD, day 00 the last of its month; undefined for what is no day. */
export function dayOf(text: string): string | undefined {
  const [, year, month = '', day = ''] = /^(\d\d)(0[1-9]|1[0-2])([0-2]\d|3[01])$/.exec(text) ?? [];
  if (year === undefined) return undefined;
  const last = new Date(Date.UTC(2000 + Number(year), Number(month), 0)).getUTCDate();
  if (Number(day) > last) return undefined;
  return `20${year}-${month}-${day === '00' ? String(last) : day}`;
}
