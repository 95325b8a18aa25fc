/** `$kits`: what every kit of a trial went through, as Parameters: one for each act, in the order of kits and acts. */
import { type KitRecord, transactions } from '@salus/chaincode/trial/api';

import type { Ledger } from '../ports.js';

/** Every act on every kit, as the ledger has it. */
export async function readKits(ledger: Pick<Ledger, 'evaluate'>, trial: string): Promise<readonly KitRecord[]> {
  const bytes = await ledger.evaluate({ transaction: transactions.kits, argument: JSON.stringify({ trial }) });
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as readonly KitRecord[];
}

/** The parameters of the answer. */
export function kitParameters(kits: readonly KitRecord[]): readonly object[] {
  return kits.map((record) => ({
    name: 'act',
    part: [
      { name: 'kit', valueString: record.kit },
      { name: 'act', valueCode: record.act },
      { name: 'state', valueCode: record.state },
      { name: 'site', valueString: record.site },
      { name: 'by', valueString: record.by.member },
      { name: 'at', valueInstant: record.at },
      ...text('participant', record.participant),
      ...text('reason', record.reason),
      ...text('lot', record.opened?.lot),
      ...count('units', record.units),
      ...count('returned', record.returned),
      ...count('counted', record.counted),
    ],
  }));
}

function text(name: string, valueString: string | undefined): readonly object[] {
  return valueString === undefined ? [] : [{ name, valueString }];
}

function count(name: string, valueInteger: number | undefined): readonly object[] {
  return valueInteger === undefined ? [] : [{ name, valueInteger }];
}
