/** A protocol as a CDISC USDM 4.0 study definition: importing it again gives a protocol of equal meaning. Pure. */
import type { OutcomeRole, Protocol, VersionRecord } from '@salus/chaincode/trial/api';

import { questionnairesOf } from './forms.js';
import { amendmentIn, TIME_FRAME_IN_MEASURE } from './usdm.js';
import { extensions } from './usdm-extensions.js';

/** CDISC terminology of an endpoint's level. */
const levels: Readonly<Record<OutcomeRole, { readonly code: string; readonly decode: string }>> = {
  primary: { code: 'C94496', decode: 'Primary Endpoint' },
  secondary: { code: 'C139173', decode: 'Secondary Endpoint' },
  exploratory: { code: 'C170559', decode: 'Exploratory Endpoint' },
};

/** The newest version, with the earlier ones as its amendments. */
export function exportUsdm(
  name: string,
  versions: readonly Pick<VersionRecord, 'version' | 'reason' | 'protocol'>[],
): object {
  const newest = versions.at(-1);
  const amendments = versions.slice(1).map(({ version, reason = '' }) => ({
    ...item('StudyAmendment', version),
    number: String(version - 1),
    ...amendmentIn(reason),
    previousId: version === 2 ? null : `StudyAmendment_${version - 1}`,
  }));
  const version = {
    ...item('StudyVersion', 1),
    versionIdentifier: String(newest?.version ?? 0),
    titles: newest === undefined ? [] : [titleOf(newest.protocol)],
    amendments,
    studyDesigns: newest === undefined ? [] : [designOf(newest.protocol)],
  };
  return { usdmVersion: '4.0.0', systemName: 'Salus', study: { ...item('Study', 1), name, versions: [version] } };
}

function item(instanceType: string, index: number): { readonly id: string; readonly instanceType: string } {
  return { id: `${instanceType}_${index}`, instanceType };
}

function titleOf({ title }: Protocol): object {
  return { ...item('StudyTitle', 1), text: title, type: { code: 'C207616', decode: 'Official Study Title' } };
}

function designOf(protocol: Protocol): object {
  const { outcomes, allocation, criteria, visits, sampleSize } = protocol;
  const forms = [...new Set(visits.flatMap((visit) => visit.forms))];
  const questionnaires = questionnairesOf(protocol);
  const encounters = visits.map(({ id }, index) => ({ ...item('Encounter', index + 1), name: id }));
  const instances = visits.map((visit, index) => ({
    ...item('ScheduledActivityInstance', index + 1),
    encounterId: `Encounter_${index + 1}`,
    activityIds: visit.forms.map((form) => `Activity_${forms.indexOf(form) + 1}`),
  }));
  return {
    ...item('InterventionalStudyDesign', 1),
    ...extensions('InterventionalStudyDesign_1', { scheme: allocation.scheme, stratum: allocation.strata }),
    objectives: [{ ...item('Objective', 1), endpoints: outcomes.map(endpointOf) }],
    arms: allocation.arms.map(armOf),
    eligibilityCriteria: criteria.map((name, index) => ({ ...item('EligibilityCriterion', index + 1), name })),
    population: { ...item('StudyDesignPopulation', 1), plannedEnrollmentNumber: { value: sampleSize } },
    encounters,
    activities: forms.map((name, index) => {
      const own = item('Activity', index + 1);
      return { ...own, ...extensions(own.id, { questionnaire: questionnaires.get(name) }), name };
    }),
    scheduleTimelines: [{ ...item('ScheduleTimeline', 1), instances }],
  };
}

function armOf({ code, label, ratio }: Protocol['allocation']['arms'][number], index: number): object {
  const own = item('StudyArm', index + 1);
  return { ...own, ...extensions(own.id, { ratio: String(ratio) }), name: code, label };
}

function endpointOf(outcome: Protocol['outcomes'][number], index: number): object {
  const { id, role, measure, metric, timeFrame, analysis } = outcome;
  const own = item('Endpoint', index + 1);
  const frame = timeFrame === TIME_FRAME_IN_MEASURE ? '' : ` [time frame: ${timeFrame}]`;
  const text = `${measure}${frame}`;
  return { ...own, ...extensions(own.id, { metric, analysis }), name: id, text, level: levels[role] };
}
