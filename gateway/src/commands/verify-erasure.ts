/** `salus verify-erasure`: checks the certificate of an erasure against the blocks of a peer of one's own, key by key. */
import { existsSync, readFileSync } from 'node:fs';

import { type Command, CommandError } from '@salus/network/command';

import { checkedCertificate } from '../erasure/certificate-check.js';
import { parametersOf } from '../fhir/parameters.js';

/** Exit code 1 with a sentence for each finding when it is not what the member signed, or not what the ledger has. */
export const verifyErasure: Command = {
  name: 'verify-erasure',
  summary: "check the certificate of an erasure against the blocks of a member's peer",
  arguments: [{ name: 'file', summary: 'what $erasure/{id} answered, or the certificate alone', required: true }],
  options: [{ flags: '--member <name>', summary: 'whose peer delivers the blocks', default: 'authority' }],
  async run({ args, options }, io) {
    const certificate = readCertificate(args[0] ?? '');
    // Loaded only when asked for: every verb would wait for it otherwise.
    const { readChain } = await import('./record-chain.js');
    const { channel, everKeys, transactions } = await readChain(io.stateDir, String(options['member']));
    const keyOf = (member: string, kid: string) => everKeys.get(member)?.get(kid);
    const { claims, findings } = checkedCertificate(certificate, { channel, keyOf, transactions });
    for (const finding of findings) io.err(finding);
    const [member = '', count = 0] = [claims?.member, claims?.keyHashes.length];
    io.out(
      findings.length === 0 ? `${member} purged ${count} keys, each as signed and as on the ledger` : 'not verified',
    );
    return findings.length === 0 ? 0 : 1;
  },
};

function readCertificate(file: string): string {
  if (!existsSync(file)) throw new CommandError(`there is no file ${file}`, 2);
  const text = readFileSync(file, 'utf8').trim();
  const found = text.startsWith('{') ? answered(text) : text;
  if (typeof found === 'string' && found !== '') return found;
  throw new CommandError(`${file} holds no certificate: give it what $erasure/{id} answered once it is done`, 2);
}

function answered(text: string): unknown {
  try {
    return parametersOf(text)('certificate', 'valueString');
  } catch {
    return undefined;
  }
}
