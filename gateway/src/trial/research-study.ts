/** A trial as FHIR R4 ResearchStudy (https://hl7.org/fhir/R4/researchstudy.html). Pure; arms of participants are not in it. */
import type { Outcome, RegisteredPhase, TrialView, VersionRecord } from '@salus/chaincode/trial/api';

import { MEMBER_SYSTEM, TRIAL_SYSTEM } from './systems.js';

/** R5's outcome measures as an extension: R4 has none (https://hl7.org/fhir/versions.html#extensions). */
const OUTCOME_MEASURE = 'http://hl7.org/fhir/5.0/StructureDefinition/extension-ResearchStudy.outcomeMeasure';
const OUTCOME_TYPE = 'http://hl7.org/fhir/research-study-objective-type';

const statusOf: Readonly<Record<RegisteredPhase, string>> = {
  registered: 'in-review',
  active: 'approved',
  enrolling: 'active',
  halted: 'temporarily-closed-to-accrual',
  locked: 'closed-to-accrual-and-intervention',
  unblinded: 'completed',
};

/** The version in force, or the newest before one is. */
export function shownVersion({ inForce, versions }: TrialView): VersionRecord {
  const version = versions.find((each) => each.version === inForce?.version) ?? versions.at(-1);
  if (version === undefined) throw new Error('a trial has a first version');
  return version;
}

/** The trial by its version in force, or its newest before one is. */
export function researchStudy(view: TrialView): object {
  const { trial, phase } = view;
  const version = shownVersion(view);
  const { protocol } = version;
  return {
    resourceType: 'ResearchStudy',
    id: trial.trial,
    extension: protocol.outcomes.map(outcomeMeasure),
    identifier: [{ system: TRIAL_SYSTEM, value: trial.trial }],
    title: protocol.title,
    protocol: [{ reference: `PlanDefinition/${trial.trial}` }],
    status: statusOf[phase],
    sponsor: { identifier: { system: MEMBER_SYSTEM, value: trial.parties.sponsor } },
    site: trial.parties.sites.map((value) => ({ identifier: { system: MEMBER_SYSTEM, value } })),
    arm: protocol.allocation.arms.map(({ code, label }) => ({ name: label, type: { text: code } })),
    note: [{ text: `Protocol version ${version.version}, SHA-256 ${version.hash}` }],
  };
}

function outcomeMeasure({ id, role, measure, metric, timeFrame, analysis }: Outcome): object {
  const described = [metric, `time frame: ${timeFrame}`, analysis].filter((part) => part !== undefined).join('; ');
  return {
    url: OUTCOME_MEASURE,
    id,
    extension: [
      { url: 'name', valueString: measure },
      { url: 'type', valueCodeableConcept: { coding: [{ system: OUTCOME_TYPE, code: role }] } },
      { url: 'description', valueMarkdown: described },
    ],
  };
}
