/**
 * A trial's protocol as FHIR R4 PlanDefinition (https://hl7.org/fhir/R4/plandefinition.html): what is checked of everybody, the
 * arms of which each gets one, the visits with their forms. Pure; who got which arm is not in it.
 */
import type { Protocol, RegisteredPhase, TrialView } from '@salus/chaincode/trial/api';

import { formUrl, questionnairesOf } from './forms.js';
import { shownVersion } from './research-study.js';
import { TRIAL_SYSTEM } from './systems.js';

const PLAN_TYPE = 'http://terminology.hl7.org/CodeSystem/plan-definition-type';

const statusOf: Readonly<Record<RegisteredPhase, string>> = {
  ...{ registered: 'draft', active: 'active', enrolling: 'active', halted: 'active', locked: 'active' },
  unblinded: 'retired',
};

/** The protocol of the version that the ResearchStudy shows. */
export function planDefinition(view: TrialView): object {
  const { trial, phase } = view;
  const { version, protocol, at } = shownVersion(view);
  return {
    resourceType: 'PlanDefinition',
    id: trial.trial,
    identifier: [{ system: TRIAL_SYSTEM, value: trial.trial }],
    version: String(version),
    title: protocol.title,
    type: { coding: [{ system: PLAN_TYPE, code: 'clinical-protocol' }] },
    status: statusOf[phase],
    date: at,
    publisher: trial.parties.sponsor,
    goal: protocol.outcomes.map(goalOf),
    action: [eligibility(protocol), allocation(protocol), ...visitsOf(protocol)],
  };
}

function goalOf({ measure, role }: Protocol['outcomes'][number]): object {
  return { category: { text: role }, description: { text: measure } };
}

function eligibility({ criteria }: Protocol): object {
  return withSteps({ title: 'Eligibility', selectionBehavior: 'all' }, criteria);
}

function allocation({ allocation: { arms } }: Protocol): object {
  const steps = arms.map(({ label, code }) => ({ title: label, code: [{ text: code }] }));
  return { title: 'Allocation', selectionBehavior: 'exactly-one', action: steps };
}

function visitsOf(protocol: Protocol): readonly object[] {
  const questionnaires = questionnairesOf(protocol);
  return protocol.visits.map((each) => visit(each, questionnaires));
}

function visit({ id, forms }: Protocol['visits'][number], questionnaires: ReadonlyMap<string, string>): object {
  return withSteps({ title: id, groupingBehavior: 'logical-group' }, forms, questionnaires);
}

/** Steps by their titles; one that is a form with a questionnaire names it. */
function withSteps(action: object, titles: readonly string[], forms: ReadonlyMap<string, string> = new Map()): object {
  if (titles.length === 0) return action;
  const step = (title: string): object => {
    const hash = forms.get(title);
    return hash === undefined ? { title } : { title, definitionCanonical: formUrl(hash) };
  };
  return { ...action, action: titles.map(step) };
}
