import assert from 'node:assert/strict';

import { checkedBundle } from '@salus/gateway/access/checked';
import { withoutAdded } from '@salus/gateway/door/evidence';
import type { JsonObject } from '@salus/gateway/fhir/json';

const label = (code: string): object => ({ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code });

describe('what a custodian hands over', () => {
  it('shows nothing without what it can be checked by, whatever part of a resource it is called', async () => {
    const missing: string[] = [];
    const ports = {
      transaction: () => Promise.resolve({ code: 0, writes: [] }),
      baseUrl: 'http://northside.test/fhir/R4',
      onMissing: (custodian: string) => missing.push(custodian),
    };
    for (const code of ['REDACTED', 'SUBSETTED', 'NORDSCLCD', 'N']) {
      const meta = { versionId: '1', security: [{ code }], tag: [{ code }] };
      const resource = { resourceType: 'Observation', id: 'o1', meta, status: 'final' };
      const { entry } = await checkedBundle(
        ports,
        'stmary',
        { resourceType: 'Bundle', entry: [{ resource }] },
        'Observation/o1',
      );
      const shown = (entry as readonly { resource: JsonObject }[]).map((each) => each.resource.resourceType);
      assert.deepEqual(shown, ['OperationOutcome'], code);
    }
    assert.deepEqual(missing, ['stmary', 'stmary', 'stmary', 'stmary']);
  });

  it('is taken for what was written without labels and notices of a duty, and without nothing else', () => {
    const own = { versionId: '1', security: [label('PSY')] };
    const notice = { system: 'urn:salus:notice', code: '42-cfr-2.32' };
    const shown = { ...own, security: [label('PSY'), label('NORDSCLCD')], tag: [notice] };
    const resource = (meta: object): JsonObject => ({ resourceType: 'Observation', id: 'o1', meta, status: 'final' });
    assert.deepEqual(withoutAdded(resource(shown), { security: 1, tag: 1 }), resource(own));
    assert.equal(withoutAdded(resource(shown), { security: 2, tag: 1 }), undefined);
    assert.equal(
      withoutAdded(resource({ ...shown, tag: [notice, { code: 'x' }] }), { security: 1, tag: 1 }),
      undefined,
    );
  });
});
