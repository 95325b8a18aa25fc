/** What an asker may see, as searches ask it resource by resource. */
import type { StoredVersion } from '../../ports.js';
import type { Filter } from './query.js';

/** What the asker may see. */
export interface Sight {
  permit(stored: StoredVersion): StoredVersion | undefined;
  /** Whether `permit` lets everything of the type through. */
  unrestricted(type: string): boolean;
  /** Permitted resources of a type that meet a condition and that no version holds: made as they are asked for. */
  derived?(type: string, filter: Filter): readonly Derived[];
}

/** A resource that is made as it is asked for. */
export interface Derived {
  /** `Type/id`. */
  readonly name: string;
  /** `Type/id` of what it refers to by a parameter's number. */
  refersTo(parameter: number): readonly string[];
}
