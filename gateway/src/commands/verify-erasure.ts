/** `salus verify-erasure`: checks the certificate of an erasure against the blocks of a peer of one's own, key by key. */
import { type Command, CommandError } from '@salus/network/command';

import { checkedCertificate } from '../erasure/certificate-check.js';
import { parametersOf } from '../fhir/parameters.js';
import { BLOCKS_OF, textOf, verdict } from './against-blocks.js';

/** Exit code 1 with a sentence for each finding when it is not what the member signed, or not what the ledger has. */
export const verifyErasure: Command = {
  name: 'verify-erasure',
  summary: "check the certificate of an erasure against the blocks of a member's peer",
  arguments: [{ name: 'file', summary: 'what $erasure/{id} answered, or the certificate alone', required: true }],
  options: BLOCKS_OF,
  async run({ args, options }, io) {
    const certificate = readCertificate(args[0] ?? '');
    // Loaded only when asked for: every verb would wait for it otherwise.
    const { readChain } = await import('./record-chain.js');
    const { channel, everKeys, transactions } = await readChain(io.stateDir, String(options['member']));
    const keyOf = (member: string, kid: string) => everKeys.get(member)?.get(kid);
    const { claims, findings } = checkedCertificate(certificate, { channel, keyOf, transactions });
    const [member = '', count = 0] = [claims?.member, claims?.keyHashes.length];
    return verdict(io, findings, `${member} purged ${count} keys, each as signed and as on the ledger`);
  },
};

function readCertificate(file: string): string {
  const text = textOf(file).trim();
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
