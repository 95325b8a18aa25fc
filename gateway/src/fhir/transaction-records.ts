/** What the entries of a transaction write, and to whose records belongs what they refer to among themselves. */
import { partBody, type Body } from './body.js';
import type { FhirContext } from './context.js';
import { baseOf, rewritten, type Replacements } from './references.js';
import type { Step } from './transaction-response.js';
import { whoseData, type RecordOf } from './whose.js';
import { storedRecordOf } from './write.js';

/** What an entry writes, and to whose record belongs what is stored or written beside it. */
export interface Written {
  readonly body: (step: Step) => Body;
  readonly recordOf: RecordOf;
}

/** Each entry's body is made once, also where another entry is looked for in whose record it is. */
export function withRecords(context: FhirContext, steps: readonly Step[], replacements: Replacements): Written {
  const stored = storedRecordOf(context);
  const byName = new Map(steps.map((step) => [`${step.type}/${step.id}`, step]));
  const [bodies, records] = [new Map<Step, Body>(), new Map<string, readonly string[]>()];
  const body = (step: Step): Body => {
    const { resource = {}, fullUrl } = step.entry;
    const made = bodies.get(step) ?? partBody(rewritten(resource, replacements, baseOf(fullUrl)));
    bodies.set(step, made);
    return made;
  };
  const recordOf: RecordOf = (type, id) => {
    const name = `${type}/${id}`;
    const step = byName.get(name);
    if (step?.entry.resource === undefined || step.entry.method === 'PATCH') return stored(type, id);
    const known = records.get(name);
    if (known !== undefined) return known;
    // Resources may refer to each other: what is being looked for leads nowhere.
    records.set(name, []);
    const found = whoseData({ ...body(step).plain, id }, recordOf);
    records.set(name, found);
    return found;
  };
  return { body, recordOf };
}
