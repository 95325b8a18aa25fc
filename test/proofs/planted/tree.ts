/** A copy of the built project in which a bug can be planted: the product itself has no switch for it. */
import { fork } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { digestOf } from '@salus/chaincode/dist/build/digest.js';

import { scratchFolder } from '../../support/scratch.js';
import type { FileResult } from '../../support/run-file.js';
import { projectRoot } from '../../support/shared.js';
import type { Bug } from './bug.js';

const WORKSPACES = ['chaincode', 'gateway', 'network', 'test'];
/** Read at run time beside the compiled files. */
const BESIDE = [
  'package.json',
  'chaincode/package-lock.json',
  'network/consortium.yaml',
  'network/templates',
  'network/builder',
];
/** A test that hangs under a bug has found it, too. */
const LONGEST_MS = 300_000;

/** The copy. */
export interface Tree {
  /** Runs the tests of a file whose titles contain a text, as the project is built. */
  sound(bug: Pick<Bug, 'test' | 'title'>): Promise<FileResult>;
  /** The same with the bug in place. */
  planted(bug: Bug): Promise<FileResult>;
  remove(): void;
}

/** Copies what is built; packages of others are linked. */
export function copyTree(): Tree {
  const folder = scratchFolder();
  for (const workspace of WORKSPACES) {
    cpSync(join(projectRoot, workspace, 'dist'), join(folder.path, workspace, 'dist'), { recursive: true });
    cpSync(join(projectRoot, workspace, 'package.json'), join(folder.path, workspace, 'package.json'));
  }
  for (const each of BESIDE) cpSync(join(projectRoot, each), join(folder.path, each), { recursive: true });
  linkPackages(folder.path);
  return {
    sound: (bug) => run(folder.path, bug),
    planted: async (bug) => {
      const file = join(folder.path, bug.file);
      const text = readFileSync(file, 'utf8');
      writeFileSync(file, withBug(text, bug));
      nameCode(folder.path);
      try {
        return await run(folder.path, bug);
      } finally {
        writeFileSync(file, text);
        nameCode(folder.path);
      }
    },
    remove: () => {
      rmSync(folder.path, { recursive: true, force: true });
    },
  };
}

/** The contracts as they are now name themselves: else a network with a bug in them would not start, whatever its tests find. */
function nameCode(folder: string): void {
  const file = join(folder, 'chaincode', 'dist', 'code.json');
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  writeFileSync(file, JSON.stringify({ version, digest: digestOf(join(folder, 'chaincode')) }));
}

/** The file's text with the bug. Throws Error where the place is not there, or there twice: then the table is out of date. */
export function withBug(text: string, { name, file, search, replace }: Bug): string {
  const parts = text.split(search);
  if (parts.length !== 2) throw new Error(`${name}: ${parts.length - 1} places in ${file} read ${search}`);
  return parts.join(replace);
}

/** Text of a compiled file of the project itself. */
export function compiled({ file }: Pick<Bug, 'file'>): string {
  return readFileSync(join(projectRoot, file), 'utf8');
}

function linkPackages(folder: string): void {
  const own = join(folder, 'node_modules', '@salus');
  mkdirSync(own, { recursive: true });
  for (const workspace of WORKSPACES) symlinkSync(join(folder, workspace), join(own, workspace));
  const packages = join(projectRoot, 'node_modules');
  for (const name of readdirSync(packages)) {
    if (name !== '@salus') symlinkSync(join(packages, name), join(folder, 'node_modules', name));
  }
}

function run(folder: string, { test, title }: Pick<Bug, 'test' | 'title'>): Promise<FileResult> {
  const compiledTests = join(folder, 'test', 'dist');
  const child = fork(join(compiledTests, 'support', 'run-file.js'), [join(compiledTests, test), title], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const timer = setTimeout(() => child.kill('SIGTERM'), LONGEST_MS);
  return new Promise((resolve) => {
    let result: FileResult = { passed: 0, failed: 1, skipped: 0, failures: [`${title}: the test did not end`] };
    child.on('message', (message) => {
      result = message as FileResult;
    });
    child.on('exit', () => {
      clearTimeout(timer);
      resolve(result);
    });
  });
}
