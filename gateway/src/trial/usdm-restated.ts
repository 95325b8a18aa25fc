/**
 * A kept USDM file as the ledger has the study: all that the file says, as it says it, and what was registered beside it: strata and
 * questionnaires as extensions, and as amendments the versions that it does not tell of. Importing it again gives an equal protocol. Pure.
 */
import type { Protocol, VersionRecord } from '@salus/chaincode/trial/api';

import type { JsonObject } from '../fhir/json.js';
import { questionnairesOf } from './forms.js';
import { type Amendment, amendmentIn, codesOf, type Design, importUsdm, inOrder, type StudyVersion } from './usdm.js';
import { extended, withExtension } from './usdm-extensions.js';

type Version = Pick<VersionRecord, 'version' | 'reason' | 'protocol'>;

/** A file of which some version is the newest of these; what it lacks of them is added. */
export function restated(file: JsonObject, versions: readonly Version[]): object {
  const { study } = file as { readonly study: { readonly versions: readonly StudyVersion[] } };
  const newest = study.versions.at(-1);
  if (newest === undefined) return file;
  const told = study.versions.flatMap(({ amendments = [] }) => amendments);
  const whole = withAmendments(withBeside(newest, file, versions.at(-1)), told, versions);
  return { ...file, study: { ...study, versions: [...study.versions.slice(0, -1), whole] } };
}

/** Strata and questionnaires that were given beside the file. */
function withBeside(told: StudyVersion, file: JsonObject, newest: Version | undefined): StudyVersion {
  const [design, ...further] = told.studyDesigns ?? [];
  if (design === undefined || newest === undefined) return told;
  const { allocation, forms } = newest.protocol;
  const own = importUsdm(file).at(-1)?.protocol;
  const isStratified = areEqual(own?.allocation.strata, allocation.strata);
  const stratified = isStratified ? design : withExtension(design, 'stratum', allocation.strata);
  return { ...told, studyDesigns: [withForms(stratified, { forms }), ...further] };
}

function withForms(design: Design, protocol: Pick<Protocol, 'forms'>): Design {
  const { activities } = design;
  const questionnaires = questionnairesOf(protocol);
  if (activities === undefined || questionnaires.size === 0) return design;
  const codes = codesOf(activities);
  const named = activities.map((activity) => {
    const hash = questionnaires.get(codes.get(activity.id) ?? '');
    if (hash === undefined || extended(activity, 'questionnaire').includes(hash)) return activity;
    return withExtension(activity, 'questionnaire', [hash]);
  });
  return { ...design, activities: named };
}

/** The amendments with those of the ledger that the file does not tell of, in the order of the ledger where there are such. */
function withAmendments(newest: StudyVersion, told: readonly Amendment[], versions: readonly Version[]): StudyVersion {
  const known = new Set(told.map(({ number = '' }) => number));
  const registered = versions.slice(1).map(({ version, reason = '' }) => {
    const { number = `v${version}`, summary } = amendmentIn(reason);
    return { version, number, summary };
  });
  const lacked = registered.filter(({ number }) => !known.has(number));
  if (lacked.length === 0) return newest;
  const own = inOrder(newest.amendments ?? []);
  const placed = own.map((amendment) => ({
    amendment,
    at: registered.findIndex((each) => each.number === amendment.number),
  }));
  const amendments: Amendment[] = [];
  registered.forEach((each, at) => {
    const before = amendments.at(-1)?.id ?? null;
    if (lacked.includes(each)) amendments.push(amendmentOf(each, before));
    else amendments.push(...placed.flatMap(({ amendment, at: place }) => (place === at ? [amendment] : [])));
  });
  const elsewhere = placed.flatMap(({ amendment, at }) => (at < 0 ? [amendment] : []));
  return { ...newest, amendments: [...amendments, ...elsewhere] };
}

function amendmentOf(
  { version, number, summary }: { readonly version: number; readonly number: string; readonly summary: string },
  previousId: string | null,
): Amendment {
  const id = `StudyAmendment_registered_${version}`;
  return { id, number, summary, previousId, instanceType: 'StudyAmendment' };
}

function areEqual(one: readonly string[] = [], other: readonly string[] = []): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
