/** Writes within the token's SMART scopes alone, whatever way the write came. */
import type { JsonObject } from '../fhir/json.js';
import type { Actor, Idempotency, RecordWriter, ResourceWrite, WriteOutcome } from '../ports.js';
import { requireScope, type ScopeLetter } from './scopes.js';

/** A RecordWriter that refuses what no scope covers. */
export class ScopedWriter implements RecordWriter {
  constructor(private readonly writer: RecordWriter) {}

  async write(actor: Actor, writes: readonly ResourceWrite[], idempotency?: Idempotency): Promise<WriteOutcome> {
    for (const write of writes) {
      requireScope(actor, write.type, lettersOf(write), write.patient, () => contentOf(write));
    }
    return await this.writer.write(actor, writes, idempotency);
  }
}

/** What is written; nothing can be told of a deletion. */
function contentOf({ text }: ResourceWrite): JsonObject | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as JsonObject);
}

/** A first version may be a create, or an update that gives the id. */
function lettersOf({ text, expect }: ResourceWrite): readonly ScopeLetter[] {
  if (text === undefined) return ['d'];
  return expect === 0 ? ['c', 'u'] : ['u'];
}
