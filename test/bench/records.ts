/** What reading costs: a resource, a search, a whole record, and the export of everything that was loaded. */
import { setTimeout as sleep } from 'node:timers/promises';

import { residentBytes } from '../support/memory.js';
import type { Answer, TestNetwork } from '../support/network.js';
import { type Bare, measureLean } from './lean.js';
import { byKind, inTurn, type Measure, type Processes } from './meter.js';
import type { Ratio } from './report.js';

/** What is read: by whom, a resource, and a search that finds many. */
export interface Readable {
  readonly token: string;
  readonly resource: string;
  readonly search: string;
}

/** Reads and searches by one client and by 16, beside what answers with the least. */
export async function readings(
  fhir: string,
  { token, resource, search }: Readable,
  [express, node]: readonly [Bare, Bare],
  watched: Processes,
): Promise<Measure[]> {
  const of = (path: string) => ({ url: `${fhir}/${path}`, token });
  const [one, sixteen] = [{ concurrency: 1 }, { concurrency: 16 }];
  const [bareNode, bareExpress] = [{ url: node.url }, { url: express.url }];
  return [
    ...(await inTurn([
      () => measureLean({ name: 'bare Node answer', ...bareNode, ...one, count: 400 }, {}),
      () => measureLean({ name: 'bare Express answer', ...bareExpress, ...one, count: 400 }, {}),
      () => measureLean({ name: 'read by id', ...of(resource), ...one, count: 400 }, watched),
      () => measureLean({ name: 'search by patient and code', ...of(search), ...one, count: 200 }, watched),
    ])),
    await measureLean({ name: 'bare Node answer', ...bareNode, ...sixteen, count: 8000 }, {}),
    await measureLean({ name: 'bare Express answer', ...bareExpress, ...sixteen, count: 8000 }, {}),
    await measureLean({ name: 'read by id', ...of(resource), ...sixteen, count: 8000 }, watched),
    await measureLean({ name: 'search by patient and code', ...of(search), ...sixteen, count: 2000 }, watched),
  ];
}

/** Whole records: of the patient with the most resources that were loaded, and all that was. */
export async function recordRatios(network: TestNetwork, loaded: Loaded): Promise<Ratio[]> {
  const { token, patient, size } = loaded;
  const url = `${network.fhir('stmary')}/Patient/${patient}/$everything`;
  const wish = { name: 'everything', url, token, concurrency: 1, count: 20 };
  const { p50 } = await measureLean(wish, {});
  const { seconds, resources, megabytes, growth } = await exported(network, loaded);
  return [
    { what: `$everything of ${size} resources, p50 ms`, value: p50, aim: '<= 30' },
    { what: `$export of ${resources} resources, ${megabytes.toFixed(1)} MB, seconds`, value: seconds, aim: '<= 3' },
    { what: 'resident memory it adds at most, MB', value: growth, aim: '< 100' },
  ];
}

/** What was loaded. */
export interface Loaded {
  readonly token: string;
  /** FHIR instant before which nothing of it was written. */
  readonly since: string;
  /** FHIR id of a Patient, and how many resources the record has. */
  readonly patient: string;
  readonly size: number;
}

const POLL_MS = 20;

async function exported(network: TestNetwork, { token, since }: Loaded) {
  const { gateway = [], gateways = gateway } = byKind(network.processes());
  const resident = (): number => gateways.reduce((sum, pid) => sum + residentBytes(pid) / 1e6, 0);
  const before = resident();
  let most = before;
  const watch = setInterval(() => (most = Math.max(most, resident())), POLL_MS);
  const began = performance.now();
  try {
    const texts = await files(network, token, since);
    const seconds = (performance.now() - began) / 1000;
    const lines = texts.map((text) => text.split('\n').filter((line) => line !== '').length);
    const megabytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1e6;
    return { seconds, resources: lines.reduce((sum, each) => sum + each, 0), megabytes, growth: most - before };
  } finally {
    clearInterval(watch);
  }
}

/** Kick-off, status until it is done, and every file (Bulk Data Access 2). */
async function files(network: TestNetwork, token: string, since: string): Promise<readonly string[]> {
  const get = (url: string, headers: Record<string, string> = {}): Promise<Answer> => {
    const path = url.startsWith('http') ? new URL(url).pathname : url;
    return network.ask('stmary', path, { token, headers });
  };
  const kicked = await get(`$export?_since=${encodeURIComponent(since)}`, { prefer: 'respond-async' });
  const status = kicked.headers.get('content-location') ?? '';
  let answer = await get(status);
  for (; answer.status === 202; answer = await get(status)) await sleep(POLL_MS);
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  const { output } = answer.body as unknown as { output: readonly { readonly url: string }[] };
  const texts: string[] = [];
  for (const { url } of output) texts.push((await get(url, { accept: 'application/fhir+ndjson' })).text);
  return texts;
}
