/** A seeded load of the test chaincode that forces every kind of conflict a valid client can make. */
import type { Transaction } from '@hyperledger/fabric-gateway';
import type { TestClient } from './embedded-network.js';

/** Endorsed on one state and then submitted together, so that they meet in the same blocks. */
const TOGETHER = 25;
const HOT_KEYS = 8;

export interface LoadOptions {
  readonly clients: readonly TestClient[];
  readonly random: () => number;
  readonly transactions: number;
  /** MSP id whose endorsement alone is too little for a public write. */
  readonly lone: string;
  /** Collections written to, by every client as far as it may. */
  readonly collections: readonly string[];
}

/** Runs the load; every transaction of it is committed, valid or not, when it ends. */
export async function randomLoad(options: LoadOptions): Promise<void> {
  for (let done = 0; done < options.transactions; done += TOGETHER) {
    const endorsed = await Promise.all(Array.from({ length: TOGETHER }, () => endorse(options)));
    const usable = endorsed.filter((transaction) => transaction !== undefined);
    // Some are sent twice: the copy is a duplicate of what its block or an earlier one holds.
    const copies = usable.filter(() => options.random() < 0.1);
    const commits = await Promise.all([...usable, ...copies].map((transaction) => transaction.submit()));
    await Promise.all(commits.map((commit) => commit.getStatus()));
  }
}

/** Undefined when members simulated on different heights and so disagree. */
async function endorse(options: LoadOptions): Promise<Transaction | undefined> {
  const client = pick(options.clients, options.random);
  const lone = options.random() < 0.1;
  const proposal = client.contract.newProposal('run', {
    arguments: [JSON.stringify(operations(options))],
    ...(lone ? { endorsingOrganizations: [options.lone] } : {}),
  });
  return proposal.endorse().catch(() => undefined);
}

function operations({ random, collections }: LoadOptions): string[][] {
  const key = (): string => pick(['k', 'é', '𐀀', ''], random) + String(Math.floor(random() * HOT_KEYS));
  const value = (): string => String(Math.floor(random() * 1e9));
  const collection = pick(collections, random);
  const kinds: (() => string[][])[] = [
    () => [['put', key(), value()]],
    () => [
      ['get', key()],
      ['put', key(), value()],
    ],
    () => [['del', key()]],
    () => [
      ['range', 'k', 'l'],
      ['put', key(), value()],
    ],
    () => [['get', key()]],
    () => [
      ['putComposite', value(), 'type', key(), 'x'],
      ['event', 'happened', value()],
    ],
    () => [['privatePut', collection, key(), value()]],
    () => [
      ['privateHash', collection, key()],
      ['put', key(), value()],
    ],
    () => [['privateDel', collection, key()]],
    () => [['privatePurge', collection, key()]],
    () => Array.from({ length: 60 }, (_, index) => ['put', `many${index}`, value()]),
    () => [
      ['range', 'many', 'manz'],
      ['put', key(), value()],
    ],
  ];
  return pick(kinds, random)();
}

function pick<T>(from: readonly T[], random: () => number): T {
  return from[Math.floor(random() * from.length)]!;
}
