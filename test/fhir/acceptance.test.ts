import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { isPlainlyValid } from '@salus/gateway/fhir/acceptance';
import type { JsonObject } from '@salus/gateway/fhir/json';
import { requireValid, validationIssues } from '@salus/gateway/fhir/validate';

import { campaign } from '../support/campaigns.js';
import { projectRoot, sharedOrPending } from '../support/shared.js';
import { observation, patient } from './resources.js';

const visit = join(projectRoot, 'test/support/data/visit.json');
const resourcesOf = (file: string): JsonObject[] =>
  (JSON.parse(readFileSync(file, 'utf8')) as { entry: { resource: JsonObject }[] }).entry.map(
    ({ resource }) => resource,
  );

/** What the validator finds wrong, warnings left out as writes leave them out. */
function errorsOf(resource: JsonObject): unknown[] {
  try {
    return validationIssues(resource).filter(({ severity }) => severity !== 'warning');
  } catch (error) {
    return [error];
  }
}

/** Values of every JSON kind, and strings of many FHIR types. */
const VALUES: readonly unknown[] = [
  ...['', ' ', 'x', 'two  spaces', '2021-02-29', '2020-05-17T10:30:00Z', 'final', 'urn:uuid:x', 'Patient/1'],
  ...[0, -1, 1.5, 3_000_000_000, true, false, null],
  ...[[], {}, [null], [[]], [{}], ['x', null], { coding: [{ code: 'x' }] }, { value: 'x' }],
  ...[{ resourceType: 'Patient' }, { reference: 'Patient/1' }, { start: '2020', end: '2021-13' }],
];
const NAMES = 'id extension contained value valueString valueBoolean _status code text use x'.split(' ');

/** The resource, changed at one to three random places. */
function mutated(resource: JsonObject, random: () => number): JsonObject {
  const copy = structuredClone(resource);
  for (let left = 1 + Math.floor(random() * 3); left > 0; left -= 1) change(somewhere(copy, random), random);
  return JSON.parse(JSON.stringify(copy)) as JsonObject;
}

function pick<T>(list: readonly T[], random: () => number): T {
  return list[Math.floor(random() * list.length)] as T;
}

function somewhere(from: JsonObject, random: () => number): JsonObject {
  const inner = Object.values(from).filter((value): value is JsonObject => typeof value === 'object' && value !== null);
  return inner.length === 0 || random() < 0.3 ? from : somewhere(pick(inner, random), random);
}

function change(place: JsonObject, random: () => number): void {
  const name = pick(random() < 0.7 ? [...Object.keys(place), 'x'] : NAMES, random);
  if (name === 'resourceType') return;
  if (random() < 0.3) Reflect.deleteProperty(place, name);
  else place[name] = random() < 0.2 ? [place[name]] : structuredClone(pick(VALUES, random));
}

describe('the quick yes of validation', () => {
  it('is given to what is plainly valid', () => {
    for (const resource of [patient(), observation('Patient/1'), ...resourcesOf(visit)]) {
      assert.deepEqual(errorsOf(resource), []);
      assert.ok(isPlainlyValid(resource), JSON.stringify(resource));
    }
  });

  it('is given to all of Synthea', function () {
    this.timeout(60_000);
    const folder = sharedOrPending(this, 'data/synthea');
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
      for (const resource of resourcesOf(join(folder, file))) {
        requireValid(resource);
        assert.ok(isPlainlyValid(resource), JSON.stringify(resource));
      }
    }
  });

  it('is given to nothing that the validator finds an error in', function () {
    this.timeout(600_000);
    const random = campaign('validation').random();
    const sources = [patient(), observation('Patient/1'), ...resourcesOf(visit)];
    let accepted = 0;
    for (let left = campaign('validation').size({ slice: 1_000, full: 200_000 }); left > 0; left -= 1) {
      const resource = mutated(pick(sources, random), random);
      const errors = errorsOf(resource);
      if (!isPlainlyValid(resource)) continue;
      accepted += 1;
      assert.deepEqual(errors, [], JSON.stringify(resource));
    }
    assert.ok(accepted > 50, `${accepted} mutants accepted: too few to tell anything`);
  });
});
