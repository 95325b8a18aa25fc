/** The cold chain: what readings break, by the limits that a lot was committed with. Pure. */
import type { Refusal } from '../lib/refusal';
import { commitmentOf, type Item, type LogClimate, type Lot, type QuarantineRecord, refuse } from './api';
import { meanKineticTemperature } from './kinetic';

/** How units of a lot are kept. */
export interface StorageLimits {
  readonly kind: 'cold' | 'frozen' | 'controlled-room';
  /** Minutes outside its limits that an item may spend in all its life. */
  readonly allowance: number;
}

/** Which limit was broken. */
export type Excursion = 'too-cold' | 'too-warm' | 'out-of-range-too-long' | 'mean-kinetic-temperature';

/** Stored under climate/<item>. */
export interface Climate {
  readonly item: string;
  /** Minutes outside the limits so far. */
  readonly minutesOut: number;
  /** Of the last batch, thousandths of a degree Celsius. */
  readonly meanKinetic: number;
  readonly by: string;
  readonly at: string;
}

/** Limits in thousandths of a degree Celsius: outside `low` and `high` time is counted, beyond the others at once. */
interface Range {
  readonly low: number;
  readonly high: number;
  readonly least: number;
  readonly most: number;
}

const NEVER = 1_000_000;
const RANGES: Readonly<Record<StorageLimits['kind'], Range>> = {
  // What is kept at 2 to 8 degrees may be ruined by frost at once.
  cold: { low: 2_000, high: 8_000, least: 2_000, most: NEVER },
  frozen: { low: -NEVER, high: -15_000, least: -NEVER, most: NEVER },
  // USP <1079>: excursions from 15 to 30 degrees, and spikes to 40, as long as the mean kinetic temperature holds.
  'controlled-room': { low: 15_000, high: 30_000, least: -NEVER, most: 40_000 },
};
/** Highest mean kinetic temperature of a controlled room (USP <1079>). */
const MOST_MEAN_KINETIC = 25_000;
const KEEPERS = ['supply-operator', 'pharmacist', 'quality-officer', 'carrier', 'device-gateway'];

/** What logging finds: what is kept of the readings, and the quarantine where they broke a limit. */
export interface Judged {
  readonly climate: Climate;
  readonly quarantine?: QuarantineRecord;
}

/** Judges a batch of readings by the strictest of the lots' limits; the holder alone brings them. */
export function judgeClimate(
  request: LogClimate,
  caller: { readonly member: string; readonly role: string },
  known: { readonly item: Item; readonly lots: readonly Lot[]; readonly before?: Climate | undefined },
  now: string,
): Judged | Refusal {
  const { item, lots, before } = known;
  const { member, role } = caller;
  if (!KEEPERS.includes(role)) return refuse('not-your-role', `only these roles log: ${KEEPERS.join(', ')}`);
  if (item.holder !== commitmentOf(member, request.salt)) {
    return refuse('not-yours', 'the calling member does not hold it, or the salt is another');
  }
  const limits = lots.flatMap(({ storage }) => (storage === undefined ? [] : [storage]));
  if (limits.length === 0) return refuse('no-storage-limits', 'its lots were committed without limits of storage');
  const meanKinetic = meanKineticTemperature(request.readings);
  const minutes = limits.map(({ kind }) => minutesOut(RANGES[kind], request));
  const minutesSoFar = (before?.minutesOut ?? 0) + Math.max(...minutes);
  const climate = { item: item.id, minutesOut: minutesSoFar, meanKinetic, by: member, at: now };
  const [excursion] = limits.flatMap((each) => excursionOf(each, request.readings, climate) ?? []);
  if (excursion === undefined) return { climate };
  return { climate, quarantine: { id: item.id, standing: 'held', by: member, at: now, excursion } };
}

function minutesOut({ low, high }: Range, { readings, every }: LogClimate): number {
  return readings.filter((each) => each < low || each > high).length * every;
}

function excursionOf(
  { kind, allowance }: StorageLimits,
  readings: readonly number[],
  { minutesOut: minutes, meanKinetic }: Climate,
): Excursion | undefined {
  const { least, most } = RANGES[kind];
  if (readings.some((each) => each < least)) return 'too-cold';
  if (readings.some((each) => each > most)) return 'too-warm';
  if (kind === 'controlled-room' && meanKinetic > MOST_MEAN_KINETIC) return 'mean-kinetic-temperature';
  return minutes > allowance ? 'out-of-range-too-long' : undefined;
}
