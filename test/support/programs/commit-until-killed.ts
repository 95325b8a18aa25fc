import { randomBytes } from 'node:crypto';
import { LedgerWorld } from '../ledger-world.js';

/** Transactions in each block: enough that half of one would be seen. */
const TRANSACTIONS = 4;

/**
 * Commits blocks as fast as it can and prints, for each, a line {block, keys} once the commit is acknowledged. Each key
 * is written to public state and to `care` with the key as value. Runs until it is killed.
 */
async function main(stateDir: string): Promise<never> {
  const world = await LedgerWorld.open(stateDir);
  for (;;) {
    const keys = Array.from({ length: TRANSACTIONS }, () => randomBytes(8).toString('hex'));
    const made = keys.flatMap((key) => {
      const shared = world.transaction({
        endorsers: ['stmary', 'northside', 'acme', 'meridian'],
        effect: (sets, chaincode) => {
          sets.write(chaincode, key, Buffer.from(key));
        },
      });
      const secret = world.transaction({
        endorsers: ['stmary', 'northside'],
        effect: (sets, chaincode) => {
          sets.privateWrite(chaincode, 'care', key, Buffer.from(key));
        },
      });
      world.ledger.transient.put(world.mspId('stmary'), secret.txId, secret.privateSet!, world.ledger.chain.height);
      return [shared.envelope, secret.envelope];
    });
    const { number, codes } = await world.ledger.committer.commit(world.block(made));
    if (codes.some((code) => code !== 0)) throw new Error(`block ${number}: codes ${codes.join()}`);
    process.stdout.write(`${JSON.stringify({ block: number, keys })}\n`);
  }
}

await main(process.argv[2] ?? '');
