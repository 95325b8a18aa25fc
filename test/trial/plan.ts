/** What the trial of these tests is: its protocol, its parties, its lists. */
import { createHash } from 'node:crypto';
import type { Allotted, Outcome, Protocol } from '@salus/chaincode/trial/api';
import { random } from '../support/contract-world.js';

/** The trial's name in these tests. */
export const TRIAL = 'TRIAL-1';
/** The hospitals. */
export const sites = ['stmary', 'northside', 'westgate'] as const;

/** Registered outcomes. */
export const outcomes: readonly Outcome[] = [
  { id: 'o1', role: 'primary', measure: 'HbA1c', metric: 'change from baseline', timeFrame: 'week 26' },
  { id: 'o2', role: 'secondary', measure: 'body weight', timeFrame: 'week 26' },
  { id: 'o3', role: 'exploratory', measure: 'sleep', timeFrame: 'week 52' },
];

/** A protocol, with parts replaced. */
export function protocol(change: Partial<Protocol> = {}): Protocol {
  const arms = ['A', 'B'].map((code) => ({ code, label: `treatment ${code}`, ratio: 1 }));
  return {
    title: 'A trial',
    outcomes,
    sampleSize: 500,
    allocation: { scheme: 'blocks', arms, strata: ['s1', 's2'] },
    criteria: ['adult', 'diabetes'],
    visits: [{ id: 'v1', forms: ['vitals', 'labs'] }],
    document: 'a'.repeat(64),
    ...change,
  };
}

/** Who plays which part. */
export const parties = {
  sponsor: 'acme',
  allocator: 'tally',
  board: 'tally',
  ethics: ['authority'],
  regulators: ['authority'],
  sites: [...sites],
};

/** A stratum's list: blocks of four, two of each arm, in an order drawn from a seed. */
export function listOf(
  stratum: string,
  length: number,
  [first = 'A', second = 'B']: readonly string[] = [],
): Allotted[] {
  const draw = (text: string): string => createHash('sha256').update(`${stratum} ${text}`).digest('hex');
  return Array.from({ length }, (_, index) => {
    const block = Math.floor(index / 4);
    const order = [first, first, second, second]
      .map((arm, place) => ({ arm, rank: draw(`${block} ${place}`) }))
      .sort((a, b) => (a.rank < b.rank ? -1 : 1));
    const slot = index + 1;
    return { slot, kit: `K${draw(`kit ${slot}`).slice(0, 8)}`, arm: order[index % 4]?.arm ?? first, nonce: random() };
  });
}

/** A first report of an event: serious, severe, related, of P1. The time of awareness is the test's. */
export function seriousEvent(commitment: string, change: object = {}) {
  const graded = { isSerious: true, isFatal: false, severity: 'severe', causality: 'related' };
  return { event: 'E1', n: 1, participant: 'P1', commitment, ...graded, ...change };
}

/** Who of a member puts somebody of this role on the delegation log. */
export function chiefOf(member: string, role: string): string {
  const chiefs: Readonly<Record<string, string>> = { tally: 'cro', acme: 'sponsor', authority: role };
  return chiefs[member] ?? 'investigator';
}
