import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportUsdm } from '@salus/gateway/trial/usdm-export';
import { amendmentIn, importUsdm } from '@salus/gateway/trial/usdm';
import { restated } from '@salus/gateway/trial/usdm-restated';
import type { JsonObject } from '@salus/gateway/fhir/json';
import { projectRoot, sharedOrPending } from '../support/shared.js';
import { differences, fieldsOf } from './usdm-compared.js';
import { protocol } from './world.js';

const excerpt = join(projectRoot, 'test/trial/data/alxn1840-wd-204.usdm.json');
const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

/** A file's versions as the ledger numbers them. */
function versionsOf(file: unknown) {
  return importUsdm(file).map((imported, index) => ({ ...imported, version: index + 1 }));
}

/** A file as it was registered, with strata and a questionnaire beside it: nothing is lost, changed or moved. */
function isWholeAfterExport(file: unknown): void {
  const versions = versionsOf(file);
  assert.deepEqual(differences(file, restated(file as JsonObject, versions)), []);
  assert.ok(fieldsOf(file) > 400, `only ${fieldsOf(file)} fields`);
  const { protocol: own } = versions.at(-1)!;
  const strata = ['s1', 's2'];
  const id = own.visits.flatMap((visit) => visit.forms)[0]!;
  const protocol = {
    ...own,
    allocation: { ...own.allocation, strata },
    forms: [{ id, questionnaire: 'b'.repeat(64) }],
  };
  const whole = restated(
    file as JsonObject,
    versions.map((each) => ({ ...each, protocol })),
  );
  const added = differences(file, whole);
  assert.ok(
    added.length > 0 && added.every(({ kind, path }) => kind === 'added' && path.includes('extensionAttributes')),
  );
  assert.deepEqual({ ...importUsdm(whole).at(-1)!.protocol, document: '' }, { ...protocol, document: '' });
}

/** Every version of a file, exported and imported again. */
function isSameAfterExport(file: unknown): void {
  const versions = versionsOf(file);
  const all = importUsdm(exportUsdm('T', versions));
  assert.deepEqual(
    all.map(({ reason }) => reason),
    versions.map(({ reason }) => reason),
  );
  const again = all.at(-1);
  const { document: one, ...before } = versions.at(-1)!.protocol;
  const { document: two, ...after } = again!.protocol;
  assert.notEqual(one, two);
  assert.deepEqual(after, before);
}

describe('USDM', () => {
  it('imports a public study, its amendments as versions in their order', () => {
    const versions = importUsdm(read(excerpt));
    assert.equal(versions.length, 5, 'the original, and four amendments');
    assert.deepEqual(
      versions.map(({ reason }) => reason?.slice(0, 12)),
      [undefined, ...[1, 2, 3, 4].map((n) => `Amendment ${n}:`)],
    );
    assert.match(versions[1]?.reason ?? '', /content as of amendment 4/);
    assert.doesNotMatch(versions[4]?.reason ?? '', /content as of/);
    const { title, outcomes, sampleSize, criteria, visits } = versions[4]!.protocol;
    assert.match(title, /Wilson Disease/i);
    assert.equal(sampleSize, 10);
    assert.deepEqual([outcomes.length, outcomes.filter(({ role }) => role === 'primary').length], [14, 1]);
    assert.deepEqual([criteria.length, visits.length], [31, 50]);
    assert.ok(visits.some(({ forms }) => forms.length > 5));
  });

  it('exports what imports to an equal protocol', () => {
    isSameAfterExport(read(excerpt));
  });

  it('exports what USDM has no place for, too: metric, analysis, ratios, scheme, strata', () => {
    const arms = ['A', 'B'].map((code, index) => ({ code, label: `treatment ${code}`, ratio: index + 1 }));
    const [first, ...rest] = protocol().outcomes;
    const whole = protocol({
      outcomes: [{ ...first!, analysis: 'mixed model' }, ...rest],
      allocation: { scheme: 'simple', arms, strata: ['s1', 's2', 's3'] },
    });
    const [{ protocol: again } = assert.fail()] = importUsdm(exportUsdm('T', [{ version: 1, protocol: whole }]));
    assert.deepEqual({ ...again, document: '' }, { ...whole, document: '' });
    const [{ protocol: other } = assert.fail()] = importUsdm(exportUsdm('T', [{ version: 1, protocol: whole }]), ['x']);
    assert.deepEqual(other.allocation.strata, ['x']);
  });

  it('refuses what is no study definition', () => {
    for (const file of [null, {}, { study: {} }, { study: { versions: [{}] } }]) {
      assert.throws(() => importUsdm(file), /study|usdm/);
    }
  });

  it('restates all that a file says, field by field, and beside it what was registered beside it', () => {
    isWholeAfterExport(read(excerpt));
  });

  it('adds the versions that a file does not tell of as amendments, in the order of the ledger', () => {
    const file = read(excerpt) as JsonObject;
    const told = versionsOf(file);
    const { protocol: content } = told.at(-1)!;
    const later = { ...told.at(-1)!, version: 6, protocol: content, reason: 'a newer study definition' };
    const [original, ...amended] = told;
    const between = amended.map((each) => ({ ...each, version: each.version + 1 }));
    for (const [versions, reasons] of [
      [
        [...told, later],
        [...told, later],
      ],
      [
        [original!, { ...later, version: 2 }, ...between],
        [original!, later, ...amended],
      ],
    ] as const) {
      const whole = restated(file, versions);
      const added = differences(file, whole).filter(({ path }) => !path.includes('StudyAmendment_registered'));
      assert.deepEqual(
        added.filter(({ kind }) => kind !== 'moved'),
        [],
      );
      const summaries = (all: readonly { readonly reason?: string }[]) =>
        all.slice(1).map(({ reason = '' }) => amendmentIn(reason).summary);
      assert.deepEqual(summaries(importUsdm(whole)), summaries(reasons));
    }
  });

  it('does all this for every whole file of the shared data', function () {
    const folder = sharedOrPending(this, 'data/usdm');
    const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
    assert.ok(files.length > 0);
    for (const file of files) {
      isSameAfterExport(read(join(folder, file)));
      isWholeAfterExport(read(join(folder, file)));
    }
  });
});
