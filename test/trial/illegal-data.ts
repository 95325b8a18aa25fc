/** Illegal acts on data, on safety reports, after a lock, each refused with its code, on whatever ledger. */
import assert from 'node:assert/strict';
import { SigningKey } from '../support/signing.js';
import { illegalActs, type Open, commitment, other, reason } from './attempts.js';
import { triesOnSafety } from './illegal-safety.js';

/** Declares the suite. */
export function illegalOnData(open: Open): void {
  illegalActs('illegal acts on data, safety and locks', open, (tried) => {
    it('of data and signatures', async () => {
      const attempts = tried();
      const { world } = attempts;
      const site = ['stmary', 'coordinator'] as const;
      const pi = ['stmary', 'investigator'] as const;
      const [cro, monitor, sponsor] = [
        ['tally', 'cro'],
        ['acme', 'monitor'],
        ['acme', 'sponsor'],
      ] as const;
      const entry = { n: 1, act: 'enter', commitment, consent: 1 };
      await attempts.point('enters without content', 'reason-missing', site, { ...entry, commitment: undefined });
      await attempts.point('a form outside the schedule', 'not-in-schedule', site, { ...entry, form: 'mood' });
      await attempts.point('nobody enrolled', 'not-enrolled', site, { ...entry, participant: 'P9' });
      await attempts.point("another site's participant", 'not-your-participant', ['northside', 'coordinator'], entry);
      await attempts.point('sponsor enters data', 'not-your-role', sponsor, entry);
      await attempts.point('leaves an audit gap', 'point-out-of-line', site, { ...entry, n: 2 });
      await attempts.point('signs nothing', 'point-state', pi, {
        ...{
          n: 1,
          act: 'sign',
          signatures: [await world.signatureOf('stmary', { participant: 'P1', n: 1, meaning: 'sign' })],
        },
      });
      await attempts.point('a delegate of another', 'not-delegated', site, {
        ...entry,
        delegate: 'northside.investigator',
      });
      await world.point(...site, { participant: 'P1', ...entry });
      await attempts.point('enters twice', 'point-out-of-line', site, entry);
      await attempts.point('corrects without reason', 'reason-missing', site, {
        n: 2,
        act: 'correct',
        commitment: other,
      });
      await attempts.point('sponsor corrects', 'not-your-role', sponsor, {
        n: 2,
        act: 'correct',
        commitment: other,
        reason,
      });
      await attempts.point('monitor corrects', 'not-your-role', monitor, {
        n: 2,
        act: 'correct',
        commitment: other,
        reason,
      });
      await attempts.point('verifies what is not clean', 'point-state', monitor, { n: 2, act: 'verify' });
      await attempts.point('answers no query', 'unknown-query', site, { n: 2, act: 'answer', query: 'q1' });
      await attempts.point('a query without id', 'unknown-query', monitor, { n: 2, act: 'query' });
      await world.point(...sponsor, { participant: 'P1', n: 2, act: 'propose', query: 'q1', reason });
      await attempts.point('cleans over an open query', 'query-open', cro, { n: 3, act: 'clean' });
      await world.point(...site, { participant: 'P1', n: 3, act: 'answer', query: 'q1', reason });
      await world.point(...cro, { participant: 'P1', n: 4, act: 'clean' });
      await world.point(...monitor, { participant: 'P1', n: 5, act: 'verify' });
      const about = { participant: 'P1', n: 6, commitment, meaning: 'sign' };
      const good = await world.signatureOf('stmary', about);
      const sign = { n: 6, act: 'sign' };
      const labs = { participant: 'P1', form: 'labs' };
      await world.point(...site, { ...labs, ...entry });
      await world.point(...sponsor, { ...labs, n: 2, act: 'propose', query: 'q1', reason });
      await world.point(...site, { ...labs, n: 3, act: 'answer', query: 'q1', reason });
      await world.point(...cro, { ...labs, n: 4, act: 'clean' });
      await world.point(...monitor, { ...labs, n: 5, act: 'verify' });
      await attempts.point('a signature over other content', 'signature-invalid', pi, {
        ...{ ...sign, signatures: [await world.signatureOf('stmary', { ...about, commitment: other })] },
      });
      // The same content, at the same step, of the same participant: another form alone.
      const moved = { ...sign, form: 'labs', signatures: [good] };
      await attempts.point('a signature moved to another record', 'signature-invalid', pi, moved);
      await attempts.point('a signature of another act', 'signature-invalid', pi, {
        ...{ ...sign, signatures: [await world.signatureOf('stmary', { ...about, meaning: 'unlock-point' })] },
      });
      await attempts.point('a backdated signature', 'signature-invalid', pi, {
        ...{ ...sign, signatures: [{ ...good, signedAt: '2020-01-01T00:00:00.000Z' }] },
      });
      await attempts.point('no signature', 'two-signatures', pi, { ...sign });
      await attempts.point('a signature by the coordinator', 'not-delegated', pi, {
        ...{ ...sign, signatures: [await world.signatureOf('stmary', about, 'coordinator')] },
      });
      await world.point(...pi, { participant: 'P1', ...sign, signatures: [good] });
      await world.point(...cro, { participant: 'P1', n: 7, act: 'freeze' });
      await attempts.point('corrects what is frozen', 'point-state', site, {
        n: 8,
        act: 'correct',
        commitment: other,
        reason,
      });
      await world.point(...cro, { participant: 'P1', n: 8, act: 'lock-point' });
      await attempts.point('corrects what is locked', 'point-state', site, {
        n: 9,
        act: 'correct',
        commitment: other,
        reason,
      });
      const one = await world.signatureOf(
        'tally',
        { participant: 'P1', n: 9, commitment, meaning: 'unlock-point', reason },
        'cro',
      );
      await attempts.point('unlocks alone', 'two-signatures', cro, {
        n: 9,
        act: 'unlock-point',
        reason,
        signatures: [one],
      });
      await attempts.point('unlocks alone, twice', 'two-signatures', cro, {
        n: 9,
        act: 'unlock-point',
        reason,
        signatures: [one, one],
      });
      const colleague = await world.signatureOf(
        'tally',
        { participant: 'P1', n: 9, commitment, meaning: 'unlock-point', reason },
        'statistician',
      );
      await attempts.point('unlocks with a colleague', 'two-signatures', cro, {
        n: 9,
        act: 'unlock-point',
        reason,
        signatures: [one, colleague],
      });
      const ofSite = await world.signatureOf('stmary', {
        ...{ participant: 'P1', n: 9, commitment, meaning: 'unlock-point', reason },
      });
      await attempts.point('unlocks a data point with somebody of a site', 'not-delegated', cro, {
        n: 9,
        act: 'unlock-point',
        reason,
        signatures: [one, ofSite],
      });
      await attempts.all([
        [
          'delegates a key as regulator at a site',
          ...(['not-your-part', 'stmary', 'investigator', 'delegate'] as const),
          { role: 'regulator', jwk: new SigningKey('stmary.regulator').jwk },
        ],
        [
          'delegates a key as board at the sponsor',
          ...(['not-your-part', 'acme', 'sponsor', 'delegate'] as const),
          { role: 'board', jwk: new SigningKey('acme.board').jwk },
        ],
      ]);
      await world.act('stmary', 'investigator', 'end-delegation', { kid: 'stmary.coordinator' });
      await attempts.point('whose delegation ended', 'not-delegated', site, {
        ...entry,
        participant: 'P1',
        form: 'labs',
        n: 5,
      });
      await world.refused('not-delegated', 'northside', 'investigator', 'end-delegation', {
        kid: 'stmary.investigator',
      });
    });

    it('of safety', () => triesOnSafety(tried()));

    it('of a consent that a newer document superseded, and after lock', async () => {
      const attempts = tried();
      const { world } = attempts;
      const deadline = world.ledger.clockMs + 20_000;
      await world.document(2, new Date(deadline).toISOString());
      const entry = { participant: 'P2', n: 1, act: 'enter', commitment, consent: 1 };
      await world.point('northside', 'coordinator', entry);
      await world.ledger.comePast(deadline);
      await attempts.point(
        'a procedure under a superseded version',
        'consent-superseded',
        ['northside', 'coordinator'],
        {
          ...{ ...entry, form: 'labs' },
        },
      );
      const old = await world.consentOf('P2', 'northside', 2, 1);
      await attempts.all([
        ['presents the old version', 'consent-superseded', 'northside', 'investigator', 'consent', old],
      ]);
      await world.act('northside', 'investigator', 'consent', await world.consentOf('P2', 'northside', 2, 2));
      const lock = await world.lockOf({ root: other, points: 4, acts: 20 });
      const adopted = { version: 2, hash: other, signature: lock.signature };
      await world.point('northside', 'coordinator', { ...entry, form: 'labs', consent: 2 });
      await attempts.all([
        [
          'publishes a version again',
          'version-out-of-line',
          'acme',
          'sponsor',
          'publish-document',
          {
            ...{ version: 2, translations: [{ language: 'en', hash: other }], optionalParts: [] },
          },
        ],
        ['adopts what was not published', 'unknown-document', 'authority', 'ethics', 'adopt-document', adopted],
        ['sponsor adopts', 'not-your-role', 'acme', 'sponsor', 'adopt-document', adopted],
        ['sponsor locks', 'not-your-role', 'acme', 'sponsor', 'lock', lock],
        ['locks without all points', 'point-count', 'tally', 'cro', 'lock', { ...lock, points: 3 }],
      ]);
      await world.locked();
      await attempts.point('edits after lock', 'not-now', ['northside', 'coordinator'], {
        ...entry,
        n: 2,
        act: 'correct',
        reason,
      });
      const signer = await world.delegate('tally', 'cro');
      const locked = { meaning: 'unlock', reason, after: (await world.view()).status?.tx };
      const alone = [0, 1].map(() => world.sign(signer, locked));
      const second = world.keys.get('acme.sponsor')!;
      const mixed = [alone[0], world.sign(second, { ...locked, reason: 'another' })];
      await attempts.all([
        ['locks twice', 'not-now', 'tally', 'cro', 'lock', lock],
        ['unlocks alone', 'two-signatures', 'tally', 'cro', 'unlock', { reason, signatures: alone }],
        [
          'unlocks with a signature for another reason',
          'signature-invalid',
          'tally',
          'cro',
          'unlock',
          { reason, signatures: mixed },
        ],
        [
          'unlocks with somebody of a site',
          ...(['not-delegated', 'tally', 'cro', 'unlock'] as const),
          { reason, signatures: [alone[0], await world.signedBy('northside', 'coordinator', locked)] },
        ],
        [
          'unlocks by a colleague of the CRO',
          ...(['not-delegated', 'tally', 'cro', 'unlock'] as const),
          { reason, signatures: [await world.signedBy('tally', 'statistician', locked), world.sign(second, locked)] },
        ],
        [
          'enrols after lock',
          'not-now',
          'stmary',
          'investigator',
          'enrol',
          {
            ...{ participant: 'P3', stratum: 's1', slot: 3, consent: 1 },
          },
        ],
      ]);
      // Keys are ended and replaced while the data base is locked: it takes them to unlock it.
      await world.act('tally', 'cro', 'end-delegation', { kid: signer.kid });
      const ended = [alone[0], world.sign(second, locked)];
      await attempts.all([
        ['unlocks by an ended key', 'not-delegated', 'tally', 'cro', 'unlock', { reason, signatures: ended }],
      ]);
      const replaced = new SigningKey('tally.cro.2');
      await world.act('tally', 'cro', 'delegate', { role: 'cro', jwk: replaced.jwk });
      world.keys.set('tally.cro', replaced);
      const both = [world.sign(replaced, locked), world.sign(second, locked)];
      await world.act('tally', 'cro', 'unlock', { reason, signatures: both });
      assert.equal((await world.view()).phase, 'halted');
      await world.locked();
      await attempts.all([
        ['unlocks by old signatures', 'signature-invalid', 'tally', 'cro', 'unlock', { reason, signatures: both }],
      ]);
      const slots = world.lists.get('s1')!;
      const bent = (change: object) => ({
        stratum: 's1',
        slots: slots.map((slot, at) => (at === 0 ? { ...slot, ...change } : slot)),
      });
      const arm = slots[0]?.arm === 'A' ? 'B' : 'A';
      const reveal = ['reveal-mismatch', 'tally', 'statistician', 'reveal'] as const;
      await attempts.all([
        ['forges a nonce', ...reveal, bent({ nonce: other })],
        ['forges an arm', ...reveal, bent({ arm })],
        ['forges an arm with a nonce of its own', ...reveal, bent({ arm, nonce: other })],
        ['reveals half a list', ...reveal, { stratum: 's1', slots: slots.slice(1) }],
      ]);
    });
  });
}
