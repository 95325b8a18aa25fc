import assert from 'node:assert/strict';

import { glucose, heartRate, patient, resourcesOf, treatmentByNorthside } from '../story/people.js';
import { changeProjection, falsify } from '../support/change-projection.js';
import { networkOfSuite, type Answer, type FhirBody } from '../support/network.js';

const R = { system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' };
const PSY = { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'PSY' };

/** Codes of the tags of a resource. */
const tagsOf = ({ meta }: FhirBody = {}): readonly string[] =>
  ((meta as { tag?: readonly { code: string }[] } | undefined)?.tag ?? []).map(({ code }) => code);
const versionsOf = ({ body }: Answer): readonly (string | undefined)[] =>
  (body.entry ?? []).map(({ resource }) => (resource?.meta as { versionId?: string } | undefined)?.versionId);
const idsOf = ({ body }: Answer): readonly string[] => resourcesOf(body).map(({ id }) => String(id));

describe('what is asked of another hospital', function () {
  this.timeout(240_000);
  const network = networkOfSuite();
  let adams: string;
  let baker: string;
  let ann: string;
  let ben: string;
  /** Observations of Ann: three versions, one with a label that came later, and one that was Ben's first. */
  let sugar: string;
  let pulse: string;
  let moved: string;
  let headers: Record<string, string>;

  const sent = async (path: string, body: object, token: string, method = 'POST'): Promise<Answer> => {
    const answer = await network.ask('stmary', path, { token, body, method });
    assert.ok(answer.status < 300, answer.text);
    headers = { 'x-min-block': answer.headers.get('x-block') ?? headers['x-min-block'] ?? '0' };
    return answer;
  };
  const afar = (path: string, token = baker): Promise<Answer> => network.ask('northside', path, { token, headers });
  const athome = (path: string): Promise<Answer> => network.ask('stmary', path, { token: adams, headers });
  const named = (body: object, name: string, more: object = {}): object => ({ ...body, id: name, ...more });
  const admit = async (family: string): Promise<string> =>
    String((await sent('Patient', { ...patient, name: [{ family }] }, adams)).body.id);
  const permit = async (id: string, consent: object): Promise<void> => {
    const token = await network.token({ member: 'stmary', user: `pat-${id}`, role: 'patient', patient: id });
    await sent('Consent', consent, token);
  };

  before(async () => {
    adams = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    baker = await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' });
    headers = {};
    [ann, ben] = [await admit('Rowan'), await admit('Alder')];
    [sugar, pulse, moved] = [`sugar-${ann}`, `pulse-${ann}`, `moved-${ann}`].map((id) => id.slice(0, 64)) as [
      string,
      string,
      string,
    ];
    for (const value of [101, 102, 103])
      await sent(`Observation/${sugar}`, named(glucose(ann, value), sugar), adams, 'PUT');
    await sent(`Observation/${pulse}`, named(heartRate(ann), pulse), adams, 'PUT');
    await sent(`Observation/${pulse}`, named(heartRate(ann), pulse, { meta: { security: [R, PSY] } }), adams, 'PUT');
    await sent(`Observation/${moved}`, named(glucose(ben, 55), moved), adams, 'PUT');
    await sent(`Observation/${moved}`, named(glucose(ann, 56), moved), adams, 'PUT');
    // Everything but what is psychiatric.
    const but = { type: 'deny', securityLabel: [PSY] };
    await permit(ann, treatmentByNorthside(ann, { provision: [but] }));
  });

  it('is a history, page by page, each version as the ledger has it', async () => {
    const whole = await afar(`Observation/${sugar}/_history?patient=${ann}`);
    assert.equal(whole.status, 200, whole.text);
    assert.equal(whole.body.type, 'history');
    assert.equal(whole.body.total, undefined);
    assert.ok(tagsOf(whole.body).includes('may-be-incomplete'));
    assert.deepEqual(versionsOf(whole), ['3', '2', '1']);
    assert.match(whole.text, /"value":103.*"value":102.*"value":101/);
    for (const entry of whole.body.entry ?? []) {
      assert.equal((entry.resource?.meta as { source?: string }).source, 'urn:salus:member:stmary');
      assert.deepEqual(Object.keys(entry).sort(), ['fullUrl', 'request', 'resource', 'response']);
    }
    const first = await afar(`Observation/${sugar}/_history?patient=${ann}&_count=2&_elements=status`);
    assert.deepEqual(versionsOf(first), ['3', '2']);
    const [self, next] = first.body.link as readonly { relation: string; url: string }[];
    assert.deepEqual([self?.relation, next?.relation], ['self', 'next']);
    assert.match(
      self?.url ?? '',
      /\/fhir\/R4\/Observation\/[\w-]+\/_history\?patient=[\w-]+&_count=2&_elements=status$/,
    );
    assert.ok(next !== undefined);
    const second = await afar(next.url.slice(next.url.indexOf('/fhir/R4/') + '/fhir/R4/'.length));
    assert.deepEqual(versionsOf(second), ['1']);
    assert.ok(tagsOf(second.body.entry?.[0]?.resource).includes('SUBSETTED'));
    assert.doesNotMatch(second.text, /valueQuantity/);
    const since = await afar(`Observation/${sugar}/_history?patient=${ann}&_since=2999-01-01T00:00:00Z`);
    assert.equal(since.status, 404, 'nothing to show is nothing');
    assert.equal((await afar(`Observation/${sugar}/_history?patient=${ann}&nonsense=1`)).status, 400);
  });

  it('is one version, and the one in force', async () => {
    const second = await afar(`Observation/${sugar}/_history/2?patient=${ann}`);
    assert.equal(second.status, 200, second.text);
    assert.match(second.text, /"value":102/);
    assert.equal(second.headers.get('etag'), 'W/"2"');
    const now = await afar(`Observation/${sugar}?patient=Patient/${ann}`);
    assert.match(now.text, /"value":103/);
    assert.match((await afar(`Patient/${ann}/_history`)).text, /Rowan/);
    assert.match((await afar(`Patient/${ann}/_history/1`)).text, /Rowan/);
    assert.equal((await afar(`Patient/${ann}/_history/2`)).status, 404);
  });

  it('shows of a history what may be seen of each version, a label that came later included', async () => {
    assert.equal((await athome(`Observation/${pulse}/_history`)).body.total, 2);
    const absent = await afar(`Observation/nothing/_history?patient=${ann}`);
    const strip = ({ text }: Answer): string => text.replaceAll(/(nothing|pulse-[^ "]+)/g, 'x');
    for (const path of ['', '/_history', '/_history/1', '/_history/2']) {
      const denied = await afar(`Observation/${pulse}${path}?patient=${ann}`);
      assert.deepEqual([denied.status, strip(denied)], [404, strip(absent)], path);
    }
    assert.deepEqual(versionsOf(await afar(`Observation/${moved}/_history?patient=${ann}`)), ['2']);
    assert.equal((await afar(`Observation/${moved}/_history/1?patient=${ann}`)).status, 404);
    for (const whose of [ben, 'nobody']) {
      assert.equal((await afar(`Observation/${sugar}/_history?patient=${whose}`)).status, 404);
      assert.equal((await afar(`Observation/${sugar}?patient=${whose}`)).status, 404);
    }
    assert.equal((await afar(`Observation/${sugar}/_history`)).status, 404, 'nobody says whose it is');
  });

  it('leaves a trace of a history before anything is shown', async () => {
    const own = await network.token({ member: 'stmary', user: `pat-${ann}`, role: 'patient', patient: ann });
    const count = async (): Promise<number> => {
      const { text } = await network.ask('stmary', `AuditEvent?patient=${ann}&_count=200`, { token: own, headers });
      return text.split('history-instance').length - 1;
    };
    const before = await count();
    const { headers: told } = await afar(`Observation/${sugar}/_history/1?patient=${ann}`);
    assert.equal(told.get('x-block'), null);
    await afar(`Observation/${pulse}/_history?patient=${ann}`);
    assert.equal((await count()) - before, 2);
  });

  it('takes chains and _has, and answers as the custodian answers at home', async () => {
    const questions = [
      `Observation?patient=${ann}&subject:Patient.family=Rowan`,
      `Observation?patient=${ann}&subject:Patient.family=Alder`,
      `Observation?patient=${ann}&patient.gender=female&code=2339-0`,
      `Patient?_id=${ann}&_has:Observation:patient:code=2339-0`,
      `Patient?_id=${ann}&_has:Observation:patient:code=1234-5`,
      `Observation?patient=${ann}&_filter=subject.family eq Rowan and code eq 2339-0`,
      `Patient?_id=${ann}&_revinclude=Observation:subject&_has:Observation:patient:code=2339-0`,
      `Observation?patient=${ann}&_include=Observation:subject&code=2339-0`,
    ];
    for (const question of questions) {
      const [here, there] = [await athome(question), await afar(question)];
      assert.equal(there.status, 200, there.text);
      const shown = idsOf(here).filter((id) => id !== pulse);
      assert.deepEqual([...idsOf(there)].sort(), [...shown].sort(), question);
    }
    assert.deepEqual([...idsOf(await afar(questions[0] ?? ''))].sort(), [moved, sugar].sort());
  });

  it('tells by no chain what may not be seen', async () => {
    const psychiatric = `Patient?_id=${ann}&_has:Observation:patient:code=8867-4`;
    assert.deepEqual(idsOf(await athome(psychiatric)), [ann]);
    assert.deepEqual(idsOf(await afar(psychiatric)), []);
    const not = `Patient?_id=${ann}&_filter=not (gender eq male)`;
    assert.deepEqual(idsOf(await afar(not)), [ann]);
    assert.equal((await afar(`Observation?patient=${ann}&subject:Patient.nonsense=1`)).status, 400);
    // Of Ben nothing is permitted, so that nothing is told by way of him either.
    assert.deepEqual(idsOf(await afar(`Observation?patient=${ben}&subject:Patient.family=Alder`)), []);
  });

  it('tells by no chain what the scopes of the asker do not cover', async () => {
    const tokenFor = (scope: string): Promise<string> =>
      network.token({ member: 'northside', user: 'dr-baker', role: 'physician', scope });
    const narrow = 'user/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory';
    const asked = [
      `Patient?_id=${ann}&_has:Observation:patient:code=2339-0`,
      `Patient?_id=${ann}&_filter=_has:Observation:patient:code eq 2339-0`,
      `Patient?_id=${ann}&_has:Observation:patient:code=1234-5`,
    ];
    const shown = async (scope: string, paths = asked): Promise<readonly (readonly string[])[]> => {
      const token = await tokenFor(scope);
      const answers = await Promise.all(paths.map((path) => afar(path, token)));
      for (const { status, text } of answers) assert.equal(status, 200, text);
      return answers.map(idsOf);
    };
    const whole = await shown('user/Patient.rs user/Observation.rs');
    assert.deepEqual(whole, [[ann], [ann], []]);
    for (const scope of ['user/Patient.rs', `user/Patient.rs ${narrow}`, 'user/Patient.rs user/Observation.r']) {
      assert.deepEqual(await shown(scope), [[], [], []], scope);
    }
    assert.deepEqual(await shown('user/Patient.rs', [`Patient?_id=${ann}`]), [[ann]]);
    const along = [`Observation?patient=${ann}&code=2339-0&_include=Observation:subject`];
    assert.ok((await shown('user/Patient.rs user/Observation.rs', along))[0]?.includes(ann));
    assert.deepEqual(await shown(`user/Patient.rs ${narrow}`, along), [[]]);
  });

  it('shows parts that the asker asked for, cut out of what was proven', async () => {
    const elements = await afar(`Observation?patient=${ann}&code=2339-0&_elements=status&_include=Observation:subject`);
    assert.deepEqual([...idsOf(elements)].sort(), [ann, moved, sugar].sort());
    assert.doesNotMatch(elements.text, /valueQuantity/);
    assert.match(elements.text, /Rowan/, 'what comes along is whole');
    const summary = await afar(`Patient/${ann}?_summary=text`);
    assert.doesNotMatch(summary.text, /Rowan/);
    assert.ok(tagsOf(summary.body).includes('SUBSETTED'));
  });

  it('proves what a duty is put on', async () => {
    const carl = await admit('Cedar');
    const alcohol = { coding: [{ system: 'http://hl7.org/fhir/sid/icd-10', code: 'F10.2' }] };
    const dependence = { resourceType: 'Condition', code: alcohol, subject: { reference: `Patient/${carl}` } };
    const id = String((await sent('Condition', dependence, adams)).body.id);
    await permit(carl, treatmentByNorthside(carl, {}));
    const shown = await afar(`Condition?patient=${carl}&_revinclude=Provenance:target`);
    assert.deepEqual(idsOf(shown), [id], shown.text);
    assert.match(JSON.stringify(resourcesOf(shown.body)[0]?.meta), /NORDSCLCD.*42-cfr-2.32/);
    for (const path of ['', '/_history', '/_history/1']) {
      const { status, text } = await afar(`Condition/${id}${path}?patient=${carl}`);
      assert.equal(status, 200, path + text);
      assert.match(text, /NORDSCLCD.*42-cfr-2.32/);
    }
    falsify(network.stateDir, 'F10.2', 'F10.9', id);
    const falsified = await afar(`Condition?patient=${carl}`);
    assert.deepEqual(idsOf(falsified), []);
    assert.match(falsified.text, /did not agree with the ledger/);
    assert.equal((await afar(`Condition/${id}?patient=${carl}`)).status, 404);
  });

  it('leaves out of a history the version that a custodian falsifies, and says so in its place', async () => {
    falsify(network.stateDir, '"value":102', '"value":999', sugar);
    const shown = await afar(`Observation/${sugar}/_history?patient=${ann}`);
    assert.doesNotMatch(shown.text, /"value":999/);
    assert.deepEqual(versionsOf(shown), ['3', undefined, '1']);
    assert.match(shown.text, /what stmary shows of this version did not agree with the ledger/);
    assert.equal((await afar(`Observation/${sugar}/_history/2?patient=${ann}`)).status, 404);
    // An old version in the place of the one in force has a hash on the ledger, but another number.
    const old = 'FROM version o WHERE o.rid = version.rid AND o.version = 1';
    changeProjection(
      network.stateDir,
      `UPDATE version SET text = replace(text, '"value":103', '"value":101'), ledger_key = (SELECT o.ledger_key ${old}),
         tx_id = (SELECT o.tx_id ${old}) WHERE version = 3 AND rid = (SELECT rid FROM resource WHERE id = ?)`,
      sugar,
    );
    const now = await afar(`Observation/${sugar}?patient=${ann}`);
    assert.deepEqual([now.status, now.text.includes('"value":101')], [404, false]);
  });

  it('takes no other resource or version for the one that was asked for, each of which would be proven', async () => {
    const names = ['one', 'two'].map((name) => `${name}-${ann}`.slice(0, 64)) as [string, string];
    const [one, two] = names;
    for (const value of [201, 202]) await sent(`Observation/${one}`, named(glucose(ann, value), one), adams, 'PUT');
    await sent(`Observation/${two}`, named(glucose(ann, 203), two), adams, 'PUT');
    const asked = [`Observation/${one}/_history/2`, `Observation/${two}`, `Observation/${two}/_history`];
    const shown = async (): Promise<readonly Answer[]> =>
      await Promise.all(asked.map((path) => afar(`${path}?patient=${ann}`)));
    assert.deepEqual(
      (await shown()).map(({ status }) => status),
      [200, 200, 200],
    );
    // The whole text of another version, which has evidence of its own.
    const text = '(SELECT text FROM version WHERE version = 1 AND rid = (SELECT rid FROM resource WHERE id = ?))';
    const put = `UPDATE version SET text = ${text} WHERE version = ? AND rid = (SELECT rid FROM resource WHERE id = ?)`;
    changeProjection(network.stateDir, put, one, '2', one);
    changeProjection(network.stateDir, put, one, '1', two);
    const [version, read, history] = (await shown()) as [Answer, Answer, Answer];
    assert.deepEqual([version.status, read.status], [404, 404], version.text + read.text);
    assert.doesNotMatch(history.text, /"value":201/);
  });
});
