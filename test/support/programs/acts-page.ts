/** Writes the table of acts into docs/supply.md from the contracts' own: node test/dist/support/programs/acts-page.js */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { format, resolveConfig } from 'prettier';

import { actsTable } from '../../supply/acts-table.js';
import { projectRoot } from '../shared.js';

const page = join(projectRoot, 'docs/supply.md');
const text = readFileSync(page, 'utf8');
const start = text.indexOf('| act ');
const end = text.indexOf('\n\n', start);
const after = end < 0 ? '\n' : text.slice(end);
const made = text.slice(0, start) + actsTable().join('\n') + after;
writeFileSync(page, await format(made, { ...(await resolveConfig(page)), filepath: page }));
