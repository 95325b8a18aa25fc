/** The Provenance that answers hold. */
import { resourcesOf } from '../story/people.js';
import type { Answer } from '../support/network.js';

/** A Provenance as far as tests look at it. */
export interface Provenance {
  readonly id: string;
  readonly target: readonly { reference: string }[];
  readonly recorded: string;
  readonly reason?: readonly { text?: string; coding?: readonly { code: string }[] }[];
  readonly activity: { coding: readonly { code: string }[] };
  readonly agent: readonly {
    readonly role?: readonly { coding: readonly { code: string }[] }[];
    readonly who: { reference?: string; identifier?: { value: string } };
    readonly onBehalfOf?: { reference?: string; identifier?: { value: string } };
  }[];
  readonly entity?: readonly { what: { reference: string } }[];
  readonly extension: readonly { url: string; valueString?: string }[];
}

/** Those of a Bundle, in their order. */
export const provenances = (answer: Answer): Provenance[] =>
  resourcesOf(answer.body).filter(({ resourceType }) => resourceType === 'Provenance') as unknown as Provenance[];
