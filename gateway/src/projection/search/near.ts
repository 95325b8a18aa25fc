/** Distances on the globe: `near=latitude|longitude|distance|units` (R4 location.html#positional). */
import { Refusal } from '../../ledger/refusal.js';
import { PLACE } from '../values/position.js';
import { anyOf, NOTHING, type Condition } from './condition.js';
import type { Alternative } from './ranges.js';
import type { Terms } from './terms.js';
import { conversion } from './units.js';
import { split, unescaped } from './values.js';

/** Mean radius of the earth, km. */
const RADIUS = 6371.0088;
/** How far is near when it is not said, km. */
const NEAR = 50;
const DEGREE = Math.PI / 180;

/** Positions within any of the circles. Throws Refusal for what is no place or no distance. */
export function nearby(parameter: number, values: readonly string[], terms: Terms): Condition {
  const places = terms.exactly(parameter, PLACE);
  const alternatives = values.map((value) => within(circleOf(value), places));
  return places.length === 0 ? NOTHING : anyOf('pair x', alternatives);
}

interface Circle {
  readonly latitude: number;
  readonly longitude: number;
  /** Kilometres. */
  readonly distance: number;
}

function circleOf(value: string): Circle {
  const [latitude = '', longitude = '', distance = '', unit = ''] = split(value, '|').map(unescaped);
  const circle = {
    latitude: degrees(latitude, 90),
    longitude: degrees(longitude, 180),
    distance: distance === '' ? NEAR : kilometres(distance, unit === '' ? 'km' : unit),
  };
  if (Object.values(circle).every(Number.isFinite) && circle.distance >= 0) return circle;
  throw new Refusal('invalid', 'bad-value', 'near is latitude|longitude|distance|units, such as 48.2|16.4|10|km');
}

/** NaN where the unit is none of length. */
function kilometres(distance: string, unit: string): number {
  return conversion(unit, 'km')?.(Number(distance)) ?? Number.NaN;
}

/** NaN where it is no number of degrees. */
function degrees(text: string, most: number): number {
  return text !== '' && Math.abs(Number(text)) <= most ? Number(text) : Number.NaN;
}

/** The index walks the belt of latitudes; the distance on the sphere decides. */
function within({ latitude, longitude, distance }: Circle, places: readonly number[]): Alternative {
  const belt = distance / RADIUS / DEGREE;
  const cosine = 'sin(radians(x.low)) * ? + cos(radians(x.low)) * ? * cos(radians(x.high - ?))';
  return {
    where: `x.left IN (SELECT value FROM json_each(?)) AND x.right = 0 AND x.low BETWEEN ? AND ? AND acos(max(-1, min(1, ${cosine}))) <= ?`,
    values: [
      ...[JSON.stringify(places), latitude - belt, latitude + belt],
      ...[Math.sin(latitude * DEGREE), Math.cos(latitude * DEGREE), longitude, distance / RADIUS],
    ],
  };
}
