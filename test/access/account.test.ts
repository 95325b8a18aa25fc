import { strict as assert } from 'node:assert';

import { accountOf, type Line } from '@salus/gateway/access/account';
import { auditEvent } from '@salus/gateway/access/balp';

const now = Date.parse('2026-07-01T12:00:00Z');
const named = { owner: { member: 'stmary' }, titleOf: (name: string) => name, now: () => now };

const line = (wish: { purpose?: string; recorded?: string; member?: string; permitted?: boolean } = {}): Line => {
  const { purpose = 'HRESCH', recorded = '2026-06-01T00:00:00Z', member = 'tally', permitted = true } = wish;
  const event = auditEvent(
    {
      ...{ id: 'a', recorded, interaction: 'search-type', purpose, permitted, outcome: '', custodian: 'stmary' },
      ...{ patient: 'ann', about: 'GET MedicationRequest', by: { member, user: 'u', role: 'researcher' } },
    },
    (name) => `https://${name}.example`,
  );
  return accountOf({ entry: [{ resource: event }] }, named).lines[0]!;
};

describe('an accounting of disclosures (45 CFR 164.528)', () => {
  it('counts what was given to another organisation beyond treatment, payment and operations', () => {
    for (const purpose of ['HRESCH', 'PUBHLTH', 'CLINTRCH', 'HLEGAL', 'FRAUD', 'HCOMPL', 'PATSFTY']) {
      assert.equal(line({ purpose }).disclosure, 'counted', purpose);
    }
    for (const purpose of ['TREAT', 'ETREAT', 'BTG', 'COC', 'HPAYMT', 'CLMATTCH', 'HOPERAT', 'HQUALIMP', 'PATRQT']) {
      assert.equal(line({ purpose }).disclosure, 'exempt', purpose);
    }
  });

  it('leaves out what was denied and what the custodian used itself', () => {
    assert.equal(line({ permitted: false }).disclosure, undefined);
    assert.equal(line({ member: 'stmary' }).disclosure, undefined);
  });

  it('reaches six years back to the day, and no further', () => {
    assert.equal(line({ recorded: '2020-07-01T12:00:00Z' }).disclosure, 'counted');
    assert.equal(line({ recorded: '2020-07-01T11:59:59Z' }).disclosure, undefined);
  });

  it('has what was recorded late at the time when it was given', () => {
    const about = { about: 'GET Patient/1/$everything', by: { member: 'northside', user: 'u', role: 'nurse' } };
    const said = {
      id: 'a',
      interaction: 'operation',
      purpose: 'BTG',
      permitted: true,
      outcome: '',
      custodian: 'stmary',
    };
    const times = { recorded: '2026-06-02T00:00:00Z', happened: '2026-06-01T00:00:00Z' };
    const rest = [{ description: 'late: recorded afterwards' }];
    const resource = auditEvent({ ...said, ...about, ...times, rest }, (name) => name);
    const [late] = accountOf({ entry: [{ resource }] }, named).lines;
    assert.deepEqual([late?.at, late?.basis], [times.happened, 'late: recorded afterwards']);
  });

  it('has the recipient and its address, what and why in words', () => {
    const { organisation, address, what, why, person } = line();
    assert.deepEqual(
      { organisation, address, what, why, person },
      {
        ...{ organisation: 'tally', address: 'https://tally.example', what: 'medication request', why: 'research' },
        person: 'u, researcher',
      },
    );
  });
});
