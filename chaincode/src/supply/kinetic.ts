/**
 * Mean kinetic temperature (USP <1079.2>): the one temperature that would have degraded a product as the readings did.
 * In fixed-point decimal arithmetic, so that every endorser gets the same digits; activation energy 83.144 kJ/mol.
 */

/** Decimal places of every intermediate value. */
const PLACES = 60;
const ONE = 10n ** BigInt(PLACES);
/** Activation energy over the gas constant, kelvin: 83.144 kJ/mol over 8.3144 J/(mol K). */
const ENERGY_OVER_R = 10_000n;
/** 0 degrees Celsius in millikelvin. */
const ZERO_CELSIUS_MK = 273_150n;
/** Most readings of one window: 30 days, one a minute. */
export const MAX_READINGS = 43_200;

/**
 * Mean kinetic temperature of readings in thousandths of a degree Celsius, equally spaced in time; the result in the
 * same unit, halves rounded away from zero. RangeError for no reading, too many, or one at absolute zero.
 */
export function meanKineticTemperature(readings: readonly number[]): number {
  if (readings.length === 0 || readings.length > MAX_READINGS) {
    throw new RangeError(`give 1 to ${MAX_READINGS} readings`);
  }
  const counted = new Map<number, bigint>();
  for (const reading of readings) counted.set(reading, (counted.get(reading) ?? 0n) + 1n);
  let sum = 0n;
  for (const [reading, count] of counted) sum += count * warmthOf(reading);
  return meanKineticOf(sum, readings.length);
}

/** e^(-E/RT) of a reading in thousandths of a degree Celsius, in units of 10^-60. RangeError at absolute zero. */
export function warmthOf(reading: number): bigint {
  return exp(-exponentOf(reading));
}

/** The mean kinetic temperature where the warmths of so many readings, or minutes, come to this sum. */
export function meanKineticOf(sum: bigint, count: number): number {
  // T = (E/R) / -ln(mean), in millikelvin with as many places again as are rounded away.
  const scaled = (ENERGY_OVER_R * 1000n * ONE * 1000n) / -ln(sum / BigInt(count));
  return Number(roundThousandth(scaled - ZERO_CELSIUS_MK * 1000n));
}

/** E/(R T) of a reading. */
function exponentOf(reading: number): bigint {
  const kelvin = ZERO_CELSIUS_MK + BigInt(reading);
  if (!Number.isInteger(reading) || kelvin <= 0n)
    throw new RangeError('readings are whole thousandths of a degree Celsius');
  return (ENERGY_OVER_R * 1000n * ONE) / kelvin;
}

function roundThousandth(value: bigint): bigint {
  return value < 0n ? -((-value + 500n) / 1000n) : (value + 500n) / 1000n;
}

/** e^x: halved until small, Taylor's series, squared again. */
function exp(x: bigint): bigint {
  if (x < 0n) return (ONE * ONE) / exp(-x);
  let halvings = 0n;
  let small = x;
  while (small > ONE / 1024n) {
    small /= 2n;
    halvings += 1n;
  }
  let term = ONE;
  let sum = ONE;
  for (let n = 1n; term !== 0n; n += 1n) {
    term = (term * small) / (ONE * n);
    sum += term;
  }
  for (; halvings > 0n; halvings -= 1n) sum = (sum * sum) / ONE;
  return sum;
}

/** Natural logarithm of a positive number: Newton's iteration on e^y = x, from a start by powers of two. */
function ln(x: bigint): bigint {
  let scaled = x;
  let y = 0n;
  for (; scaled < ONE / 2n; scaled *= 2n) y -= LN2;
  for (; scaled > ONE; scaled /= 2n) y += LN2;
  return y + lnNearOne(scaled);
}

/** ln of a number from 1/2 to 1: 2 artanh((x-1)/(x+1)). */
function lnNearOne(x: bigint): bigint {
  const ratio = ((x - ONE) * ONE) / (x + ONE);
  const square = (ratio * ratio) / ONE;
  let power = ratio;
  let sum = 0n;
  for (let n = 1n; power !== 0n; n += 2n) {
    sum += power / n;
    power = (power * square) / ONE;
  }
  return 2n * sum;
}

/** ln 2 = -ln(1/2). */
const LN2 = -lnNearOne(ONE / 2n);
