/**
 * Posted search parameters as they are written: what an administrator's active SearchParameter asks for is had, or refused
 * and why (R4 searchparameter.html). Those of others, and those that are not active, are resources like any other.
 */
import { Refusal } from '../ledger/refusal.js';
import type { Actor, Idempotency, RecordWriter, ResourceWrite, WriteOutcome } from '../ports.js';
import { definitionOf, POSTED_LIMITS, problemOf, type Problem } from '../projection/posted/definition.js';
import { namesOf, type Posted, POSTED_TYPE, POSTING_ROLE } from '../projection/posted/store.js';
import type { JsonObject } from './json.js';
import { IssuesRefusal } from './outcome.js';

/** What tells which parameters are in effect, and which types are searched by parameters of their own alone. */
export interface PostedPorts {
  readonly parameters: { readonly posted: readonly Posted[] };
  readonly isApart: (type: string) => boolean;
}

/** A RecordWriter that refuses search parameters that could not be had, or would take another's place. */
export class PostedWriter implements RecordWriter {
  constructor(
    private readonly writer: RecordWriter,
    private readonly ports: PostedPorts,
  ) {}

  async write(actor: Actor, writes: readonly ResourceWrite[], idempotency?: Idempotency): Promise<WriteOutcome> {
    const own = writes.filter(({ type }) => type === POSTED_TYPE);
    if (own.length > 0) this.#check(actor, own);
    return await this.writer.write(actor, writes, idempotency);
  }

  #check({ role }: Actor, writes: readonly ResourceWrite[]): void {
    const { posted } = this.ports.parameters;
    if (role !== POSTING_ROLE) {
      const isTouched = posted.some(({ id }) => writes.some((write) => write.id === id));
      if (isTouched)
        throw new Refusal('forbidden', 'posted-parameter', 'administrators alone change what is searched by');
      return;
    }
    const others = posted.filter(({ id }) => !writes.some((write) => write.id === id));
    for (const added of writes.flatMap(activeIn)) {
      const problem = this.#problemOf(added, others);
      if (problem !== undefined) throw refusalOf(problem);
      others.push(added);
    }
  }

  #problemOf({ definition }: Posted, others: readonly Posted[]): Problem | undefined {
    const problem = problemOf(definition);
    if (problem !== undefined) return problem;
    const apart = definition.base.find(this.ports.isApart);
    if (apart !== undefined) {
      return { element: 'base', why: `${apart} is searched by the parameters alone that /metadata names` };
    }
    const names = namesOf(definition);
    const other = others.find((each) => namesOf(each.definition).some((name) => names.includes(name)));
    if (other !== undefined) {
      return { element: 'code', why: `${POSTED_TYPE}/${other.id} has this code of one of these types already` };
    }
    if (others.length < POSTED_LIMITS.parameters) return undefined;
    return {
      element: 'status',
      why: `at most ${POSTED_LIMITS.parameters} posted parameters are in effect: retire one`,
    };
  }
}

function activeIn({ id, text }: ResourceWrite): Posted[] {
  const content = text === undefined ? undefined : (JSON.parse(text) as JsonObject);
  return content?.status === 'active' ? [{ id, definition: definitionOf(content) }] : [];
}

function refusalOf({ element, why }: Problem): IssuesRefusal {
  const expression = [`${POSTED_TYPE}.${element}`];
  return new IssuesRefusal('invalid-content', [
    { severity: 'error', code: 'not-supported', diagnostics: why, expression },
  ]);
}
