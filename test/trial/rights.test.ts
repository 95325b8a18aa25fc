import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { permit } from '@salus/chaincode/dist/trial/rights.js';
import { roles } from '@salus/chaincode/dist/access/roles.js';
import { type Action, type Phase, partsOf, phases, rights } from '@salus/chaincode/trial/api';
import { projectRoot } from '../support/shared.js';
import { parties } from './world.js';

const memberOf: Readonly<Record<string, string>> = {
  ...{ sponsor: 'acme', allocator: 'tally', board: 'tally', ethics: 'authority' },
  ...{ regulator: 'authority', site: 'stmary' },
};

describe('the rights table', () => {
  it('is obeyed cell by cell: every role, every action, every state', () => {
    let cells = 0;
    for (const action of Object.keys(rights) as Action[]) {
      for (const role of roles) {
        const own = (partsOf as Readonly<Record<string, readonly string[]>>)[role] ?? ['sponsor'];
        for (const phase of phases) {
          for (const part of own) {
            const refusal = permit(action, { role, member: memberOf[part] ?? '' }, parties, phase);
            const cell = `${action} by ${role} of the ${part} while ${phase}`;
            assert.equal(refusal === undefined, isCell(action, role, phase), cell);
          }
          cells += 1;
        }
      }
    }
    assert.equal(cells, Object.keys(rights).length * roles.length * phases.length);
  });

  it('gives no right to a member that plays another part', () => {
    for (const [action, { roles: may }] of Object.entries(rights)) {
      for (const role of may) {
        const refusal = permit(action as Action, { role, member: 'medisure' }, parties, 'enrolling');
        assert.equal(refusal?.code, 'not-a-party', `${action} by ${role}`);
      }
    }
  });

  it('keeps the sponsor from site data and arms', () => {
    const forbidden: Action[] = ['enter', 'correct', 'sign', 'verify', 'commit-list', 'unblind-one', 'reveal', 'enrol'];
    for (const action of forbidden) {
      for (const phase of phases) assert.equal(isCell(action, 'sponsor', phase), false, action);
    }
  });

  it('is what the page says', () => {
    const page = readFileSync(join(projectRoot, 'docs/trial-rights.md'), 'utf8');
    const plain = (text: string): string => text.replaceAll(/ +/g, ' ').replaceAll(/-{3,}/g, '---');
    assert.ok(plain(page).includes(plain(rightsPage())), 'docs/trial-rights.md differs from the table in rights.ts');
  });
});

/** Whether the cell of the table says yes. */
function isCell(action: Action, role: string, phase: Phase): boolean {
  const right: { readonly roles: readonly string[]; readonly phases: readonly Phase[] } = rights[action];
  return right.roles.includes(role) && right.phases.includes(phase);
}

/** The table as a page. */
function rightsPage(): string {
  const head = `| Action | Roles | ${phases.join(' | ')} |\n| --- | --- | ${phases.map(() => '---').join(' | ')} |`;
  const rows = Object.entries(rights).map(([action, right]) => {
    const cells = phases.map((phase) => ((right.phases as readonly string[]).includes(phase) ? 'yes' : ''));
    return `| ${action} | ${right.roles.join(', ')} | ${cells.join(' | ')} |`;
  });
  const parts = Object.entries(partsOf).map(([role, members]) => `| ${role} | ${members.join(', ')} |`);
  return [head, ...rows, '', '| Role | Acts for the member that is |\n| --- | --- |', ...parts].join('\n');
}
