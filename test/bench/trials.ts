/** What trials cost: randomisation beside a plain act, the outcomes of many versions compared, the audit trail exported. */
import type { ParticipantView, PointRecord, TrialView, VersionRecord } from '@salus/chaincode/trial/api';
import { datasetOf } from '@salus/gateway/trial/datasets';
import { compareVersions } from '@salus/gateway/trial/outcome-changes';
import { startNetwork } from '../support/network.js';
import { scratchFolder } from '../support/scratch.js';
import { SigningKey } from '../support/signing.js';
import { NetworkStudy, threeHospitals } from '../trial/network-study.js';
import { parties, protocol } from '../trial/world.js';
import { measure } from './meter.js';
import type { Ratio } from './report.js';

/** Participants randomised, after a tenth as many to warm up. */
const RANDOMISED = 40;
const SITE = 'stmary';
const VERSIONS = 50;
/** Acts in the small audit trail, and how many times more in the large one. */
const ACTS = 2_000;
const TIMES = 10;

/** All of it; `randomisation` on a network of its own with three hospitals. */
export async function trialRatios(): Promise<Ratio[]> {
  return [
    { what: 'randomisation / plain act of a trial, p50', value: await randomisation(), aim: '<= 1.3' },
    { what: `outcome diff over ${VERSIONS} versions, ms`, value: outcomeDiffs(), aim: '< 10' },
    { what: `audit export, ${ACTS * TIMES} acts / ${ACTS}, time per act`, value: auditExport(), aim: '<= 1.5' },
  ];
}

async function randomisation(): Promise<number> {
  const folder = scratchFolder();
  const network = await startNetwork({ topologyFile: threeHospitals(folder.path) });
  try {
    const all = RANDOMISED + Math.ceil(RANDOMISED / 10);
    const study = new NetworkStudy(network, all);
    await study.opened();
    for (let index = 0; index < all; index += 1) await study.prepared(`P${index}`, SITE);
    const enrol = async (index: number): Promise<void> => {
      const { status, text: said } = await study.randomize(`P${index}`, SITE, 's1');
      if (status !== 200) throw new Error(said);
    };
    const delegate = (index: number): Promise<void> =>
      study.act(SITE, 'investigator', 'delegate', { role: 'coordinator', jwk: new SigningKey(`plain-${index}`).jwk });
    const plain = await measure({ name: 'plain act', concurrency: 1, count: RANDOMISED, run: delegate }, {});
    const random = await measure({ name: 'randomisation', concurrency: 1, count: RANDOMISED, run: enrol }, {});
    return random.p50 / plain.p50;
  } finally {
    await network.stop();
    folder.remove();
  }
}

const act = { by: { member: 'acme', role: 'sponsor' }, at: '2026-01-31T09:30:00.000Z', tx: 'a'.repeat(64) };

function outcomeDiffs(): number {
  const outcomes = Array.from({ length: 20 }, (_, index) => ({
    ...{ id: `o${index}`, role: 'secondary' as const, measure: `measure ${index}`, timeFrame: 'week 26' },
  }));
  const versions = Array.from({ length: VERSIONS }, (_, index): VersionRecord => {
    const changed = outcomes.map((each, at) => (at <= index ? { ...each, timeFrame: `week ${index}` } : each));
    const content = protocol({ outcomes: changed });
    return { ...act, trial: 'BENCH', version: index + 1, protocol: content, flags: [], hash: 'a'.repeat(64) };
  });
  const milestone = { ...act, name: 'first-enrolment', version: 1, hash: 'a'.repeat(64) };
  const view = { ...emptyView(), versions, milestones: [milestone] };
  return fastest(() => compareVersions(view));
}

function auditExport(): number {
  const [few, many] = [trailOf(ACTS), trailOf(ACTS * TIMES)];
  const time = (line: ParticipantView): number =>
    fastest(() => {
      const data = { view: emptyView(), lines: [['P1', line] as const], content: () => undefined };
      return JSON.stringify(datasetOf('AUDIT', data, act.at));
    });
  return time(many) / time(few) / TIMES;
}

function trailOf(length: number): ParticipantView {
  const points = Array.from({ length }, (_, index): PointRecord => {
    const place = { participant: 'P1', visit: 'v1', form: 'vitals', n: index + 1 };
    const said = { act: 'correct', state: 'open' as const, reason: 'mistyped', delegate: 'k1', queries: [] };
    return { ...act, ...place, ...said, commitment: 'b'.repeat(64) };
  });
  return { trial: 'BENCH', eligibility: [], consents: [], uses: [], points };
}

function emptyView(): TrialView {
  const nothing = { versions: [], approvals: [], milestones: [], looks: [], results: [], lists: [], slots: [] };
  const trial = { ...act, trial: 'BENCH', parties };
  const later = {
    reveals: [],
    unblindings: [],
    events: [],
    submissions: [],
    acknowledgements: [],
    documents: [],
    delegates: [],
    statuses: [],
    withdrawals: [],
  };
  return { trial, phase: 'enrolling', ...nothing, ...later };
}

/** Milliseconds of the fastest of several runs: what others do on the machine only ever adds. */
function fastest(work: () => unknown): number {
  const times = Array.from({ length: 9 }, () => {
    const began = performance.now();
    work();
    return performance.now() - began;
  });
  return Math.min(...times);
}
