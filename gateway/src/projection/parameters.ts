/** Which search parameters there are: those of R4, and those that were posted at this member. */
import type { ParameterEntry } from './compile/parameters.js';
import { generatedSearch } from './generated.js';

/** How many resources a parameter was derived for, of how many that were there when it was posted. */
export interface Progress {
  readonly done: number;
  readonly of: number;
}

/** The search parameters that a search may name. */
export interface SearchParameters {
  /** Those of a type by code. */
  of(type: string): Readonly<Record<string, ParameterEntry>>;
  /** How far a parameter is that is still being derived: what it finds is not all yet. Undefined where it is. */
  progress(entry: Pick<ParameterEntry, 'number'>): Progress | undefined;
}

/** Those that R4 defines, which every member has. */
export const R4_PARAMETERS: SearchParameters = {
  of: (type) => generatedSearch().parameters[type] ?? {},
  progress: () => undefined,
};
