/** The chaincode in a folder of its own, as another machine or another release has it: its sources, and other code. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChaincodeCode } from '@salus/network/config/code';
import { projectRoot } from './shared.js';

const sources = join(projectRoot, 'chaincode');

/** Copies the sources with what they are built by. */
export function copySources(folder: string): void {
  for (const name of ['src', 'package.json', 'package-lock.json', 'tsconfig.json'])
    cpSync(join(sources, name), join(folder, name), { recursive: true });
  symlinkSync(join(projectRoot, 'node_modules'), join(folder, 'node_modules'));
}

/** Copies the sources and what was built of them here. */
export function copyBuilt(folder: string): void {
  copySources(folder);
  cpSync(join(sources, 'dist'), join(folder, 'dist'), { recursive: true });
}

/**
 * Another release in a folder of its own: what is built here of the network and the contracts, with the packages of this one. Returns
 * the folder of its contracts.
 */
export function copyRelease(folder: string): string {
  const contracts = join(folder, 'chaincode');
  mkdirSync(join(folder, 'network'), { recursive: true });
  for (const name of ['dist', 'templates', 'builder', 'package.json'])
    cpSync(join(projectRoot, 'network', name), join(folder, 'network', name), { recursive: true });
  symlinkSync(join(projectRoot, 'node_modules'), join(folder, 'node_modules'));
  mkdirSync(contracts);
  copyBuilt(contracts);
  return contracts;
}

/** Has a copy's build say anew which code it is. */
export function describeCode(folder: string): ChaincodeCode {
  execFileSync(process.execPath, [join(folder, 'dist', 'build', 'code.js')]);
  return codeIn(folder);
}

/** What a copy's build said it is. */
export function codeIn(folder: string): ChaincodeCode {
  return JSON.parse(readFileSync(join(folder, 'dist', 'code.json'), 'utf8')) as ChaincodeCode;
}

/** Another rule in a built copy: this text of a file below `dist` becomes that one. Throws where the text is not there. */
export function changeRule(folder: string, file: string, { from, to }: { readonly from: string; readonly to: string }) {
  const path = join(folder, 'dist', file);
  const before = readFileSync(path, 'utf8');
  if (!before.includes(from)) throw new Error(`${file} does not say: ${from}`);
  writeFileSync(path, before.replace(from, to));
}
