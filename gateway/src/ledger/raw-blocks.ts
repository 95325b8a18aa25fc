/** Single blocks as the peer has them, for those who look closer than the projection does. */
import type { Gateway } from '@hyperledger/fabric-gateway';
import type { common } from '@hyperledger/fabric-protos';

import { blockEvents, type BlocksOf } from './shift.js';

/** Milliseconds a block that exists may take to come. */
const READ_MS = 10_000;

/** Reads one committed block, without private data; undefined when it does not come in time. */
export async function readBlock(gateway: Gateway, of: BlocksOf, number: number): Promise<common.Block | undefined> {
  const request = blockEvents(gateway, of, number);
  const events = await request.getEvents({ deadline: Date.now() + READ_MS });
  try {
    for await (const block of events) return block;
  } catch {
    return undefined;
  } finally {
    events.close();
  }
  return undefined;
}
