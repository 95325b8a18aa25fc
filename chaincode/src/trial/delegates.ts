/** Loads entries of the delegation log. */
import type { SalusContext } from '../lib/context';
import { load } from '../lib/record';
import type { DelegateRecord } from './records';
import { delegateKind } from './state';

/** The delegation log's entry of a key. */
export function delegateOf(ctx: SalusContext, trial: string, kid: string): Promise<DelegateRecord | undefined> {
  return load(ctx, delegateKind, trial, kid);
}

/** The delegation log's entries of those who signed. */
export async function signersOf(
  ctx: SalusContext,
  trial: string,
  signatures: readonly { readonly kid: string }[],
): Promise<ReadonlyMap<string, DelegateRecord>> {
  const found = new Map<string, DelegateRecord>();
  for (const { kid } of signatures) {
    const delegate = await delegateOf(ctx, trial, kid);
    if (delegate !== undefined) found.set(kid, delegate);
  }
  return found;
}
