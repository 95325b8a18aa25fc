/**
 * What is public of one participant as FHIR R4 Consent (research; https://hl7.org/fhir/R4/consent.html) and Provenance
 * (https://hl7.org/fhir/R4/provenance.html), and what concerns a whole trial as Provenance of what was signed and as
 * AuditEvent (https://hl7.org/fhir/R4/auditevent.html). Pure. Derived from the ledger's facts: codes, key ids, commitments, no content;
 * and, for those who may see them, the printed names of who signed.
 */
import type { Act, ConsentRecord, ParticipantView, PointRecord, TrialView } from '@salus/chaincode/trial/api';

import { html } from '../pages/html.js';
import { placeName } from './content.js';
import type { Names } from './names.js';
import { saidIn, statementsAbout } from './signed.js';
import { idOf } from './study-resources.js';
import { DATA_POINT_SYSTEM, MEMBER_SYSTEM, PARTICIPANT_SYSTEM } from './systems.js';

type Doer = Act['by'];

const ACT_SYSTEM = 'urn:salus:trial-act';

/** Every consent and withdrawal of a participant, in line. Only the last is in force, unless it withdraws. */
export function researchConsents({ trial, consents }: ParticipantView, participant: string): readonly object[] {
  return consents.map((record, index) => {
    const isInForce = index === consents.length - 1 && record.withdrawn === undefined;
    return {
      resourceType: 'Consent',
      id: consentId(trial, participant, record),
      extension: [{ url: 'urn:salus:research-study', valueReference: { reference: `ResearchStudy/${trial}` } }],
      status: isInForce ? 'active' : 'inactive',
      scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'research' }] },
      category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'RESEARCH' }] }],
      patient: { identifier: { system: PARTICIPANT_SYSTEM, value: participant } },
      dateTime: record.at,
      organization: [memberReference(record.by.member)],
      policy: [{ uri: `urn:salus:consent-document:${trial}:${record.document}:${record.language}` }],
      provision: provisionOf(record),
    };
  });
}

function consentId(trial: string, participant: string, { n }: Pick<ConsentRecord, 'n'>): string {
  return idOf(trial, `consent/${participant}/${n}`);
}

function provisionOf({ withdrawn, parts }: ConsentRecord): object {
  return {
    type: withdrawn === undefined ? 'permit' : 'deny',
    ...(parts.length > 0 && { provision: parts.map((text) => ({ type: 'permit', code: [{ text }] })) }),
  };
}

/** What was signed of a participant's consents, and every act on every data point: who, when, why, over which content, and what it revises. */
export function provenances(
  { trial, consents, points }: ParticipantView,
  participant: string,
  names: Names = new Map(),
): readonly object[] {
  return [...countersigned({ trial, consents }, participant, names), ...pointProvenances({ trial, points }, names)];
}

/** The consents of a participant, each as the investigator counter-signed it. */
function countersigned(
  { trial, consents }: Pick<ParticipantView, 'trial' | 'consents'>,
  participant: string,
  names: Names,
): readonly object[] {
  return consents.flatMap((record) => {
    const statements = statementsAbout({ consents: [record], points: [] });
    if (statements.length === 0) return [];
    return {
      resourceType: 'Provenance',
      id: idOf(trial, `countersigned/${participant}/${record.n}`),
      text: readable(statements, record.by, names),
      target: [{ reference: `Consent/${consentId(trial, participant, record)}` }],
      recorded: record.at,
      activity: { coding: [{ system: ACT_SYSTEM, code: 'consent' }] },
      agent: [{ role: [{ text: record.by.role }], who: memberReference(record.by.member) }],
      signature: statements.map((jws) => signatureOf(jws, names)),
    };
  });
}

function pointProvenances(
  { trial, points }: Pick<ParticipantView, 'trial' | 'points'>,
  names: Names,
): readonly object[] {
  return points.map((record) => ({
    resourceType: 'Provenance',
    id: idOf(trial, `point/${placeName({ trial, ...record })}`),
    ...(record.statements !== undefined && { text: readable(record.statements, record.by, names) }),
    extension: [
      { url: 'urn:salus:commitment', valueString: record.commitment },
      { url: 'urn:salus:data-point-state', valueCode: record.state },
      ...(record.lapsed === undefined ? [] : [{ url: 'urn:salus:consent-lapsed', valueCode: record.lapsed }]),
    ],
    target: [dataPoint(trial, record)],
    recorded: record.at,
    activity: { coding: [{ system: ACT_SYSTEM, code: record.act }] },
    ...(record.reason !== undefined && { reason: [{ text: record.reason }] }),
    agent: [
      {
        role: [{ text: record.by.role }],
        who: { identifier: { system: 'urn:salus:delegate', value: record.delegate } },
        onBehalfOf: memberReference(record.by.member),
      },
    ],
    ...(record.n > 1 && { entity: [{ role: 'revision', what: dataPoint(trial, { ...record, n: record.n - 1 }) }] }),
    ...(record.statements !== undefined && { signature: record.statements.map((jws) => signatureOf(jws, names)) }),
  }));
}

function dataPoint(trial: string, place: Pick<PointRecord, 'participant' | 'visit' | 'form' | 'n'>): object {
  return { identifier: { system: DATA_POINT_SYSTEM, value: placeName({ trial, ...place }) } };
}

/** Signed acts on a whole trial: versions, lists, the document in force, every lock and unlock, every halt and its end. */
export function studyProvenances(
  { trial, approvals, document, statuses }: TrialView,
  names: Names = new Map(),
): readonly object[] {
  return [...approvals, document, ...statuses].flatMap((record) => {
    const [jws] = record?.statements ?? [];
    if (record?.statements === undefined || jws === undefined) return [];
    return {
      resourceType: 'Provenance',
      id: idOf(trial.trial, `signed/${record.tx}`),
      text: readable(record.statements, record.by, names),
      target: [{ reference: `ResearchStudy/${trial.trial}` }],
      recorded: record.at,
      activity: { coding: [{ system: ACT_SYSTEM, code: saidIn(jws).meaning }] },
      agent: [{ role: [{ text: record.by.role }], who: memberReference(record.by.member) }],
      signature: record.statements.map((each) => signatureOf(each, names)),
    };
  });
}

/** A signature with the printed name where it may be shown and is known, the time of signing and the meaning (21 CFR 11.50). */
function signatureOf(jws: string, names: Names): object {
  const { kid, meaning, signedAt, name } = saidIn(jws);
  const printed = names.get(name);
  return {
    // Author's signature, ASTM E1762; and what it means here.
    type: [
      { system: 'urn:iso-astm:E1762-95:2013', code: '1.2.840.10065.1.12.1.1' },
      { system: ACT_SYSTEM, code: meaning },
    ],
    when: signedAt,
    who: {
      identifier: { system: 'urn:salus:delegate', value: kid },
      ...(printed !== undefined && { display: printed }),
    },
    sigFormat: 'application/jose',
    data: Buffer.from(jws).toString('base64'),
  };
}

/** What people read of signatures: printed name, time and meaning of each. */
function readable(statements: readonly string[], { role, member }: Doer, names: Names): object {
  const lines = statements.map((jws) => {
    const { kid, meaning, signedAt, name } = saidIn(jws);
    const who = names.get(name) ?? `key ${kid} (printed name not shown)`;
    return html`<p>Signed by ${who} on ${signedAt}. Meaning: ${meaning}.</p>`;
  });
  const div = html`<div xmlns="http://www.w3.org/1999/xhtml">
    ${lines}
    <p>Recorded for ${role} of ${member}.</p>
  </div>`;
  return { status: 'generated', div: div.text };
}

/** Emergency unblindings, interim looks, first enrolment, every halt, its end, lock, unlock, and the unblinding of a trial. */
export function auditEvents({ trial, unblindings, looks, milestones, statuses }: TrialView): readonly object[] {
  const name = trial.trial;
  return [
    ...unblindings.map((record) => ({ ...record, act: 'unblind-one', about: `${record.stratum}/${record.slot}` })),
    ...looks.map((record) => ({ ...record, act: 'record-look', about: String(record.look) })),
    ...milestones
      .filter(({ tx }) => !statuses.some((each) => each.tx === tx))
      .map((record) => ({ ...record, act: record.name, reason: undefined, about: record.name })),
    ...statuses.map((record) => ({ ...record, reason: record.reason, about: String(record.n) })),
  ].map(({ act, about, by, at, reason }) => ({
    resourceType: 'AuditEvent',
    id: idOf(name, `audit/${act}/${about}`),
    type: { system: 'http://terminology.hl7.org/CodeSystem/audit-event-type', code: 'object' },
    subtype: [{ system: ACT_SYSTEM, code: act }],
    recorded: at,
    outcome: '0',
    ...(reason !== undefined && { purposeOfEvent: [{ text: reason }] }),
    agent: [{ requestor: true, role: [{ text: by.role }], who: memberReference(by.member) }],
    source: { observer: memberReference(by.member) },
    entity: [{ what: { reference: `ResearchStudy/${name}` }, description: about }],
  }));
}

function memberReference(value: string): object {
  return { identifier: { system: MEMBER_SYSTEM, value } };
}
