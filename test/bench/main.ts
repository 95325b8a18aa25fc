/** `npm run bench`: what Salus costs, as ratios within one run and as CPU-ms over all processes. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { glucose, patient } from '../story/people.js';
import { engineName } from '../support/engine.js';
import { type Answer, type TestNetwork, startNetwork } from '../support/network.js';
import { sharedPath } from '../support/shared.js';
import { type Bare, startBare } from './lean.js';
import { type Measure, byKind, measure } from './meter.js';
import { type Loaded, readings, recordRatios } from './records.js';
import { type Ratio, ratioTable, table } from './report.js';
import { flatReads } from './many-consents.js';
import { DISPENSES, dispenses, supplyRatios, type Yardsticks } from './supply.js';
import { decisionRate, LOCAL_PAGE, REMOTE_PAGE, remoteReads } from './sharing.js';
import { startFigures } from './starts.js';
import { DEFAULT_BLOCKS, baseline, defaultBatches } from './stock.js';

const bundleSize = 100;
/** Who write one resource at a time, each under a token of its own. */
const CLINICIANS = 16;

async function salus(network: TestNetwork, bares: readonly [Bare, Bare]): Promise<Measure[]> {
  const token = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
  const post = async (path: string, body: object, by = token): Promise<string> => {
    const answer = await network.ask('stmary', path, { token: by, body });
    if (answer.status !== 201 && answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
    return String(answer.body.id);
  };
  const patientId = await post('Patient', patient);
  const observationId = await post('Observation', glucose(patientId, 1));
  const processes = byKind(network.processes());
  // A hospital's clinicians, none of whom waits for an answer before another asks.
  const clinicians = await Promise.all(
    Array.from({ length: CLINICIANS }, (_, n) =>
      network.token({ member: 'stmary', user: `dr-${n}`, role: 'physician' }),
    ),
  );
  const create = async (index: number): Promise<void> => {
    await post('Observation', glucose(patientId, index), clinicians[index % CLINICIANS]);
  };
  const bundle = async (index: number): Promise<void> => {
    const entry = Array.from({ length: bundleSize }, (_, n) => ({
      resource: glucose(patientId, index * bundleSize + n),
      request: { method: 'POST', url: 'Observation' },
    }));
    await post('', { resourceType: 'Bundle', type: 'transaction', entry });
  };
  return [
    // Many at once first: they warm every process up for one at a time.
    await measure({ name: 'FHIR create', concurrency: 16, count: 600, run: create }, processes),
    await measure({ name: 'FHIR create', concurrency: 1, count: 100, run: create }, processes),
    await measure(
      { name: 'Bundle of 100, per resource', concurrency: 2, count: 20, units: bundleSize, run: bundle },
      processes,
    ),
    ...(await readings(
      network.fhir('stmary'),
      {
        token,
        resource: `Observation/${observationId}`,
        search: `Observation?patient=${patientId}&code=2339-0&_count=10`,
      },
      bares,
      processes,
    )),
    ...(await remoteReads(network, processes)),
    await measure({ name: 'idle, per second', concurrency: 1, count: idleSeconds, run: () => sleep(1000) }, processes),
  ];
}

/** How long the processes are watched while nobody asks anything. */
const idleSeconds = 10;

/** The 20 bundles, four at a time, to committed and searchable. */
async function loadBundles(network: TestNetwork, folder: string): Promise<{ measure: Measure; loaded: Loaded }> {
  const token = await network.token({ member: 'stmary', user: 'loader', role: 'admin' });
  const bundles = readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => readFileSync(join(folder, file), 'utf8'));
  const sizeOf = (text: string): number => (JSON.parse(text) as { entry: unknown[] }).entry.length;
  const resources = bundles.reduce((sum, text) => sum + sizeOf(text), 0);
  const since = new Date().toISOString();
  let largest = { size: 0, patient: '' };
  const queue = [...bundles];
  const processes = byKind(network.processes());
  const once_ = async (): Promise<void> => {
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        for (let body = queue.shift(); body !== undefined; body = queue.shift()) {
          const answer = await network.ask('stmary', '', { token, body });
          if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text.slice(0, 500)}`);
          if (sizeOf(body) > largest.size) largest = { size: sizeOf(body), patient: patientIn(answer) };
        }
      }),
    );
  };
  const measured = await measure(
    {
      name: 'load of the 20 bundles, per resource',
      concurrency: 1,
      count: 1,
      units: resources,
      run: (index) => (index === 0 ? Promise.resolve() : once_()),
    },
    processes,
  );
  const reader = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
  return { measure: measured, loaded: { token: reader, since, ...largest } };
}

/** Id of the Patient that a transaction made. */
function patientIn({ text }: Answer): string {
  const [, id = ''] = /"location":"[^"]*Patient\/([^/"]+)/.exec(text) ?? [];
  return id;
}

function ratios(measures: readonly Measure[]): Ratio[] {
  const of = (name: string, concurrency: number): Measure => {
    const found = measures.find((each) => each.name.startsWith(name) && each.concurrency === concurrency);
    if (found === undefined) throw new Error(`not measured: ${name}`);
    return found;
  };
  const total = (measured: Measure): number =>
    Object.entries(measured.cpu).reduce((sum, [name, used]) => (name === 'client' ? sum : sum + used), 0);
  const named = (name: string): Measure[] => measures.filter((each) => each.name === name);
  return [
    {
      what: 'FHIR create / empty submit, rate at 16',
      value: of('FHIR create', 16).rate / of('empty submit', 16).rate,
      aim: '>= 1',
    },
    {
      what: 'FHIR create / empty submit, rate at 1',
      value: of('FHIR create', 1).rate / of('empty submit', 1).rate,
      aim: '>= 0.9',
    },
    { what: 'FHIR create, per second at 16', value: of('FHIR create', 16).rate, aim: '>= 700' },
    { what: 'Bundle of 100, resources per second', value: of('Bundle of 100', 2).rate, aim: '>= 1200' },
    ...named(DEFAULT_BLOCKS).map(({ p50 }) => ({
      what: 'empty submit, Fabric’s default blocks / ours, p50',
      value: p50 / of('empty submit', 1).p50,
      aim: '>= 50',
    })),
    {
      what: 'read by id / bare Express answer, p50',
      value: of('read by id', 1).p50 / of('bare Express', 1).p50,
      aim: '< 3',
    },
    { what: 'read by id, p50 ms', value: of('read by id', 1).p50, aim: '< 0.4' },
    { what: 'read by id, per second at 16', value: of('read by id', 16).rate, aim: '>= 8000' },
    { what: 'search, p50 ms', value: of('search', 1).p50, aim: '<= 1' },
    { what: 'search, per second at 16', value: of('search', 16).rate, aim: '>= 3000' },
    {
      what: 'single create / bundle resource, server CPU',
      value: total(of('FHIR create', 1)) / total(of('Bundle of 100', 2)),
      aim: '>= 15',
    },
    {
      what: 'remote read / empty submit, p50',
      value: of('remote read', 1).p50 / of('empty submit', 1).p50,
      aim: '<= 1.5',
    },
    { what: `${REMOTE_PAGE} / ${LOCAL_PAGE}, p50`, value: of(REMOTE_PAGE, 1).p50 / of(LOCAL_PAGE, 1).p50, aim: '<= 2' },
    {
      what: `${REMOTE_PAGE} / ${LOCAL_PAGE}, server CPU`,
      value: total(of(REMOTE_PAGE, 1)) / total(of(LOCAL_PAGE, 1)),
      aim: '',
    },
    decisionRate(),
  ];
}

function yardsticks(measures: readonly Measure[]): Pick<Yardsticks, 'plainRate'> {
  const plain = measures.find(({ name, concurrency }) => name === 'empty submit' && concurrency === 16);
  if (plain === undefined) throw new Error('not measured: empty submit');
  return { plainRate: plain.rate };
}

/** `npm run bench -- supply`: the supply chain alone. */
async function supplyAlone(): Promise<void> {
  const measures = await baseline();
  const bare = await startBare('express');
  const network = await startNetwork();
  try {
    console.log(ratioTable(await supplyRatios(network, { bareUrl: bare.url, ...yardsticks(measures) })));
  } finally {
    bare.stop();
    await network.stop();
  }
}

/** `npm run bench -- dispenses`: dispenses alone, between two measures of the plain submits. */
async function dispensesAlone(): Promise<void> {
  const before = await baseline();
  const network = await startNetwork();
  let dispensed: Measure;
  try {
    dispensed = await dispenses(network);
  } finally {
    await network.stop();
  }
  const plain = [before, await baseline()].map((measures) => yardsticks(measures).plainRate);
  console.log(table([...before, dispensed]));
  for (const rate of plain) console.log(`${DISPENSES}: ${(dispensed.rate / rate).toFixed(2)} of ${rate.toFixed(0)}`);
}

async function main(): Promise<void> {
  const measures = [...(await baseline()), ...(await defaultBatches())];
  const bares = [await startBare('express'), await startBare('node')] as const;
  const [bare] = bares;
  const flat: Ratio[] = await startFigures();
  const network = await startNetwork();
  try {
    measures.push(...(await salus(network, bares)));
    const folder = sharedPath('data/synthea');
    if (folder !== undefined) {
      const { measure: load, loaded } = await loadBundles(network, folder);
      measures.push(load);
      flat.push(...(await recordRatios(network, loaded)));
    } else console.log('load of the 20 bundles: not measured, ../shared/data/synthea is not on this machine');
    // The ten thousand consents are for the index, which is the same on both engines.
    if (engineName === 'embedded') flat.push(...(await flatReads(network)));
    flat.push(...(await supplyRatios(network, { bareUrl: bare.url, ...yardsticks(measures) })));
  } finally {
    for (const each of bares) each.stop();
    await network.stop();
  }
  // Last: the contracts that it loads bring protobuf classes of the shim, which take the place of the client's.
  const { trialRatios } = await import('./trials.js');
  flat.push(...(await trialRatios()));
  console.log(table(measures));
  console.log();
  console.log(ratioTable([...ratios(measures), ...flat]));
}

/** `npm run bench -- starts`: starts alone. */
async function startsAlone(): Promise<void> {
  console.log(ratioTable(await startFigures()));
}

const PARTS: Readonly<Record<string, () => Promise<void>>> = {
  supply: supplyAlone,
  dispenses: dispensesAlone,
  starts: startsAlone,
};

await (PARTS[process.argv[2] ?? ''] ?? main)();
