import type { SalusContext } from '../lib/context';
import { load } from '../lib/record';
import type { ErasureRecord } from './api';
import { erasureKind } from './state';

/** What a member announced that it purges; undefined for an id nobody announced. */
export function erasureOf(ctx: SalusContext, erasureId: string): Promise<ErasureRecord | undefined> {
  return load(ctx, erasureKind, erasureId);
}
