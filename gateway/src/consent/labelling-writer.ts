/** Labels what is written: sensitivity and confidentiality by consent's table of code sets, beside what is labelled. */
import { codingsOf, labelsToAssign } from '@salus/chaincode/consent/decide';

import { parseExactly, type JsonObject } from '../fhir/json.js';
import type { Actor, Idempotency, RecordWriter, ResourceWrite, WriteOutcome } from '../ports.js';

/** Elements whose codings the table looks at. */
const CODED = ['code', 'category', 'type', 'medicationCodeableConcept', 'vaccineCode'];
/** What the written text of a resource starts with. */
const HEAD = /^\{"resourceType":"[A-Za-z]+","id":"[A-Za-z0-9.-]+",/;

/** A RecordWriter that labels resources of patients' records. */
export class LabellingWriter implements RecordWriter {
  constructor(private readonly writer: RecordWriter) {}

  write(actor: Actor, writes: readonly ResourceWrite[], idempotency?: Idempotency): Promise<WriteOutcome> {
    return this.writer.write(actor, writes.map(labelled), idempotency);
  }
}

function labelled(write: ResourceWrite): ResourceWrite {
  if (write.text === undefined || write.patient === undefined) return write;
  return { ...write, text: labelledText(write.text) };
}

/** The resource's text with the labels its codes ask for in meta.security; decimals keep their digits. */
export function labelledText(text: string): string {
  const resource = JSON.parse(text) as JsonObject;
  const { security } = (resource.meta ?? {}) as { security?: unknown };
  const labels = labelsToAssign(
    codingsOf(security),
    CODED.flatMap((name) => codingsOf(resource[name])),
  );
  if (labels.length === 0) return text;
  const head = HEAD.exec(text)?.[0] ?? '';
  const before = resource.meta === undefined ? '' : `"meta":${JSON.stringify(resource.meta)},`;
  if (head !== '' && text.startsWith(before, head.length)) {
    const meta = JSON.stringify(labelledMeta(resource.meta, labels));
    return `${head}"meta":${meta},${text.slice(head.length + before.length)}`;
  }
  const { resourceType, id, meta, ...rest } = parseExactly(text) as JsonObject;
  return JSON.stringify({ resourceType, id, meta: labelledMeta(meta, labels), ...rest });
}

function labelledMeta(meta: unknown, labels: readonly object[]): JsonObject {
  const known = (meta ?? {}) as { readonly security?: readonly object[] };
  return { ...known, security: [...(known.security ?? []), ...labels] };
}
