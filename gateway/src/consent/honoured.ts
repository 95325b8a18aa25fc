/** What obligations make of a version before it is shown. Pure. */
import type { Obligation } from '@salus/chaincode/consent/decide';

import { parseExactly, type JsonObject } from '../fhir/json.js';
import type { StoredVersion } from '../ports.js';
import { outlineOf, retold } from '../projection/stored.js';

/**
 * The version as its obligations let it out: redacted elements left out, no redisclosure as a label. Its whole text, where
 * some lies beside the ledger, is read when it is asked for: a search goes through many, and one may be lost.
 */
export function honoured(stored: StoredVersion, obligations: readonly Obligation[]): StoredVersion {
  const outline = outlineOf(stored);
  if (obligations.length === 0 || outline === '') return stored;
  const lacks = obligations.flatMap((each) => (each.kind === 'redact' ? each.elements : []));
  const more = { isPart: true, ...(lacks.length > 0 && { lacks }) } as const;
  const shown = shownOf(outline, obligations);
  if (stored.outline === undefined) return { ...stored, ...more, text: shown };
  return Object.assign(
    retold(stored, shown, () => shownOf(stored.text, obligations)),
    more,
  );
}

function shownOf(text: string, obligations: readonly Obligation[]): string {
  let resource = parseExactly(text) as JsonObject;
  for (const obligation of obligations) {
    if (obligation.kind === 'redact') resource = labelled(redacted(resource, obligation), REDACTED);
    if (obligation.kind === 'no-redisclosure') {
      resource = labelled(resource, { system: ACT_CODE, code: obligation.label });
      if (obligation.notice !== '') resource = noticed(resource, obligation.notice);
    }
  }
  return JSON.stringify(resource);
}

/** Without the elements, in what it contains as in itself, and without what it contains of the types. */
function redacted(resource: JsonObject, { elements, types }: Redaction): JsonObject {
  const left = Object.fromEntries(Object.entries(resource).filter(([name]) => !elements.includes(name)));
  if (!Array.isArray(left.contained)) return left;
  const shown = (left.contained as readonly JsonObject[]).filter((each) => !types.includes(String(each.resourceType)));
  return { ...left, contained: shown.map((each) => redacted(each, { elements, types })) };
}

type Redaction = Pick<Extract<Obligation, { kind: 'redact' }>, 'elements' | 'types'>;

const NOTICE_SYSTEM = 'urn:salus:notice';
const ACT_CODE = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const REDACTED = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'REDACTED' };

/** Whether a label is one that a duty puts on what is shown. */
export function isDutyLabel(label: object): boolean {
  const { system, code } = label as { system?: unknown; code?: unknown };
  return system === ACT_CODE && code === 'NORDSCLCD';
}

/** Whether a tag is the notice that such a duty puts on what is shown. */
export function isNotice(tag: object): boolean {
  return (tag as { system?: unknown }).system === NOTICE_SYSTEM;
}

function labelled(resource: JsonObject, label: object): JsonObject {
  const meta = (resource.meta ?? {}) as { security?: readonly unknown[] };
  return { ...resource, meta: { ...meta, security: [...(meta.security ?? []), label] } };
}

/** With the notice of 42 CFR 2.32 as a tag: it goes wherever the resource goes. */
function noticed(resource: JsonObject, notice: string): JsonObject {
  const meta = (resource.meta ?? {}) as { tag?: readonly unknown[] };
  const tag = { system: NOTICE_SYSTEM, code: '42-cfr-2.32', display: notice };
  return { ...resource, meta: { ...meta, tag: [...(meta.tag ?? []), tag] } };
}
