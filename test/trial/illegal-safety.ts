/** Illegal acts on adverse events. */
import { type Attempts, commitment } from './attempts.js';
import { seriousEvent } from './world.js';

/** Tries each on a trial with P1 at stmary. */
export async function triesOnSafety(attempts: Attempts): Promise<void> {
  const { world } = attempts;
  const began = world.ledger.clockMs;
  await world.ledger.comePast(began);
  const now = (shift: number) => new Date(began + shift).toISOString();
  const report = seriousEvent(commitment, { awareAt: now(0) });
  await attempts.all([
    [
      'awareness tomorrow',
      'awareness-not-credible',
      'stmary',
      'investigator',
      'report-event',
      {
        ...{ ...report, awareAt: now(86_400_000) },
      },
    ],
    [
      'backdated before consent',
      'awareness-not-credible',
      'stmary',
      'investigator',
      'report-event',
      {
        ...{ ...report, awareAt: '2020-01-01T00:00:00.000Z' },
      },
    ],
    ["another site's event", 'not-your-participant', 'northside', 'investigator', 'report-event', report],
    ['nobody consented', 'no-consent', 'stmary', 'investigator', 'report-event', { ...report, participant: 'P9' }],
    ['sponsor reports for the site', 'not-your-role', 'acme', 'sponsor', 'report-event', report],
    [
      'assesses nothing',
      'unknown-event',
      'acme',
      'sponsor',
      'assess-event',
      {
        ...{ event: 'E1', n: 1, causality: 'related', isUnexpected: true },
      },
    ],
    [
      'acknowledges nothing',
      'unknown-event',
      'authority',
      'admin',
      'acknowledge-event',
      { event: 'E1', n: 1, commitment },
    ],
    ['submits nothing', 'unknown-event', 'acme', 'sponsor', 'submit-event', { event: 'E1', n: 1, commitment }],
    ['skips a follow-up', 'event-out-of-line', 'stmary', 'investigator', 'report-event', { ...report, n: 2 }],
  ]);
  await world.act('stmary', 'investigator', 'report-event', report);
  const assess = { event: 'E1', n: 2, causality: 'related', isUnexpected: true };
  await world.act('acme', 'sponsor', 'assess-event', assess);
  await attempts.all([
    [
      'sponsor takes unexpected back',
      'downgrade',
      'acme',
      'sponsor',
      'assess-event',
      {
        ...{ ...assess, n: 3, isUnexpected: false },
      },
    ],
    [
      'sponsor takes related back',
      'downgrade',
      'acme',
      'sponsor',
      'assess-event',
      {
        ...{ ...assess, n: 3, causality: 'unrelated' },
      },
    ],
    ['overwrites a report', 'event-out-of-line', 'stmary', 'investigator', 'report-event', report],
  ]);
  await world.act('acme', 'sponsor', 'submit-event', { event: 'E1', n: 2, commitment });
  await world.refused('already-submitted', 'acme', 'sponsor', 'submit-event', { event: 'E1', n: 2, commitment });
  const came = { event: 'E1', n: 2, commitment };
  await attempts.all([
    ['sponsor acknowledges for the regulator', 'not-your-role', 'acme', 'monitor', 'acknowledge-event', came],
    ['sponsor acknowledges its own report', 'not-submitted', 'acme', 'admin', 'acknowledge-event', came],
    ['a site acknowledges', 'not-a-party', 'stmary', 'admin', 'acknowledge-event', came],
    ['no party acknowledges', 'not-a-party', 'tally', 'regulator', 'acknowledge-event', came],
    ['acknowledges what was not sent', 'not-submitted', 'authority', 'admin', 'acknowledge-event', { ...came, n: 1 }],
    [
      ...(['acknowledges another content', 'another-content', 'authority', 'admin', 'acknowledge-event'] as const),
      { ...came, commitment: 'd'.repeat(64) },
    ],
  ]);
  await world.act('authority', 'admin', 'acknowledge-event', came);
  await world.refused('already-acknowledged', 'authority', 'admin', 'acknowledge-event', came);
  const mild = { ...report, event: 'E2', isSerious: false };
  await world.act('stmary', 'investigator', 'report-event', mild);
  await world.refused('not-due', 'acme', 'sponsor', 'submit-event', { event: 'E2', n: 1, commitment });
}
