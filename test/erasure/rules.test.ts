import assert from 'node:assert/strict';

import { APPROVAL_DAYS, approvable, bases, erasable, isVoid, officers } from '@salus/gateway/erasure/rules';
import type { Actor } from '@salus/gateway/ports';

const officer: Actor = { member: 'stmary', user: 'o-1', role: 'privacy-officer', purpose: 'HCOMPL', scopes: [] };
const now = Date.parse('2026-11-25T12:00:00Z');
const fresh = { lastEntry: Date.parse('2026-01-10T00:00:00Z'), isHeld: false };
const code = (expected: string) => (error: unknown) => (error as { code: string }).code === expected;

describe('what may be erased', () => {
  it('is decided by officers alone', () => {
    for (const role of ['physician', 'patient', 'auditor']) {
      assert.throws(
        () => erasable({ actor: { ...officer, role }, basis: 'legal-obligation', now }, fresh),
        code('not-an-officer'),
      );
    }
    for (const role of officers) erasable({ actor: { ...officer, role }, basis: 'legal-obligation', now }, fresh);
  });

  it('needs a basis that the law knows', () => {
    assert.throws(() => erasable({ actor: officer, basis: 'because', now }, fresh), code('unprocessable'));
    assert.throws(() => erasable({ actor: officer, basis: 'toString', now }, fresh), code('unprocessable'));
  });

  it('is nothing under a legal hold, whatever the basis', () => {
    for (const basis of Object.keys(bases)) {
      assert.throws(
        () => erasable({ actor: officer, basis, now }, { ...fresh, isHeld: true }),
        code('under-legal-hold'),
      );
    }
  });

  it('is kept as long as retention law asks, unless it should never have been there', () => {
    const lastEntry = Date.parse('2016-11-25T12:00:00Z');
    for (const [basis, { isRetained }] of Object.entries(bases)) {
      const wish = { actor: officer, basis, now };
      if (isRetained) {
        assert.throws(() => erasable(wish, fresh), code('retention-not-ended'));
        assert.throws(() => erasable(wish, { ...fresh, lastEntry: lastEntry + 1 }), code('retention-not-ended'));
      } else assert.equal(erasable(wish, fresh), basis);
      assert.equal(erasable(wish, { ...fresh, lastEntry }), basis);
    }
  });
});

describe('what belongs to a clinical trial', () => {
  it('is kept until the end of its own retention, unless it should never have been there', () => {
    const lastEntry = Date.parse('2016-11-25T12:00:00Z');
    for (const [basis, { isRetained }] of Object.entries(bases)) {
      const wish = { actor: officer, basis, now };
      for (const trialsUntil of [Infinity, now + 1]) {
        const standing = { ...fresh, lastEntry, trialsUntil };
        if (isRetained) assert.throws(() => erasable(wish, standing), code('trial-retention'));
        else assert.equal(erasable(wish, standing), basis);
      }
      assert.equal(erasable(wish, { ...fresh, lastEntry, trialsUntil: now }), basis);
    }
  });
});

describe('the second officer', () => {
  const asked = { by: { user: 'o-1', role: 'privacy-officer', at: '2026-11-25T12:00:00Z' }, basis: 'legal-obligation' };

  it('is another person, and means the same basis', () => {
    assert.throws(() => {
      approvable(asked, { actor: { ...officer, role: 'admin' }, basis: 'legal-obligation', now });
    }, code('same-officer'));
    const other = { ...officer, user: 'o-2' };
    assert.throws(() => {
      approvable(asked, { actor: other, basis: 'unlawful-processing', now });
    }, code('other-basis'));
    approvable(asked, { actor: other, basis: 'legal-obligation', now });
  });

  it(`approves within ${APPROVAL_DAYS} days`, () => {
    const end = Date.parse(asked.by.at) + APPROVAL_DAYS * 86_400_000;
    assert.equal(isVoid(asked.by, end), false);
    assert.equal(isVoid(asked.by, end + 1), true);
  });
});
