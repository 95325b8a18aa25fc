/**
 * Writes dist/code.json, by which the network names the package after the code: its version and its digest. What earlier
 * sources left in dist is deleted first, else the digest would depend on the past.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { codeRoot, digestOf, scriptsOf } from './digest';

for (const file of scriptsOf(codeRoot)) {
  const source = relative(join(codeRoot, 'dist'), file).replace(/\.js$/, '.ts');
  if (!existsSync(join(codeRoot, 'src', source))) rmSync(file);
}
const { version } = JSON.parse(readFileSync(join(codeRoot, 'package.json'), 'utf8')) as { version: string };
const code = { version, digest: digestOf(codeRoot) };
writeFileSync(join(codeRoot, 'dist', 'code.json'), `${JSON.stringify(code)}\n`);
