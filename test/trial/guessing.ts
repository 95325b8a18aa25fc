/** An attacker with statistics: does anything that is seen of participants tell the arm they are in? */

/** What is seen of one participant, by name; every participant has the same names. */
export type Seen = Readonly<Record<string, number>>;

/** Standard deviations beyond which something is no chance: once in 16,000 features that say nothing. */
export const NO_CHANCE = 4;

/** Names of what separates the arms: by ranks (Mann-Whitney, ties corrected), or by classes where values are few. */
export function tells(seen: readonly Seen[], isFirst: readonly boolean[]): readonly string[] {
  return Object.keys(seen[0] ?? {}).filter((name) => {
    const values = seen.map((each) => each[name] ?? 0);
    return Math.abs(rankScore(values, isFirst)) > NO_CHANCE || classScore(values, isFirst) > NO_CHANCE;
  });
}

/** z of the rank sum of the first arm. */
function rankScore(values: readonly number[], isFirst: readonly boolean[]): number {
  const n = values.length;
  const first = isFirst.filter(Boolean).length;
  const { ranks, ties } = ranked(values);
  const sum = ranks.reduce((total, rank, index) => total + (isFirst[index] === true ? rank : 0), 0);
  const variance = ((first * (n - first)) / 12) * (n + 1 - ties / (n * (n - 1)));
  return variance === 0 ? 0 : (sum - (first * (n + 1)) / 2) / Math.sqrt(variance);
}

/** Ranks from 1, equal values sharing the middle of theirs; and the sum of t^3 - t over ties. */
function ranked(values: readonly number[]): { readonly ranks: readonly number[]; readonly ties: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const places = new Map<number, { readonly first: number; count: number }>();
  sorted.forEach((value, index) => {
    const place = places.get(value) ?? { first: index + 1, count: 0 };
    place.count += 1;
    places.set(value, place);
  });
  const rankOf = (value: number): number => {
    const { first = 0, count = 1 } = places.get(value) ?? {};
    return first + (count - 1) / 2;
  };
  return {
    ranks: values.map(rankOf),
    ties: [...places.values()].reduce((sum, { count }) => sum + count ** 3 - count, 0),
  };
}

/** Chi-square of up to 16 classes as standard deviations of its own distribution (Wilson and Hilferty); 0 for more. */
function classScore(values: readonly number[], isFirst: readonly boolean[]): number {
  const classes = new Map<number, { all: number; first: number }>();
  values.forEach((value, index) => {
    const { all, first } = classes.get(value) ?? { all: 0, first: 0 };
    classes.set(value, { all: all + 1, first: first + (isFirst[index] ? 1 : 0) });
  });
  const freedom = classes.size - 1;
  if (freedom < 1 || freedom > 15) return 0;
  const share = isFirst.filter(Boolean).length / values.length;
  let chi = 0;
  for (const { all, first } of classes.values()) chi += (first - all * share) ** 2 / (all * share * (1 - share));
  const spread = 2 / (9 * freedom);
  return (Math.cbrt(chi / freedom) - 1 + spread) / Math.sqrt(spread);
}

/** How many standard deviations better than chance the nearest centre of the one half guesses the other half's arms. */
export function guesses(seen: readonly Seen[], isFirst: readonly boolean[]): number {
  const names = Object.keys(seen[0] ?? {});
  const scaled = seen.map((each) => names.map((name) => each[name] ?? 0));
  names.forEach((_, column) => {
    scale(scaled, column);
  });
  const centre = (arm: boolean): number[] => {
    const own = scaled.filter((_, index) => index % 2 === 0 && isFirst[index] === arm);
    return names.map((_, column) => own.reduce((sum, row) => sum + (row[column] ?? 0), 0) / own.length);
  };
  const [one, other] = [centre(true), centre(false)];
  const guessed = scaled.map((row) => distance(row, one) < distance(row, other));
  const tried = guessed.filter((_, index) => index % 2 === 1).length;
  const right = guessed.filter((guess, index) => index % 2 === 1 && guess === isFirst[index]).length;
  return (right - tried / 2) / Math.sqrt(tried / 4);
}

function scale(rows: number[][], column: number): void {
  const values = rows.map((row) => row[column] ?? 0);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) || 1;
  for (const row of rows) row[column] = ((row[column] ?? 0) - mean) / deviation;
}

function distance(row: readonly number[], centre: readonly number[]): number {
  return row.reduce((sum, value, column) => sum + (value - (centre[column] ?? 0)) ** 2, 0);
}
