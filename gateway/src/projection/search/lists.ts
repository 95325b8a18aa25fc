/** What a List holds, for `_list` (R4 search.html#list). */
import type { StoredVersion } from '../../ports.js';
import { literalOf } from '../values/reference.js';

interface ListContent {
  readonly entry?: readonly { readonly deleted?: boolean; readonly item?: { readonly reference?: string } }[];
}

/** `Type/id` of its items, but those marked deleted; of no List none. */
export function itemsOf(list: StoredVersion | undefined, base: string): string[] {
  const { entry = [] } = JSON.parse(list?.text ?? '{}') as ListContent;
  return entry.flatMap(({ deleted, item }) => {
    const { target } = literalOf(item?.reference ?? '', base);
    return deleted === true || !/^[A-Z][A-Za-z]+\/[^/]+$/.test(target) ? [] : [target];
  });
}
