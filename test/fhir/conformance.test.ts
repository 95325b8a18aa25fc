import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { missingTest } from '../support/named-tests.js';
import { projectRoot } from '../support/shared.js';

const GUIDES: Readonly<Record<string, string>> = {
  'SMART App Launch 2.2': 'https://hl7.org/fhir/smart-app-launch/STU2.2/',
  'Bulk Data Access 2': 'https://hl7.org/fhir/uv/bulkdata/STU2/',
  'FHIR R4': 'https://hl7.org/fhir/R4/',
  'Subscriptions R5 Backport 1.1': 'https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/',
  'US Core 6.1': 'https://hl7.org/fhir/us/core/STU6.1/',
};

interface Line {
  readonly requirement: string;
  readonly link: string;
  /** Each `file title`, or `no: why`. */
  readonly heldBy: readonly string[];
}

/** The lines of a guide's table in docs/conformance.md. */
function linesOf(guide: string): Line[] {
  const text = readFileSync(join(projectRoot, 'docs/conformance.md'), 'utf8');
  const [, section = ''] = text.split(`## ${guide}\n`);
  const rows = (section.split('\n## ')[0] ?? '').split('\n').filter((row) => row.startsWith('| ['));
  return rows.map((row) => {
    const [, requirement = '', link = '', held = ''] = /^\| \[(.*)\]\((\S+)\)\s+\| (.*?)\s*\|$/.exec(row) ?? [];
    return { requirement, link, heldBy: held.split('<br>') };
  });
}

describe('our own table of requirements', () => {
  for (const [guide, address] of Object.entries(GUIDES)) {
    it(`names, for ${guide}, a test that is there or an honest no`, () => {
      const lines = linesOf(guide);
      assert.ok(lines.length > 15, `${lines.length} lines`);
      for (const { link, requirement } of lines) assert.ok(link.startsWith(address), `${requirement}: ${link}`);
      const [nos, held] = [
        lines.filter(({ heldBy }) => heldBy.some((each) => /^no: \S/.test(each))),
        lines.filter(({ heldBy }) => heldBy.every((each) => !each.startsWith('no:'))),
      ];
      assert.equal(nos.length + held.length, lines.length);
      assert.deepEqual(
        held.flatMap(({ heldBy }) => heldBy.map(missingTest)).filter((each) => each !== undefined),
        [],
      );
      console.log(`      ${guide}: ${held.length} requirements held by tests, ${nos.length} not met`);
      for (const { requirement, heldBy } of nos) console.log(`        no: ${requirement} (${heldBy.join()})`);
    });
  }
});
