/** Illegal acts before and at enrolment, each refused with its code, on whatever ledger a world is opened. */
import { random } from '../support/contract-world.js';
import { SigningKey } from '../support/signing.js';
import { illegalActs, type Open, other, reason } from './attempts.js';
import { triesOnSignatures } from './illegal-signatures.js';
import { outcomes, protocol, TRIAL } from './world.js';

/** Declares the suite. */
export function illegalAtEnrolment(open: Open): void {
  illegalActs('illegal acts before and at enrolment', open, (tried) => {
    it('of protocol and outcomes', async () => {
      const attempts = tried();
      const { world } = attempts;
      const { hash } = await world.newest();
      const [, approval] = await world.approvalOf(1, 'authority', 'ethics');
      const switched = { version: 2, previous: hash, protocol: protocol({ outcomes: outcomes.slice(1) }) };
      const dropped = { ...switched, reason };
      await attempts.all([
        [
          'drops the primary outcome silently',
          'amendment-without-reason',
          'acme',
          'sponsor',
          'register-version',
          switched,
        ],
        [
          'forks the chain',
          'version-out-of-line',
          'acme',
          'sponsor',
          'register-version',
          { ...dropped, previous: other },
        ],
        [
          'overwrites version 1',
          'version-out-of-line',
          'acme',
          'sponsor',
          'register-version',
          { ...dropped, version: 1 },
        ],
        ['skips a version', 'version-out-of-line', 'acme', 'sponsor', 'register-version', { ...dropped, version: 3 }],
        ['a site amends', 'not-your-role', 'stmary', 'investigator', 'register-version', dropped],
        ['another member as sponsor', 'not-a-party', 'westgate', 'sponsor', 'register-version', dropped],
        ['puts version 1 back', 'version-out-of-line', 'acme', 'sponsor', 'activate-version', { version: 1 }],
        ['sponsor approves itself', 'not-your-role', 'acme', 'sponsor', 'approve-version', approval],
        ['sponsor as ethics', 'not-a-party', 'acme', 'ethics', 'approve-version', approval],
        ['another signs for the sponsor', 'not-your-role', 'authority', 'ethics', 'sign-version', approval],
        [
          'approves what is not there',
          'unknown-version',
          'authority',
          'ethics',
          'approve-version',
          { ...approval, version: 9 },
        ],
        [
          'results before unblinding',
          'not-now',
          'acme',
          'sponsor',
          'post-results',
          {
            ...{ publication: other, published: '2026-11-01T00:00:00.000Z', outcomes },
          },
        ],
      ]);
    });

    it('of allocation', async () => {
      const attempts = tried();
      const { world } = attempts;
      await world.prepared('P3', 'stmary');
      const enrol = { participant: 'P3', stratum: 's1', slot: 3, consent: 1 };
      const arms = { stratum: 's1', slots: world.lists.get('s1') };
      const lent = { participant: 'P3', hmacs: [random()] };
      const unblind = { stratum: 's1', slot: 1, reason, delegate: 'stmary.investigator' };
      const halt = await world.boardAct('halt', reason);
      const late = { stratum: 's1', hash: other, signature: halt.signature };
      await attempts.all([
        ['skips a slot', 'slot-skipped', 'stmary', 'investigator', 'enrol', { ...enrol, slot: 4 }],
        ['takes a slot twice', 'slot-taken', 'stmary', 'investigator', 'enrol', { ...enrol, slot: 2 }],
        ['beyond the list', 'list-exhausted', 'stmary', 'investigator', 'enrol', { ...enrol, slot: 5 }],
        ['another stratum', 'unknown-stratum', 'stmary', 'investigator', 'enrol', { ...enrol, stratum: 's9' }],
        ['enrols twice', 'already-enrolled', 'stmary', 'investigator', 'enrol', { ...enrol, participant: 'P1' }],
        ["another site's participant", 'not-claimed', 'westgate', 'investigator', 'enrol', enrol],
        ['nobody claimed', 'not-claimed', 'stmary', 'investigator', 'enrol', { ...enrol, participant: 'P9' }],
        ['sponsor enrols', 'not-your-role', 'acme', 'sponsor', 'enrol', enrol],
        ['arm peek by the sponsor', 'not-your-role', 'acme', 'sponsor', 'unblind-one', unblind],
        ['sponsor as investigator', 'not-a-party', 'acme', 'investigator', 'unblind-one', unblind],
        ['arm peek by another site', 'not-delegated', 'northside', 'investigator', 'unblind-one', unblind],
        ['arm of a free slot', 'unknown-slot', 'stmary', 'investigator', 'unblind-one', { ...unblind, slot: 4 }],
        ['reveals before lock', 'not-now', 'tally', 'statistician', 'reveal', arms],
        ['sponsor reveals', 'not-your-role', 'acme', 'sponsor', 'reveal', arms],
        [
          'new list once active',
          'not-now',
          'tally',
          'statistician',
          'commit-list',
          {
            ...{ stratum: 's1', root: other, kits: ['K1'] },
          },
        ],
        ['list approved late', 'not-now', 'authority', 'regulator', 'approve-list', late],
        ['sponsor halts', 'not-your-role', 'acme', 'sponsor', 'halt', halt],
        ['resumes what runs', 'not-now', 'tally', 'board', 'resume', halt],
        ['skips an interim look', 'version-out-of-line', 'tally', 'statistician', 'record-look', { look: 2, reason }],
        ['hides an interim look', 'not-your-role', 'acme', 'sponsor', 'record-look', { look: 1, reason }],
      ]);
      await world.ledger.submit('westgate', 'trial:claim', world.hidden('investigator', { ...lent, salt: random() }));
      await attempts.all([
        ['by the consent of another site', 'not-your-participant', 'westgate', 'investigator', 'enrol', enrol],
      ]);
      const { northside } = { northside: await world.delegate('northside', 'investigator') };
      const foreign = { ...unblind, delegate: northside.kid };
      await world.refused('not-your-participant', 'northside', 'investigator', 'unblind-one', foreign);
      await world.act('stmary', 'investigator', 'unblind-one', unblind);
      await world.refused('already-unblinded', 'stmary', 'investigator', 'unblind-one', unblind);
      await world.act('tally', 'statistician', 'record-look', { look: 1, reason: 'planned' });
      await world.act('tally', 'board', 'halt', halt);
      await attempts.all([['enrols while halted', 'not-now', 'stmary', 'investigator', 'enrol', enrol]]);
      await world.act('tally', 'board', 'resume', await world.boardAct('resume', reason));
      await attempts.all([['halts by an old signature', 'signature-invalid', 'tally', 'board', 'halt', halt]]);
    });

    it('of claims, consent and eligibility', async () => {
      const attempts = tried();
      const { world } = attempts;
      const hmac = random();
      const claim = (participant: string, hmacs = [random(), hmac]) =>
        world.hidden('investigator', { participant, hmacs, salt: random() });
      await world.ledger.submit('stmary', 'trial:claim', claim('P4'));
      await world.ledger.refused('already-claimed', 'northside', 'trial:claim', claim('P5'));
      await world.ledger.refused('already-claimed', 'stmary', 'trial:claim', claim('P4', [random()]));
      await world.ledger.refused('duplicate-item', 'stmary', 'trial:claim', claim('P6', [hmac, hmac]));
      const secret = () => world.hidden('coordinator', { secret: random(), salt: random() });
      await world.ledger.refused('unknown-secret', 'stmary', 'trial:secret', world.hidden('coordinator', {}));
      await world.ledger.submit('stmary', 'trial:new-secret', secret());
      await world.ledger.refused('secret-exists', 'northside', 'trial:new-secret', secret());
      await world.ledger.refused('not-a-party', 'acme', 'trial:new-secret', secret());
      const enrol = { participant: 'P4', stratum: 's1', slot: 3, consent: 1 };
      const right = await world.consentOf('P4', 'stmary');
      const thief = new SigningKey('thief');
      const forged = { ...right, statement: thief.sign({ anything: 'else' }) };
      const withParts = { ...right, parts: ['biobank'] };
      const eligible = { participant: 'P4', criteria: world.answers() };
      await attempts.all([
        ['no consent', 'no-consent', 'stmary', 'investigator', 'enrol', enrol],
        ['forged consent', 'signature-invalid', 'stmary', 'investigator', 'consent', forged],
        ['parts not signed for', 'signature-invalid', 'stmary', 'investigator', 'consent', withParts],
        [
          'a document never adopted',
          'unknown-document',
          'stmary',
          'investigator',
          'consent',
          { ...right, document: 7 },
        ],
        [
          'a language never adopted',
          'unknown-document',
          'stmary',
          'investigator',
          'consent',
          { ...right, language: 'tlh' },
        ],
        ['skips a consent', 'consent-out-of-line', 'stmary', 'investigator', 'consent', { ...right, n: 3 }],
        ['countersigned elsewhere', 'not-delegated', 'northside', 'investigator', 'consent', right],
        ['sponsor consents for others', 'not-your-role', 'acme', 'sponsor', 'consent', right],
      ]);
      await world.act('stmary', 'investigator', 'consent', right);
      const half = { ...eligible, criteria: eligible.criteria.slice(1) };
      await attempts.all([
        ['enrols the ineligible', 'not-eligible', 'stmary', 'investigator', 'enrol', enrol],
        ['leaves a criterion out', 'not-eligible', 'stmary', 'investigator', 'declare-eligible', half],
        ['changes a consent given', 'consent-out-of-line', 'stmary', 'investigator', 'consent', right],
      ]);
      await world.act('stmary', 'investigator', 'declare-eligible', eligible);
      await attempts.all([
        ['declares again', 'already-declared', 'stmary', 'investigator', 'declare-eligible', eligible],
        [
          'forged withdrawal',
          'signature-invalid',
          'stmary',
          'investigator',
          'withdraw',
          {
            ...{ participant: 'P4', n: 2, withdrawn: 'keep-data', statement: thief.sign({}) },
          },
        ],
      ]);
      const use = { participant: 'P4', n: 1, isRestricted: true };
      await attempts.all([
        ['sponsor lifts a restriction', 'not-a-party', 'tally', 'admin', 'restrict-use', use],
        ['investigator restricts use', 'not-your-role', 'stmary', 'investigator', 'restrict-use', use],
        ["another's participant restricted", 'not-your-participant', 'northside', 'admin', 'restrict-use', use],
        ['sponsor restricts use', 'not-your-participant', 'acme', 'admin', 'restrict-use', use],
        ['restricts use of nobody', 'no-consent', 'stmary', 'admin', 'restrict-use', { ...use, participant: 'P77' }],
        [
          'lifts what is not there',
          'use-out-of-line',
          'stmary',
          'admin',
          'restrict-use',
          { ...use, isRestricted: false },
        ],
        ['skips a restriction', 'use-out-of-line', 'stmary', 'admin', 'restrict-use', { ...use, n: 2 }],
      ]);
      const says = { participant: 'P4', n: 2, withdrawn: 'use-no-data' };
      const softer = { participant: 'P4', n: 3, withdrawn: 'keep-data' };
      const statement = world.patients.get('P4')!.sign({ channel: 'health', trial: TRIAL, ...says });
      await world.act('stmary', 'patient', 'withdraw', { ...says, statement });
      await attempts.all([
        ['enrols by an old consent', 'consent-out-of-line', 'stmary', 'investigator', 'enrol', enrol],
        [
          'takes a withdrawal back in part',
          'consent-withdrawn',
          'stmary',
          'patient',
          'withdraw',
          { ...softer, statement: world.patients.get('P4')!.sign({ channel: 'health', trial: TRIAL, ...softer }) },
        ],
        ['enrols who withdrew', 'consent-withdrawn', 'stmary', 'investigator', 'enrol', { ...enrol, consent: 2 }],
      ]);
      await world.refused('delegate-exists', 'stmary', 'investigator', 'delegate', {
        ...{ role: 'investigator', jwk: world.keys.get('stmary.investigator')?.jwk },
      });
    });

    it('of signatures on acts of the whole trial', () => triesOnSignatures(tried()));
  });
}
