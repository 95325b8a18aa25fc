/**
 * A trial's participants and adverse events as FHIR R4 ResearchSubject and AdverseEvent
 * (https://hl7.org/fhir/R4/researchsubject.html, https://hl7.org/fhir/R4/adverseevent.html). Pure. Both are derived from
 * what is public: participants by their codes, arms and lots after their list is revealed, no content of an event.
 */
import { createHash } from 'node:crypto';

import type { EventRecord, KitRecord, TrialView } from '@salus/chaincode/trial/api';

import { newestKits } from './exposed.js';
import { EVENT_SYSTEM, PARTICIPANT_SYSTEM } from './systems.js';

const SERIOUSNESS = 'http://terminology.hl7.org/CodeSystem/adverse-event-seriousness';
const SEVERITY = 'http://terminology.hl7.org/CodeSystem/adverse-event-severity';
/** Deadline at the regulator, whether the site was late, whether the sponsor says that it was unexpected. */
const EVENT_EXTENSIONS = {
  dueBy: 'urn:salus:due-at-regulator',
  isLate: 'urn:salus:reported-late',
  isUnexpected: 'urn:salus:unexpected',
} as const;

/** Everybody who has a slot. While the list of the stratum is not revealed, no arm is in it. */
export function researchSubjects({ trial, phase, slots, reveals, withdrawals }: TrialView): readonly object[] {
  const withdrawn = new Set(withdrawals.map(({ participant }) => participant));
  const status = phase === 'unblinded' ? 'off-study' : 'on-study';
  return slots.flatMap(({ stratum, taken }) => {
    const revealed = reveals.find((each) => each.stratum === stratum)?.slots;
    return taken.map(({ participant, slot, at }) => {
      const arm = revealed?.[slot - 1]?.arm;
      return {
        resourceType: 'ResearchSubject',
        id: idOf(trial.trial, participant),
        identifier: [{ system: PARTICIPANT_SYSTEM, value: participant }],
        status: withdrawn.has(participant) ? 'withdrawn' : status,
        period: { start: at },
        study: { reference: `ResearchStudy/${trial.trial}` },
        individual: { identifier: { system: PARTICIPANT_SYSTEM, value: participant } },
        ...(arm !== undefined && { assignedArm: arm }),
      };
    });
  });
}

/**
 * Every event in its newest state, detected and recorded as first told, late for ever if any report of it was; both words on
 * causality stand beside each other. It names the kits that the participant was given, and of those that were opened, after
 * unblinding, lot and pack in the supply chain.
 */
export function adverseEvents({ trial, events }: TrialView, kits: readonly KitRecord[]): readonly object[] {
  const lines = new Map<string, EventRecord[]>();
  for (const record of events) lines.set(record.event, [...(lines.get(record.event) ?? []), record]);
  return [...lines.values()].flatMap((line) => {
    const [first, newest] = [line[0], line.at(-1)];
    if (first === undefined || newest === undefined) return [];
    const isLate = line.some((each) => each.isLate);
    return adverseEvent(trial.trial, { ...newest, awareAt: first.awareAt, at: first.at, isLate }, kits);
  });
}

function adverseEvent(trial: string, record: EventRecord, kits: readonly KitRecord[]): object {
  return {
    resourceType: 'AdverseEvent',
    id: idOf(trial, record.event),
    extension: extensionsOf(record),
    identifier: { system: EVENT_SYSTEM, value: record.event },
    actuality: 'actual',
    subject: { identifier: { system: PARTICIPANT_SYSTEM, value: record.participant } },
    detected: record.awareAt,
    recordedDate: record.at,
    seriousness: { coding: [{ system: SERIOUSNESS, code: record.isSerious ? 'serious' : 'non-serious' }] },
    severity: { coding: [{ system: SEVERITY, code: record.severity }] },
    suspectEntity: suspectsOf(record, kits),
    study: [{ reference: `ResearchStudy/${trial}` }],
  };
}

function suspectsOf(event: EventRecord, kits: readonly KitRecord[]): readonly object[] {
  const causality = causalityOf(event);
  const given = newestKits(kits).filter(({ participant }) => participant === event.participant);
  if (given.length === 0) return [{ instance: { display: 'the treatment of the study' }, causality }];
  return given.map(({ kit, opened }) => ({
    ...(opened !== undefined && { extension: packOf(opened) }),
    instance: { type: 'Medication', identifier: { system: 'urn:salus:kit', value: kit } },
    causality,
  }));
}

function packOf({ lot, item }: NonNullable<KitRecord['opened']>): readonly object[] {
  const pack = item === undefined ? [] : [{ url: 'urn:salus:supply-item', valueString: item }];
  return [{ url: 'urn:salus:supply-lot', valueString: lot }, ...pack];
}

function extensionsOf({ dueBy, isLate, isUnexpected }: EventRecord): readonly object[] {
  return [
    { url: EVENT_EXTENSIONS.isLate, valueBoolean: isLate },
    ...(dueBy === undefined ? [] : [{ url: EVENT_EXTENSIONS.dueBy, valueInstant: dueBy }]),
    ...(isUnexpected === undefined ? [] : [{ url: EVENT_EXTENSIONS.isUnexpected, valueBoolean: isUnexpected }]),
  ];
}

function causalityOf({ byInvestigator, bySponsor }: EventRecord): readonly object[] {
  const words = [
    ['investigator', byInvestigator],
    ['sponsor', bySponsor],
  ] as const;
  return words
    .filter(([, word]) => word !== undefined)
    .map(([who, word]) => ({ assessment: { text: word }, author: { display: who } }));
}

/** A FHIR id: those are short, names on the ledger need not be. */
export function idOf(trial: string, name: string): string {
  return createHash('sha256').update(`${trial}\n${name}`).digest('hex').slice(0, 40);
}
