import { strict as assert } from 'node:assert';

import { CONDITIONAL_DELETE_LIMIT } from '@salus/gateway/fhir/conditional';

import { serverOfSuite } from '../support/fhir-server.js';
import { entry, patient } from './resources.js';

describe('FHIR conditional delete', () => {
  const server = serverOfSuite();

  it('deletes all that match, or none where they are more than _count', async () => {
    const { json } = await server.ask('GET metadata');
    const resources = json.rest[0].resource as { type: string; conditionalDelete: string }[];
    assert.equal(resources.find(({ type }) => type === 'Patient')?.conditionalDelete, 'multiple');
    const identifier = [{ value: '9' }];
    const total = async (): Promise<unknown> => (await server.ask('GET Patient?identifier=9')).json.total;
    for (let at = 0; at < 3; at++) await server.ask('POST Patient', { body: patient({ identifier }) });
    for (const count of [0, 1, 2]) {
      const few = await server.ask(`DELETE Patient?identifier=9&_count=${count}`);
      assert.equal(few.status, 412);
      assert.equal(few.json.issue[0].code, 'multiple-matches');
      assert.equal(await total(), 3, `_count=${count}`);
    }
    assert.equal((await server.ask('DELETE Patient?identifier=9&_count=3')).status, 204);
    assert.equal(await total(), 0);
    for (let at = 0; at < 3; at++) await server.ask('POST Patient', { body: patient({ identifier }) });
    assert.equal((await server.ask('DELETE Patient?identifier=9')).status, 204);
    assert.equal(await total(), 0);
    assert.equal((await server.ask('DELETE Patient?identifier=9')).status, 204);
    assert.equal((await server.ask('DELETE Patient')).status, 412);
    assert.equal((await server.ask('DELETE Patient?identifier=9&_count=x')).status, 400);
  });

  it('deletes no more at once than the limit', async () => {
    const identifier = [{ value: 'many' }];
    const entries = Array.from({ length: CONDITIONAL_DELETE_LIMIT + 1 }, (): unknown =>
      entry('POST', 'Patient', patient({ identifier })),
    );
    await server.ask('POST ', { body: { resourceType: 'Bundle', type: 'transaction', entry: entries } });
    const total = async (): Promise<unknown> => (await server.ask('GET Patient?identifier=many')).json.total;
    for (const line of ['DELETE Patient?identifier=many', 'DELETE Patient?identifier=many&_count=1000']) {
      assert.equal((await server.ask(line)).status, 412, line);
      assert.equal(await total(), CONDITIONAL_DELETE_LIMIT + 1);
    }
    const { json } = await server.ask('GET Patient?identifier=many&_count=1');
    await server.ask(`DELETE Patient/${json.entry[0].resource.id as string}`);
    assert.equal((await server.ask('DELETE Patient?identifier=many')).status, 204);
    assert.equal(await total(), 0);
  });
});
