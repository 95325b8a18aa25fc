/** Temperatures over time as a picture, for whoever decides what becomes of a pack. Pure. */
import { html, type Html } from '../../pages/html.js';
import type { ReadBatch } from './readings.js';

const [WIDTH, HEIGHT, LEFT, BOTTOM] = [720, 300, 48, 28];
/** Points drawn at most: of more readings the least and the most of each stretch. */
const MOST_POINTS = 1_000;
const MINUTE_MS = 60_000;

interface Point {
  readonly at: number;
  readonly degrees: number;
}

/** SVG of all readings, in the order of time, with the limits as lines, degrees Celsius. */
export function plotOf(batches: readonly ReadBatch[], limits: readonly number[]): string {
  const points = batches.flatMap(pointsOf);
  const [first, last] = [points[0]?.at ?? 0, points.at(-1)?.at ?? 0];
  const read = points.map(({ degrees }) => degrees);
  const all = [...read, ...limits];
  const [low, high] = [least(all) - 1, most(all) + 1];
  const x = (at: number): number => LEFT + ((at - first) / Math.max(1, last - first)) * (WIDTH - LEFT - 8);
  const y = (degrees: number): number => 8 + ((high - degrees) / (high - low)) * (HEIGHT - BOTTOM - 8);
  const line = thinned(points)
    .map(({ at, degrees }) => `${x(at).toFixed(1)},${y(degrees).toFixed(1)}`)
    .join(' ');
  const marks = limits.map(
    (limit) =>
      html`<line
          x1="${LEFT}"
          x2="${WIDTH - 8}"
          y1="${y(limit).toFixed(1)}"
          y2="${y(limit).toFixed(1)}"
          stroke="#b00020"
          stroke-dasharray="4 3"
        />
        <text x="4" y="${(y(limit) + 4).toFixed(1)}">${limit} °C</text>`,
  );
  return html`<svg
    xmlns="http://www.w3.org/2000/svg"
    viewBox="0 0 ${WIDTH} ${HEIGHT}"
    font-family="sans-serif"
    font-size="12"
    role="img"
  >
    <title>
      Temperature from ${timeOf(first)} to ${timeOf(last)}, ${least(read)} to ${most(read)} °C with its limits
    </title>
    <rect width="${WIDTH}" height="${HEIGHT}" fill="#fff" />
    ${marks}
    <polyline points="${line}" fill="none" stroke="#0b57a4" stroke-width="1.5" />
    ${axis(first, 'start', LEFT)} ${axis(last, 'end', WIDTH - 8)}
  </svg>`.text;
}

function axis(at: number, anchor: string, x: number): Html {
  return html`<text x="${x}" y="${HEIGHT - 8}" text-anchor="${anchor}">${timeOf(at)}</text>`;
}

function timeOf(at: number): string {
  return new Date(at).toISOString().slice(0, 16).replace('T', ' ');
}

function pointsOf({ from, every, readings }: ReadBatch): readonly Point[] {
  const start = Date.parse(from);
  return readings.map((reading, index) => ({ at: start + index * every * MINUTE_MS, degrees: reading / 1_000 }));
}

/** No spike is lost: of each stretch its least and its most stay. */
function thinned(points: readonly Point[]): readonly Point[] {
  const size = Math.ceil((2 * points.length) / MOST_POINTS);
  if (size <= 2) return points;
  const stretches = Array.from({ length: Math.ceil(points.length / size) }, (_, n) =>
    points.slice(n * size, (n + 1) * size),
  );
  return stretches.flatMap((stretch) => {
    const degrees = stretch.map((each) => each.degrees);
    const ends = [stretch[degrees.indexOf(least(degrees))], stretch[degrees.indexOf(most(degrees))]];
    return ends.filter((each) => each !== undefined).sort((a, b) => a.at - b.at);
  });
}

const least = (numbers: readonly number[]): number => numbers.reduce((a, b) => Math.min(a, b), Infinity);
const most = (numbers: readonly number[]): number => numbers.reduce((a, b) => Math.max(a, b), -Infinity);
