/** What a decision costs, and what reading at another hospital costs beside a plain submit. */
import { decide, factsOf, type ConsentInForce } from '@salus/chaincode/consent/decide';

import { glucose, laboratoryForNorthside, patient } from '../story/people.js';
import type { Answer, FhirBody, TestNetwork } from '../support/network.js';
import { inTurn, type Measure, measure, type Processes, type Wish } from './meter.js';
import type { Ratio } from './report.js';

/** Consents of the patient that is decided about. */
const CONSENTS = 20;
const DECISIONS = 200_000;

/** How many decisions a second of processor time makes about a patient with 20 consents, the last of which permits. */
export function decisionRate(): Ratio {
  const consents = Array.from({ length: CONSENTS }, (_, index) => consentOf(index));
  const request = { custodian: 'stmary', member: 'northside', user: 'u', role: 'physician', purpose: 'TREAT' };
  const facts = factsOf({ ...glucose('p', 5), id: 'o', resourceType: 'Observation' });
  const decided = (): string =>
    decide({ ...request, action: 'access' }, facts, consents, '2026-03-01T12:00:00Z').outcome;
  for (let warm = 0; warm < DECISIONS / 10; warm += 1) decided();
  const start = process.cpuUsage();
  for (let count = 0; count < DECISIONS; count += 1) {
    if (decided() !== 'permit') throw new Error('the bench decides about something that is permitted');
  }
  const { user, system } = process.cpuUsage(start);
  const value = (DECISIONS / (user + system)) * 1e6;
  return { what: `decide, ${CONSENTS} consents, per CPU second`, value, aim: '>= 50000' };
}

/** All but the last are for somebody else. */
function consentOf(index: number): ConsentInForce {
  const text = JSON.stringify(laboratoryForNorthside('p'));
  const own = index === CONSENTS - 1 ? text : text.replace('"northside"', `"member-${index}"`);
  return { id: `c${index}`, version: 1, care: JSON.parse(own) as ConsentInForce['care'] };
}

/** Names of what further pages cost at the hospital that keeps the record, and at another. */
export const [LOCAL_PAGE, REMOTE_PAGE] = ['local read, next page', 'remote read, next page'] as const;
/** Observations of the record whose pages are read, and in a page. */
const [CHART, PAGE] = [100, 10];

/**
 * Searches at northside in a record of stmary's that a consent opens, each with an access of its own; then the further
 * pages of one search, under its access, in turn with the same pages read at stmary. Neither counts the total.
 */
export async function remoteReads(network: TestNetwork, processes: Processes): Promise<Measure[]> {
  const adams = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
  const baker = await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' });
  const sent = async (path: string, body: object, token: string): Promise<{ id: string; block: string }> => {
    const answer = await network.ask('stmary', path, { token, body });
    if (answer.status >= 300) throw new Error(`${answer.status} ${answer.text}`);
    return { id: String(answer.body.id), block: answer.headers.get('x-block') ?? '' };
  };
  /** A patient with so many observations, opened to northside: its id, and the block that all of it lies below. */
  const opened = async (count: number): Promise<{ id: string; headers: Record<string, string> }> => {
    const { id } = await sent('Patient', patient, adams);
    const own = await network.token({ member: 'stmary', user: 'pat', role: 'patient', patient: id });
    const request = { method: 'POST', url: 'Observation' };
    const entry = Array.from({ length: count }, (_, n) => ({ resource: glucose(id, n), request }));
    await sent('', { resourceType: 'Bundle', type: 'transaction', entry }, adams);
    const { block } = await sent('Consent', laboratoryForNorthside(id), own);
    return { id, headers: { 'x-min-block': block } };
  };
  const few = await opened(2);
  const first = async (): Promise<void> => {
    requireFound(
      await network.ask('northside', `Observation?patient=${few.id}`, { token: baker, headers: few.headers }),
    );
  };
  const chart = await opened(CHART);
  const reader = async (name: string, member: string, token: string): Promise<Wish> => {
    const ask = async (path: string): Promise<FhirBody> =>
      requireFound(await network.ask(member, path, { token, headers: chart.headers }));
    const pages: string[] = [];
    let next = nextOf(await ask(`Observation?patient=${chart.id}&code=2339-0&_count=${PAGE}&_total=none`));
    for (; next !== undefined; next = nextOf(await ask(next))) pages.push(next);
    const run = async (index: number): Promise<void> => {
      await ask(pages[index % pages.length] ?? '');
    };
    return { name, concurrency: 1, count: 400, run };
  };
  const local = await reader(LOCAL_PAGE, 'stmary', adams);
  const remote = await reader(REMOTE_PAGE, 'northside', baker);
  return [
    await measure({ name: 'remote read', concurrency: 1, count: 100, run: first }, processes),
    ...(await inTurn([() => measure(local, processes), () => measure(remote, processes)])),
  ];
}

/** The searchset, if there is an Observation in it. */
function requireFound({ body, text }: Answer): FhirBody {
  if (!body.entry?.some(({ resource }) => resource?.resourceType === 'Observation')) throw new Error(text);
  return body;
}

/** Path of a searchset's next page, from the origin; undefined on the last. */
function nextOf(searchset: FhirBody): string | undefined {
  const links = (searchset['link'] ?? []) as readonly { readonly relation: string; readonly url: string }[];
  const next = links.find(({ relation }) => relation === 'next');
  if (next === undefined) return undefined;
  const { pathname, search } = new URL(next.url);
  return `${pathname}${search}`;
}
