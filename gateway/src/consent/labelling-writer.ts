/** Labels what is written: sensitivity and confidentiality by consent's table of code sets, beside what is labelled. */
import { codingsOf, labellingCodings, labelsToAssign } from '@salus/chaincode/consent/decide';

import { parseExactly, type JsonObject } from '../fhir/json.js';
import type { Actor, Idempotency, RecordWriter, ResourceWrite, StoredVersion, WriteOutcome } from '../ports.js';

/** What the written text of a resource starts with. */
const HEAD = /^\{"resourceType":"[A-Za-z]+","id":"[A-Za-z0-9.-]+",/;
/** A literal reference to a Medication, which is nobody's and carries no labels of its own. */
const MEDICATION = /"(?:[^"\s]*\/)?Medication\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]+)?"/g;

/** Text of a Medication by its id; undefined where none is known. */
type Medications = (id: string) => string | undefined;

/** A RecordWriter that labels resources of patients' records, by the codes in them and in the Medications they refer to. */
export class LabellingWriter implements RecordWriter {
  constructor(
    private readonly writer: RecordWriter,
    private readonly index: { current(type: string, id: string): StoredVersion | undefined },
  ) {}

  write(actor: Actor, writes: readonly ResourceWrite[], idempotency?: Idempotency): Promise<WriteOutcome> {
    const own = new Map(writes.flatMap(({ type, id, text }) => (type === 'Medication' ? [[id, text] as const] : [])));
    const medications: Medications = (id) => own.get(id) ?? this.index.current('Medication', id)?.text;
    return this.writer.write(
      actor,
      writes.map((write) => labelled(write, medications)),
      idempotency,
    );
  }
}

function labelled(write: ResourceWrite, medications: Medications): ResourceWrite {
  if (write.text === undefined || write.patient === undefined) return write;
  return { ...write, text: labelledText(write.text, medications) };
}

/** The resource's text with the labels its codes ask for in meta.security; decimals keep their digits. */
export function labelledText(text: string, medications: Medications = () => undefined): string {
  const resource = JSON.parse(text) as JsonObject;
  const { security } = (resource.meta ?? {}) as { security?: unknown };
  const prescribed = [...text.matchAll(MEDICATION)].map(([, id = '']) => medications(id) ?? '');
  const labels = labelsToAssign(codingsOf(security), [
    ...labellingCodings(resource),
    ...prescribed.flatMap((each) => (each === '' ? [] : labellingCodings(JSON.parse(each) as JsonObject))),
  ]);
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
