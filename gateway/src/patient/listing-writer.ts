/** Has the look-up codes of a patient follow what is written of it. */
import type { Actor, Idempotency, RecordWriter, ResourceWrite, WriteOutcome } from '../ports.js';
import type { CodeKeeper } from './code-keeper.js';

/** A RecordWriter for a hospital that lists its patients. */
export class ListingWriter implements RecordWriter {
  constructor(
    private readonly writer: RecordWriter,
    private readonly codes: Pick<CodeKeeper, 'mark' | 'soon'>,
  ) {}

  async write(actor: Actor, writes: readonly ResourceWrite[], idempotency?: Idempotency): Promise<WriteOutcome> {
    const patients = writes.filter(({ type }) => type === 'Patient').map(({ id }) => id);
    if (patients.length === 0) return await this.writer.write(actor, writes, idempotency);
    this.codes.mark(patients);
    const outcome = await this.writer.write(actor, writes, idempotency);
    if (outcome.state === 'committed') this.codes.soon(outcome.commit.block);
    return outcome;
  }
}
