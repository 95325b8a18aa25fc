/** A search as the projection runs it: parsed and checked, free of HTTP. */
import type { ParameterEntry } from '../compile/parameters.js';

export type { ParameterEntry } from '../compile/parameters.js';

/** What finding index rows needs of a parameter. */
export type IndexedParameter = Pick<ParameterEntry, 'number' | 'kind' | 'targets' | 'systems'>;

/** One condition; several are ANDed. `values` are ORed, still escaped as R4 search.html#escaping says. */
export type Filter =
  | {
      readonly kind: 'value';
      readonly entry: ParameterEntry;
      readonly modifier: string;
      readonly values: readonly string[];
      /** Further codes, of systems that are indifferent to case. */
      readonly folded?: readonly { readonly system: string; readonly codes: readonly string[] }[];
    }
  | { readonly kind: 'id'; readonly values: readonly string[] }
  | { readonly kind: 'updated'; readonly values: readonly string[] }
  /** The reference names one of `resources` (`Type/id`) by any of the parameters. */
  | { readonly kind: 'references'; readonly entries: readonly ParameterEntry[]; readonly targets: readonly string[] }
  | {
      readonly kind: 'chain';
      readonly entry: ParameterEntry;
      readonly links: readonly { readonly type: string; readonly filter: Filter }[];
    }
  /** What the List with the id holds (`_list`). */
  | { readonly kind: 'list'; readonly id: string }
  /** Of `_text` and `_content`: the words follow each other; `isStart`: the only one is how a word starts. */
  | {
      readonly kind: 'words';
      readonly scope: 'narrative' | 'everything';
      /** As wordsOf gives them. */
      readonly words: readonly string[];
      readonly isStart: boolean;
    }
  /** Of `_filter`, `_text`, `_content`. */
  | { readonly kind: 'all' | 'any'; readonly filters: readonly Filter[] }
  | { readonly kind: 'not'; readonly filter: Filter }
  | { readonly kind: 'has'; readonly type: string; readonly entry: ParameterEntry; readonly filter: Filter };

/** One key of `_sort`. */
export interface SortKey {
  readonly by: ParameterEntry | '_id' | '_lastUpdated';
  readonly descending: boolean;
}

/** One `_include` or `_revinclude`. */
export interface Include {
  readonly reverse: boolean;
  /** Type that has the reference. */
  readonly type: string;
  readonly entry: ParameterEntry;
  /** Only targets of this type. */
  readonly target?: string;
  readonly iterate: boolean;
}

/** One search of one type, everything in it checked. */
export interface SearchQuery {
  readonly type: string;
  readonly filters: readonly Filter[];
  readonly sort: readonly SortKey[];
  readonly count: number;
  /** Where the page before ended, as this search gave it. */
  readonly cursor?: string;
  readonly includes: readonly Include[];
  readonly total: 'none' | 'estimate' | 'accurate';
  /** Only the number of matches is asked for. */
  readonly countOnly: boolean;
}
