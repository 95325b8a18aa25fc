/** What a decision costs, and what reading at another hospital costs beside a plain submit. */
import { decide, factsOf, type ConsentInForce } from '@salus/chaincode/consent/decide';

import { glucose, laboratoryForNorthside, patient } from '../story/people.js';
import type { FhirBody, TestNetwork } from '../support/network.js';
import { type Measure, type Processes, measure } from './meter.js';
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

/**
 * Searches at northside in a record of stmary's that a consent opens, and the second page of one. Each asks for an access
 * of its own, the page, too.
 */
export async function remoteReads(network: TestNetwork, processes: Processes): Promise<Measure[]> {
  const adams = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
  const baker = await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' });
  const created = async (body: object, token: string): Promise<{ id: string; block: string }> => {
    const { resourceType } = body as { resourceType: string };
    const answer = await network.ask('stmary', resourceType, { token, body });
    if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`);
    return { id: String(answer.body.id), block: answer.headers.get('x-block') ?? '' };
  };
  const { id } = await created(patient, adams);
  const own = await network.token({ member: 'stmary', user: 'pat', role: 'patient', patient: id });
  await created(glucose(id, 5), adams);
  await created(glucose(id, 6), adams);
  const { block } = await created(laboratoryForNorthside(id), own);
  const search = async (path: string): Promise<FhirBody> => {
    const headers = { 'x-min-block': block };
    const { body, text } = await network.ask('northside', path, { token: baker, headers });
    if (!body.entry?.some(({ resource }) => resource?.resourceType === 'Observation')) throw new Error(text);
    return body;
  };
  const first = async (): Promise<void> => {
    await search(`Observation?patient=${id}`);
  };
  const next = nextOf(await search(`Observation?patient=${id}&_count=1`));
  const further = async (): Promise<void> => {
    await search(next);
  };
  return [
    await measure({ name: 'remote read', concurrency: 1, count: 100, run: first }, processes),
    await measure({ name: 'remote read, next page', concurrency: 1, count: 100, run: further }, processes),
  ];
}

/** Path of a searchset's next page, from the origin. */
function nextOf(searchset: FhirBody): string {
  const links = searchset['link'] as readonly { readonly relation: string; readonly url: string }[];
  const next = links.find(({ relation }) => relation === 'next');
  if (next === undefined) throw new Error('the first page names no next one');
  const { pathname, search } = new URL(next.url);
  return `${pathname}${search}`;
}
