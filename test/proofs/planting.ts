/** Plants strings in every place of a request where people write what is about a patient. */
import { strict as assert } from 'node:assert';

import type { Answer, TestNetwork } from '../support/network.js';
import { condition, glucose, laboratoryForNorthside, patient } from '../story/people.js';

/** In everything that is about a patient: must never leave the custodian's own folder. */
export const CANARY = 'CANARY';
/** In the token of the custodian's staff: the hospitals' `care` holds it, nobody else and no log. */
export const STAFF = 'WARBLER';

/** What was planted, and what came back. */
export interface Planted {
  readonly patientId: string;
  readonly observationId: string;
  readonly consentId: string;
  /** What was refused, by what was wrong: an error must repeat nothing of what was sent. */
  readonly refused: ReadonlyMap<string, Answer>;
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const consentText = (id: string, body: object): object => ({
  ...body,
  text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${CANARY}NARRATIVE</div>` },
  patient: { reference: `Patient/${id}`, display: `${CANARY}DISPLAYED` },
  performer: [{ display: `${CANARY}PERFORMER` }],
  contained: [{ resourceType: 'Organization', id: 'o', name: `${CANARY}CONTAINED` }],
  organization: [{ reference: '#o' }],
  sourceAttachment: { title: `${CANARY}TITLE`, contentType: 'text/plain', data: btoa(`${CANARY}SCAN`) },
  extension: [{ url: 'http://example.org/remark', valueString: `${CANARY}REMARK` }],
});

/** Writes the canary at stmary in every way there is, rightly and wrongly. */
export async function plant(network: TestNetwork): Promise<Planted> {
  const token = await network.token({ member: 'stmary', user: `${STAFF}-adams`, role: 'physician' });
  const send = (path: string, body: unknown, headers: Record<string, string> = {}, method?: string): Promise<Answer> =>
    network.ask('stmary', path, { token, body, headers, ...(method === undefined ? {} : { method }) });
  const made = async (path: string, body: object, headers: Record<string, string> = {}): Promise<string> => {
    const answer = await send(path, body, headers);
    assert.ok(answer.status === 201 || answer.status === 200, answer.text);
    return String(answer.body.id);
  };

  const person = {
    ...patient,
    identifier: [{ system: 'http://example.org/mrn', value: `${CANARY}MRN` }],
    telecom: [{ system: 'email', value: `${CANARY}@example.org` }],
    address: [{ line: [`${CANARY} street`], city: `${CANARY}CITY` }],
  };
  const identified = `identifier=http://example.org/mrn|${CANARY}MRN`;
  const patientId = await made('Patient', person, {
    'idempotency-key': `${CANARY}KEY`,
    'if-none-exist': identified,
    'x-request-id': `${CANARY}REQUEST`,
  });
  // The same criteria again find it and make nothing.
  assert.equal(await made('Patient', person, { 'if-none-exist': identified }), patientId);
  const observationId = await made('Observation', glucose(patientId, 5.5));
  await made('Condition', condition(patientId));
  await made('Observation', { ...glucose(patientId, 1), subject: { reference: `Patient/${CANARY}NOBODY` } });
  await made('Observation', { ...glucose(patientId, 1), focus: [{ display: `${CANARY} Smith` }] });
  const consentId = await made('Consent', consentText(patientId, laboratoryForNorthside(patientId)));
  const entry = (method: string, url: string, resource?: object, more: object = {}): object => ({
    request: { method, url, ...more },
    ...(resource === undefined ? {} : { resource }),
  });
  const ifNoneExist = { ifNoneExist: `identifier=${CANARY}OTHER` };
  const other = { ...patient, identifier: [{ value: `${CANARY}OTHER` }] };
  await made('', {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      { ...entry('POST', 'Patient', other, ifNoneExist), fullUrl: 'urn:uuid:0b4e5d2a-55f5-4b4c-8d57-0f8b7d3b2b11' },
      entry('POST', 'Condition', condition(patientId)),
    ],
  });
  await made('', {
    resourceType: 'Bundle',
    type: 'batch',
    entry: [
      entry('POST', 'Observation', glucose(patientId, 6)),
      entry('GET', `Patient?family=${CANARY}FAMILY`),
      entry('GET', `Patient/${CANARY}ID`),
    ],
  });
  for (const path of searches) assert.equal((await network.ask('stmary', path, { token })).status, 200, path);
  for (const path of ['Patient/_search', '_search?_type=Patient']) {
    const body = `_id=${patientId}&family=${CANARY}FAMILY`;
    const answer = await send(path, path.startsWith('_') ? `_id=${patientId}` : body, FORM);
    assert.equal(answer.status, 200, answer.text);
  }
  for (const path of [`/${CANARY.toLowerCase()}/x`, `${CANARY}/1`, `Canary`, `/ledger/find?q=${CANARY}`]) {
    await network.ask('stmary', path, { token });
  }
  return { patientId, observationId, consentId, refused: await askWrongly(send, patientId) };
}

const searches = [
  `Patient?family=${CANARY}FAMILY`,
  `Patient?name:contains=${CANARY}`,
  `Patient?identifier=http://example.org/mrn|${CANARY}MRN`,
  `Observation?patient.family=${CANARY}FAMILY&code:text=${CANARY}`,
  `Patient?family=${CANARY}FAMILY&_revinclude=Observation:subject&_count=1`,
];

type Send = (path: string, body: unknown, headers?: Record<string, string>, method?: string) => Promise<Answer>;

/** Every kind of mistake, about content that holds the canary. */
async function askWrongly(send: Send, id: string): Promise<Map<string, Answer>> {
  const wrong: Readonly<Record<string, Parameters<Send>>> = {
    'unknown element': ['Patient', { ...patient, nickname: CANARY }],
    'value of the wrong kind': ['Patient', { ...patient, active: CANARY }],
    'date that is none': ['Patient', { ...patient, birthDate: CANARY }],
    'code outside the set': ['Patient', { ...patient, gender: CANARY }],
    'list in place of a value': ['Patient', { ...patient, name: [[CANARY]] }],
    'type that is none': [`Patient`, { resourceType: CANARY }],
    'text that is not JSON': ['Patient', `{"resourceType":"Patient","name":"${CANARY}`],
    'key twice': ['Patient', `{"resourceType":"Patient","id":"${CANARY}","id":"${CANARY}2"}`],
    'id of another': [`Patient/${id}`, { ...patient, id: CANARY }, {}, 'PUT'],
    'version that is gone': [`Patient/${id}`, { ...patient, id }, { 'if-match': `W/"${CANARY}"` }, 'PUT'],
    'criteria that match many': ['Patient', patient, { 'if-none-exist': `name:contains=${CANARY}` }],
    'criteria that are none': ['Patient', patient, { 'if-none-exist': `born=${CANARY}` }],
    'key used for something else': ['Patient', patient, { 'idempotency-key': `${CANARY}KEY` }],
    'patch of a place that is none': [
      `Patient/${id}`,
      [{ op: 'test', path: '/gender', value: CANARY }],
      { 'content-type': 'application/json-patch+json' },
      'PATCH',
    ],
    'consent whose provision is wrong': [
      'Consent',
      { ...consentText(id, laboratoryForNorthside(id)), provision: { type: CANARY } },
    ],
    'statement that is none': [
      'Consent',
      laboratoryForNorthside(id),
      { 'x-statement': `${btoa(CANARY)}.${btoa(CANARY)}.x` },
    ],
    'bundle with a wrong entry': [
      '',
      {
        resourceType: 'Bundle',
        type: 'transaction',
        entry: [{ request: { method: 'POST', url: `Patient?${CANARY}` }, resource: { ...patient, gender: CANARY } }],
      },
    ],
    'search for a value that is none': ['Patient/_search', `birthdate=${CANARY}`, FORM],
    'search by what is no parameter': ['Patient/_search', `mother=${CANARY}`, { ...FORM, prefer: 'handling=strict' }],
    'purpose that is none': ['Patient', patient, { 'x-purpose-of-use': CANARY }],
  };
  const answers = new Map<string, Answer>();
  for (const [what, question] of Object.entries(wrong)) answers.set(what, await send(...question));
  return answers;
}
