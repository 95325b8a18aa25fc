import { runningProcesses } from '../commands/run-file.js';
import { channelAt } from './clients.js';
import { administrationAddress, type OrdererPair } from './establish.js';
import { until } from './lifecycle.js';

/**
 * Ends an orderer that a supervisor runs, which starts it again; resolves once it orders, with true. With false, and nothing
 * done, where it runs in a container or on no start of ours.
 */
export async function restartOrderer(stateDir: string, pair: OrdererPair, channel: string): Promise<boolean> {
  const name = `orderer.${pair.member.name}`;
  const running = () => runningProcesses(stateDir).find((each) => each.name === name);
  const before = running();
  if (before === undefined) return false;
  process.kill(before.pid, 'SIGTERM');
  await until(`${name} started again`, async () => {
    const after = running();
    return after !== undefined && after.pid !== before.pid && (await isConsenter(pair, channel));
  });
  return true;
}

/** Whether the orderer takes part in ordering now. */
export async function isConsenter(pair: OrdererPair, channel: string): Promise<boolean> {
  const found = await channelAt(administrationAddress(pair), channel).catch(() => undefined);
  return found?.consensusRelation === 'consenter' && found.status === 'active';
}
