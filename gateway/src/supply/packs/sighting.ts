/** When and where events say a pack was, and what two of them cannot both be: too far apart for the time, or told backdated. Pure. */
import type { RaiseAlert } from '@salus/chaincode/supply/api';

import { instantMs } from '../event/instant.js';
import { isMap, type JsonMap, textOf } from '../event/json.js';
import type { MasterData } from '../epcis/master-data.js';
import { identity } from '../epcis/match.js';

/** Kilometres an hour that no transport exceeds. */
export const FASTEST_KMH = 1_000;
/** Kilometres within which two places are one: gates of a site, and coordinates given roughly. */
export const NEAR_KM = 50;
/** Hours by which an event may be told of a time before what the ledger has before it: clocks and zones are set wrongly. */
export const BACKDATED_HOURS = 24;

const HOUR_MS = 3_600_000;
const EARTH_RADIUS_KM = 6_371;

/** What an event says of when and where its packs were. */
export interface Sighting {
  /** eventTime, as the event has it. */
  readonly time: string;
  /** Degrees, where the master data of the event's place says them. */
  readonly latitude?: number;
  readonly longitude?: number;
}

/** Namespaces that the attributes of a place lie in (CBV 2.0 section 9, GS1 Web Vocabulary), as names are written here. */
const MASTER_NAMESPACES = ['urn:epcglobal:cbv:mda', 'urn:epcglobal:cbv:mda:', 'https://gs1.org/voc/'];

/** When and where an event was: its read point, or its business location where that one's coordinates are unknown. */
export function sightingIn(event: JsonMap, master: MasterData): Sighting | undefined {
  const time = event.eventTime;
  if (typeof time !== 'string') return undefined;
  const places = [event.readPoint, event.bizLocation].map((each) => textOf(each, 'id') ?? '');
  for (const place of places.filter((each) => each !== '')) {
    const [latitude, longitude] = [degrees(master, place, 'latitude', 90), degrees(master, place, 'longitude', 180)];
    if (latitude !== undefined && longitude !== undefined) return { time, latitude, longitude };
  }
  return { time };
}

function degrees(master: MasterData, place: string, name: string, most: number): number | undefined {
  const said = master(identity(place)).flatMap(({ attributes }) =>
    MASTER_NAMESPACES.flatMap((namespace) => attributes[namespace + name] ?? []),
  );
  const [value] = said.filter((each) => /^[+-]?\d{1,3}(?:\.\d+)?$/.test(each)).map(Number);
  return value !== undefined && Math.abs(value) <= most ? value : undefined;
}

/** A sighting that another member told of; undefined for anything else. */
export function toldSighting(value: unknown): Sighting | undefined {
  if (!isMap(value) || typeof value.time !== 'string' || instantMs(value.time) === undefined) return undefined;
  const { time, latitude, longitude } = value;
  const isPlaced = Number.isFinite(latitude) && Number.isFinite(longitude);
  return isPlaced ? { time, latitude: Number(latitude), longitude: Number(longitude) } : { time };
}

/** The suspicion that an act is whose event was then and there, behind one that the ledger has before it. */
export function suspicionBetween(
  before: Sighting,
  after: Sighting,
): Extract<RaiseAlert['kind'], 'backdating' | 'impossible-travel'> | undefined {
  const [then, now] = [instantMs(before.time), instantMs(after.time)];
  if (then === undefined || now === undefined) return undefined;
  if (now < then - BACKDATED_HOURS * HOUR_MS) return 'backdating';
  const kilometres = distanceOf(before, after);
  if (kilometres === undefined || kilometres <= NEAR_KM) return undefined;
  return kilometres > (Math.abs(now - then) / HOUR_MS) * FASTEST_KMH ? 'impossible-travel' : undefined;
}

/** Kilometres along a great circle; undefined where one of the places is unknown. */
function distanceOf(one: Sighting, other: Sighting): number | undefined {
  const radians = [one.latitude, one.longitude, other.latitude, other.longitude].map(
    (each) => ((each ?? NaN) * Math.PI) / 180,
  );
  const [lat1 = NaN, lon1 = NaN, lat2 = NaN, lon2 = NaN] = radians;
  const half = Math.sin((lat2 - lat1) / 2) ** 2 + Math.cos(lat1) * Math.cos(lat2) * Math.sin((lon2 - lon1) / 2) ** 2;
  const found = 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(half)));
  return Number.isNaN(found) ? undefined : found;
}
