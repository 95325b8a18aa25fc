import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FhirResponse } from '@salus/gateway/fhir/request';
import { Refusal } from '@salus/gateway/ledger/refusal';
import { trialOperations, withTrials } from '@salus/gateway/trial/operations';
import { readTrial } from '@salus/gateway/trial/reading';
import { trialPage } from '@salus/gateway/trial/page';
import { importUsdm } from '@salus/gateway/trial/usdm';
import { random } from '../support/contract-world.js';
import { projectRoot } from '../support/shared.js';
import { Gateways, ledgerOf } from './ledger-double.js';
import { outcomes, parties, protocol, TRIAL, TrialWorld } from './world.js';

const parameters = (values: readonly object[]): string =>
  JSON.stringify({ resourceType: 'Parameters', parameter: values });

interface Shown {
  readonly parameter: readonly { readonly name: string; readonly part?: readonly Record<string, unknown>[] }[];
}

describe('the operations on trials', () => {
  let world: TrialWorld;

  /** A request of somebody of a member. */
  function ask(member: string, role: string, method: string, path: string, body?: string): Promise<FhirResponse> {
    return new Gateways(world).ask(
      member,
      role,
      method,
      path,
      body === undefined ? undefined : (JSON.parse(body) as object),
    );
  }

  it('let sites race for slots by $randomize: each participant has one kit, read from the ledger', async () => {
    world = await TrialWorld.enrolling(12);
    const people = Array.from({ length: 6 }, (_, index) => `R${index}`);
    for (const person of people) await world.prepared(person, 'stmary');
    const answers = await Promise.all(
      people.map((person) => {
        const values = [
          { name: 'participant', valueString: person },
          { name: 'stratum', valueString: 's1' },
        ];
        const body = parameters([...values, { name: 'consent', valueInteger: 1 }]);
        return ask('stmary', 'coordinator', 'POST', `ResearchStudy/${TRIAL}/$randomize`, body);
      }),
    );
    assert.deepEqual(
      answers.map(({ status }) => status),
      people.map(() => 200),
    );
    const kits = answers.map(({ resource }) => JSON.stringify(resource).match(/K[0-9a-f]{8}/)?.[0]);
    const expected = world.lists
      .get('s1')!
      .slice(0, 6)
      .map(({ kit }) => kit);
    assert.deepEqual([...kits].sort(), [...expected].sort());
    assert.ok(answers.every(({ resource }) => !JSON.stringify(resource).includes('arm')));
  });

  it('are named once each', () => {
    assert.deepEqual([...new Set(trialOperations)], trialOperations);
  });

  it('give by $usdm-export what imports to the same protocol', async () => {
    const { resource } = await ask('westgate', 'auditor', 'GET', `ResearchStudy/${TRIAL}/$usdm-export`);
    const [usdm] = (resource as unknown as { parameter: { valueString: string }[] }).parameter;
    const again = importUsdm(JSON.parse(usdm!.valueString)).at(-1)!.protocol;
    assert.deepEqual({ ...again, document: '' }, { ...protocol(), document: '' });
  });

  it('show by $outcome-diff what was switched, and refuse who may not', async () => {
    const { hash } = await world.newest();
    const switched = [{ ...outcomes[0]!, timeFrame: 'week 12' }, ...outcomes.slice(1)];
    const amendment = { version: 2, previous: hash, protocol: protocol({ outcomes: switched }), reason: 'earlier' };
    await world.act('acme', 'sponsor', 'register-version', amendment);
    const { resource } = await ask('westgate', 'auditor', 'GET', `ResearchStudy/${TRIAL}/$outcome-diff`);
    const [change] = (resource as unknown as Shown).parameter;
    assert.deepEqual(
      change?.part?.slice(0, 4).map((part) => part.valueInteger ?? part.valueString ?? part.valueCode),
      [...[2, 'first-enrolment', 1, 're-timed']],
    );
    const told = (await ask('westgate', 'auditor', 'GET', `ResearchStudy/${TRIAL}/$lock`)).resource as unknown as {
      readonly parameter: readonly { readonly valueString?: string; readonly valueInteger?: number }[];
    };
    const [root, points, acts, ...more] = told.parameter.map((each) => each.valueString ?? each.valueInteger);
    assert.deepEqual([points, acts, more], [0, 0, []]);
    const { reason, signature } = await world.lockOf({ root: String(root), points: 0, acts: 0 });
    const signed = [
      { name: 'reason', valueString: reason },
      { name: 'signature', valueString: JSON.stringify(signature) },
    ];
    const body = parameters(signed);
    const stop = await world.boardAct('halt', 'signal');
    const unsigned = await ask('tally', 'cro', 'POST', `ResearchStudy/${TRIAL}/$lock`, parameters(signed.slice(0, 1)));
    assert.equal(unsigned.status, 400);
    assert.equal((await ask('acme', 'sponsor', 'POST', `ResearchStudy/${TRIAL}/$lock`, body)).status, 403);
    const signedBy = await world.delegate('stmary', 'investigator');
    const unblind = parameters([
      ...[
        { name: 'stratum', valueString: 's1' },
        { name: 'slot', valueInteger: 1 },
      ],
      ...[
        { name: 'reason', valueString: 'overdose' },
        { name: 'delegate', valueString: signedBy.kid },
      ],
    ]);
    assert.equal((await ask('acme', 'sponsor', 'POST', `ResearchStudy/${TRIAL}/$unblind`, unblind)).status, 403);
    assert.equal((await ask('stmary', 'investigator', 'POST', `ResearchStudy/${TRIAL}/$unblind`, unblind)).status, 200);
    assert.equal((await ask('tally', 'cro', 'POST', `ResearchStudy/${TRIAL}/$lock`, body)).status, 200);
    assert.equal((await ask('tally', 'cro', 'GET', 'ResearchStudy/TRIAL-9/$outcome-diff')).status, 404);
    const act = (request: string) => parameters([{ name: 'request', valueString: request }]);
    const halt = `ResearchStudy/${TRIAL}/$halt`;
    assert.equal((await ask('tally', 'board', 'POST', halt, act(JSON.stringify(stop)))).status, 409);
    assert.equal((await ask('tally', 'board', 'POST', halt, act('no JSON'))).status, 400);
    const end = act(JSON.stringify({ kid: signedBy.kid }));
    assert.equal(
      (await ask('stmary', 'investigator', 'POST', `ResearchStudy/${TRIAL}/$end-delegation`, end)).status,
      200,
    );
    assert.equal((await ask('tally', 'cro', 'GET', 'ResearchStudy/TRIAL-9')).status, 418);
    const study = (await ask('tally', 'cro', 'GET', `ResearchStudy/${TRIAL}`)).resource as { status?: string };
    assert.equal(study.status, 'closed-to-accrual-and-intervention');
  });

  it('import a public study by $usdm-import, each amendment a version, and nothing twice', async () => {
    const file = readFileSync(join(projectRoot, 'test/trial/data/alxn1840-wd-204.usdm.json'), 'utf8');
    const given = { trial: 'ALXN-204', usdm: file, allocator: 'tally', board: 'tally', ethics: 'authority' };
    const values = Object.entries({ ...given, regulator: 'authority', site: 'stmary' });
    const body = parameters(values.map(([name, valueString]) => ({ name, valueString })));
    const send = () => ask('acme', 'sponsor', 'POST', 'ResearchStudy/$usdm-import', body);
    assert.deepEqual((await send()).resource, {
      ...{ resourceType: 'Parameters', parameter: [{ name: 'registered', valueInteger: 5 }] },
    });
    const view = await readTrial(ledgerOf(world, 'stmary'), 'ALXN-204');
    assert.deepEqual(
      view?.versions.map(({ version }) => version),
      [1, 2, 3, 4, 5],
    );
    assert.equal(JSON.stringify((await send()).resource).includes('"valueInteger":0'), true);
    const newer = JSON.parse(file) as { study: { versions: { amendments: object[] }[] } };
    for (const number of [5, 6]) {
      const previousId = number === 5 ? 'StudyAmendment_4' : 'StudyAmendment_X5';
      const id = `StudyAmendment_X${number}`;
      newer.study.versions[0]!.amendments.push({ id, number: String(number), summary: 'more', previousId });
    }
    const more = values.map(([name, value]) => ({
      name,
      valueString: name === 'usdm' ? JSON.stringify(newer) : value,
    }));
    const grown = await ask('acme', 'sponsor', 'POST', 'ResearchStudy/$usdm-import', parameters(more));
    assert.equal(JSON.stringify(grown.resource).includes('"valueInteger":2'), true, 'both amendments that are new');
    const { versions } = (await readTrial(ledgerOf(world, 'stmary'), 'ALXN-204'))!;
    assert.match(versions[5]?.reason ?? '', /^Amendment 5: more \[content as of amendment 6/);
    assert.equal(versions[6]?.reason, 'Amendment 6: more');
    const begun = { trial: 'HALF-1', parties, protocol: importUsdm(JSON.parse(file))[0]!.protocol };
    await world.submit('acme', 'sponsor', 'register', begun);
    const same = values.map(([name, valueString]) => ({
      name,
      valueString: name === 'trial' ? 'HALF-1' : valueString,
    }));
    const goneOn = await ask('acme', 'sponsor', 'POST', 'ResearchStudy/$usdm-import', parameters(same));
    assert.equal(JSON.stringify(goneOn.resource).includes('"valueInteger":4'), true, 'what a killed import left out');
    assert.equal((await ask('acme', 'sponsor', 'POST', 'ResearchStudy/$usdm-import', parameters([]))).status, 400);
  });

  it('show a reviewer the switch, the results and the allocation on one page', async () => {
    const slots = (stratum: string) => ({ stratum, slots: world.lists.get(stratum) });
    for (const stratum of ['s1', 's2']) await world.act('tally', 'statistician', 'reveal', slots(stratum));
    const paper = { publication: random(), published: '2026-11-01T00:00:00.000Z', outcomes: [outcomes[1]!] };
    await world.act('acme', 'sponsor', 'post-results', paper);
    const view = await world.view();
    const owner = { member: 'medisure', title: 'Medisure', channel: 'health' };
    const text = trialPage(owner, view);
    const [first] = view.versions;
    const now = view.versions.at(-1)!;
    for (const part of ['metric', 'analysis'] as const) {
      const changed = [{ ...first!.protocol.outcomes[0]!, [part]: 'per protocol' }];
      const versions = [first!, { ...now, protocol: { ...first!.protocol, outcomes: changed } }];
      const told = trialPage(owner, { ...view, versions });
      const old = first!.protocol.outcomes[0]![part] ?? 'none';
      assert.ok(told.includes(`${part}: ${old} → `) && told.includes(`${part}: per protocol`), part);
    }
    for (const shown of ['<strong>re-timed</strong>', '<strong>not-reported</strong>', 'list as committed']) {
      assert.ok(text.includes(shown), shown);
    }
    assert.ok(text.includes('changes outcomes after first enrolment') && !text.includes('LIST DIFFERS'));
    const { versions } = await world.view();
    assert.ok(versions.every(({ tx }) => text.includes(`/ledger/transactions/${tx}`)));
  });

  it('leave studies of the record readable while the ledger does not answer', async () => {
    const down = (): Promise<never> => Promise.reject(new Refusal('unavailable', 'ledger-down', 'no peer answers'));
    const ledger = { submit: down, evaluate: down };
    const seen = {
      decision: { allow: () => undefined },
      facts: { fact: () => undefined },
      entering: { enter: down, declare: down, report: down, submit: down },
      randomizing: { randomize: down },
      claim: down,
      keep: down,
    };
    const ports = {
      member: 'stmary',
      ledger,
      ...seen,
      ask: down,
      shown: () => undefined,
      now: Date.now,
      catchUp: () => Promise.resolve(),
    };
    const actor = { member: 'stmary', user: 'u-1', role: 'investigator', purpose: 'CLINTRCH', scopes: [] };
    const get = async (status: number): Promise<number> => {
      const fhir = withTrials(() => Promise.resolve({ status, headers: {} }), ports);
      const request = { method: 'GET', path: 'ResearchStudy/x', query: new URLSearchParams(), headers: {}, actor };
      return (await fhir(request)).status;
    };
    assert.equal(await get(200), 200);
    assert.equal(await get(404), 503, 'whether there is a trial of this name is not known');
  });
});
