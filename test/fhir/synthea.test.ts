import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { FhirServer, type Json, serverOfSuite } from '../support/fhir-server.js';
import { projectRoot, sharedOrPending } from '../support/shared.js';

/** The resource without what a server may change: id, meta.versionId and lastUpdated, references. */
function bare(resource: object): unknown {
  const text = JSON.stringify(resource, (key, value: unknown) => {
    if (key === 'reference' && typeof value === 'string' && !value.startsWith('#')) return '';
    if (key === 'versionId' || key === 'lastUpdated') return undefined;
    return key === 'meta' && isOnlyVersion(value as object) ? undefined : value;
  });
  return { ...JSON.parse(text), id: '' };
}

function isOnlyVersion(meta: object): boolean {
  return Object.keys(meta).every((key) => key === 'versionId' || key === 'lastUpdated');
}

async function roundTrip(server: FhirServer, text: string, counts: Map<string, number>): Promise<void> {
  const sent = JSON.parse(text).entry as Json[];
  const answer = await server.ask('POST ', { body: text });
  assert.equal(answer.status, 200, JSON.stringify(answer.json).slice(0, 500));
  for (const [at, { resource }] of sent.entries()) {
    const location = (answer.json.entry[at].response.location as string).replace('http://fhir.test/fhir/R4/', '');
    const read = await server.ask(`GET ${location}`);
    assert.deepEqual(bare(read.json), bare(resource), location);
    assert.doesNotMatch(read.resource as string, /urn:uuid:[0-9a-f-]{36}"/);
    const type = resource.resourceType as string;
    counts.set(type, (counts.get(type) ?? 0) + 1);
  }
}

describe('whole records', () => {
  const server = serverOfSuite();

  it('come back equal: a visit of our own', async () => {
    const text = readFileSync(join(projectRoot, 'test/support/data/visit.json'), 'utf8').replace('84.5', '84.50');
    await roundTrip(server, text, new Map());
    const found = await server.ask('GET Observation?component-code-value-quantity=8462-4$84.50');
    assert.match(found.resource as string, /"value":84\.50,/);
    const again = await server.ask('POST ', { body: text });
    const statuses = (again.json.entry as Json[]).map((each) => each.response.status as string);
    assert.deepEqual(statuses.slice(0, 2), ['200 OK', '200 OK'], 'conditional creates find what is there');
  });

  it('come back equal: all of Synthea, counted per type', async function () {
    this.timeout(120_000);
    const folder = sharedOrPending(this, 'data/synthea');
    const counts = new Map<string, number>();
    const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
    for (const file of files) await roundTrip(server, readFileSync(join(folder, file), 'utf8'), counts);
    assert.equal(files.length, 20);
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
    assert.equal(total, 5_631);
    for (const [type, count] of counts) {
      const answer = await server.ask(`GET ${type}?_summary=count`);
      const visit = ['Organization', 'Practitioner', 'Patient', 'Encounter', 'Observation', 'Condition'].includes(type);
      const twice = ['Patient', 'Encounter', 'Observation', 'Condition'].includes(type);
      assert.equal(answer.json.total, count + (twice ? 2 : visit ? 1 : 0), type);
    }
  });
});
