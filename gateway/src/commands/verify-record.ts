/** `salus verify-record`: checks an exported record against the blocks of a peer of one's own, resource by resource. */
import { type Command, CommandError } from '@salus/network/command';

import { parseExactly, type JsonObject } from '../fhir/json.js';
import { checkedRecord, type RecordWitness } from '../patient/record-check.js';
import { BLOCKS_OF, textOf, verdict } from './against-blocks.js';
import type { RecordChain } from './record-chain.js';

/** Exit code 1 with a sentence for each finding when the record is not what the hospital signed, or not on the ledger. */
export const verifyRecord: Command = {
  name: 'verify-record',
  summary: "check a record from $export-record against the blocks of a member's peer",
  arguments: [{ name: 'file', summary: 'the Bundle as JSON', required: true }],
  options: BLOCKS_OF,
  async run({ args, options }, io) {
    const bundle = readBundle(args[0] ?? '');
    // Loaded only when asked for: every verb would wait for it otherwise.
    const { readChain } = await import('./record-chain.js');
    const chain = await readChain(io.stateDir, String(options['member']));
    const { entries, findings } = await checkedRecord(bundle, witnessOf(chain));
    return verdict(io, findings, `${entries.length} resources, each as signed and as on the ledger`);
  },
};

function witnessOf({ members, transactions }: RecordChain): RecordWitness {
  const keys = [...members.values()].flatMap(({ name, keys: own }) => own.map((jwk) => ({ member: name, jwk })));
  return {
    ownerOf: (kid) => keys.find(({ jwk }) => jwk.kid === kid),
    transaction: (txId) => Promise.resolve(transactions.get(txId)),
  };
}

function readBundle(file: string): JsonObject {
  const bundle = parseExactly(textOf(file)) as JsonObject;
  if (bundle.resourceType === 'Bundle') return bundle;
  throw new CommandError(`${file} holds no Bundle: give it what $export-record answered`, 2);
}
