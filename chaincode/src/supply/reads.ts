/** What other domains may read of the supply chain. */
import type { SalusContext } from '../lib/context';
import { load } from '../lib/record';
import { lotKind } from './state';

/** Whether a lot of this id is committed. */
export async function isCommittedLot(ctx: SalusContext, lotId: string): Promise<boolean> {
  return (await load(ctx, lotKind, lotId)) !== undefined;
}
