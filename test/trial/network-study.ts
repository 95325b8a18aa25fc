/** A study on the real processes: three hospitals, four strata; everything is asked for over HTTP. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Allotted, rootOf, type TrialView } from '@salus/chaincode/trial/api';
import { digest } from '@salus/chaincode/dist/lib/canonical.js';
import { exportUsdm } from '@salus/gateway/trial/usdm-export';
import { DEFAULT_TOPOLOGY_FILE } from '@salus/network/topology';
import { random } from '../support/contract-world.js';
import type { Answer, TestNetwork } from '../support/network.js';
import { SigningKey } from '../support/signing.js';
import { Signers } from './signers.js';
import { listOf, protocol, sites } from './world.js';

/** The study's name. */
export const STUDY = 'SIMULATED-1';
/** Its strata. */
export const strata = ['s1', 's2', 's3', 's4'] as const;
/** System of the identifiers that people are known by beyond one hospital. */
const PERSON_SYSTEM = 'http://hl7.org/fhir/sid/us-ssn';
const TEXT_HASH = 'b'.repeat(64);

/** The form of the first visit, which answers are checked by. */
const vitalsForm = {
  resourceType: 'Questionnaire',
  status: 'active',
  item: [{ linkId: 'value', type: 'string', required: true }],
};

/** The default topology with a third hospital, westgate, in the payer's place; returns the file's path. */
export function threeHospitals(folder: string): string {
  const text = readFileSync(DEFAULT_TOPOLOGY_FILE, 'utf8')
    .replaceAll('medisure', 'westgate')
    .replaceAll('MedisureMSP', 'WestgateMSP')
    .replace('roles: [payer]', 'roles: [hospital]');
  const file = join(folder, 'consortium.yaml');
  writeFileSync(file, text);
  return file;
}

/** A parameter with text. */
export function text(name: string, valueString: string) {
  return { name, valueString };
}

/** The study as its people act on it. */
export class NetworkStudy {
  readonly lists = new Map<string, readonly Allotted[]>();
  readonly signers = new Signers(STUDY, (...act) => this.act(...act));
  readonly #investigators = new Map(sites.map((site) => [site as string, new SigningKey(`inv-${site}`)]));
  /** The newest block that anybody here saw: whoever acts next, acts after it. */
  #seen = 0;
  readonly #tokens = new Map<string, Promise<string>>();

  constructor(
    private readonly network: TestNetwork,
    private readonly slots: number,
  ) {}

  /** Registered, approved, lists committed, documents adopted, investigators delegated. */
  async opened(): Promise<void> {
    await this.registered(STUDY);
    for (const stratum of strata) await this.#listed(stratum);
    await this.signers.approve(1, (await this.view()).versions[0]?.hash);
    await this.act('acme', 'sponsor', 'activate-version', { version: 1 });
    const document = { version: 1, translations: [{ language: 'en', hash: TEXT_HASH }], optionalParts: [] };
    await this.act('acme', 'sponsor', 'publish-document', document);
    const hash = digest({ trial: STUDY, ...document });
    await this.signers.does('authority', 'ethics', 'adopt-document', [{ version: 1, hash }]);
    for (const [site, { jwk }] of this.#investigators) {
      await this.act(site, 'investigator', 'delegate', { role: 'investigator', jwk });
    }
  }

  /** Key of a site's investigator. */
  investigator(site: string): SigningKey {
    return this.#investigators.get(site) ?? assert.fail(`${site} is no site`);
  }

  /** Claims, consents, declares eligible: the id of a Patient made for it. */
  async prepared(participant: string, site: string): Promise<string> {
    const patient = await this.patientAt(site);
    const claimed = await this.claim(participant, site, patient);
    assert.equal(claimed.status, 200, claimed.text);
    await this.act(site, 'investigator', 'consent', consentOf(STUDY, participant, this.investigator(site)));
    const eligible = eligibilityOf(participant, protocol().criteria);
    const declared = await this.post(site, 'investigator', '$declare-eligible', eligible);
    assert.equal(declared.status, 200, declared.text);
    return patient;
  }

  /** The id of a new Patient of a site, known beyond it by an identifier. */
  async patientAt(site: string, value: string = random()): Promise<string> {
    const body = { resourceType: 'Patient', identifier: [{ system: PERSON_SYSTEM, value }] };
    const written = await this.network.ask(site, 'Patient', { token: await this.#token(site, 'investigator'), body });
    assert.equal(written.status, 201, written.text);
    return String(written.body.id);
  }

  /** `$claim`, whatever it answers. */
  claim(participant: string, site: string, patient: string): Promise<Answer> {
    return this.post(site, 'investigator', '$claim', [text('participant', participant), text('patient', patient)]);
  }

  /** `$randomize`, whatever it answers. */
  randomize(participant: string, site: string, stratum: string): Promise<Answer> {
    const asked = [text('participant', participant), text('stratum', stratum), { name: 'consent', valueInteger: 1 }];
    return this.post(site, 'coordinator', '$randomize', asked);
  }

  /** What the board does to the whole study. */
  async boardDoes(name: 'halt' | 'resume', reason: string): Promise<void> {
    const after = (await this.view()).status?.tx;
    await this.signers.does('tally', 'board', name, [{ reason }, { reason, after }]);
  }

  /** `$lock` over what is there, signed. */
  async lock(): Promise<Answer> {
    const reason = 'last visit done';
    const token = await this.#token('tally', 'cro');
    const headers = { 'x-min-block': String(this.#seen) };
    const told = await this.network.ask('tally', `ResearchStudy/${STUDY}/$lock`, { token, headers });
    const signature = await this.signers.sign('tally', 'cro', { meaning: 'lock', ...valuesIn(told), reason });
    return this.post('tally', 'cro', '$lock', [text('reason', reason), text('signature', JSON.stringify(signature))]);
  }

  /** The study as a member that plays no part in it shows it to anybody. */
  async view(): Promise<TrialView> {
    return (await this.network.ask('meridian', `/trials/${STUDY}`)).body as unknown as TrialView;
  }

  /** Resolves when the peers of all who act, and of a stranger, have seen what was done here. */
  async seenByAll(): Promise<void> {
    const headers = { 'x-min-block': String(this.#seen) };
    for (const member of ['acme', 'tally', 'authority', 'stmary', 'meridian']) {
      const token = await this.#token(member, 'auditor');
      const answer = await this.network.ask(member, `ResearchStudy/${STUDY}/$due`, { token, headers });
      assert.equal(answer.status, 200, answer.text);
    }
  }

  /** An act that must be done. */
  async act(member: string, role: string, name: string, request: object): Promise<void> {
    const answer = await this.post(member, role, `$${name}`, [text('request', JSON.stringify(request))]);
    assert.equal(answer.status, 200, `${name}: ${answer.text}`);
  }

  /** An operation on the study, whatever it answers. */
  async post(member: string, role: string, operation: string, parameter: readonly object[]): Promise<Answer> {
    const path = operation === '$usdm-import' ? operation : `${STUDY}/${operation}`;
    const body = { resourceType: 'Parameters', parameter };
    const token = await this.#token(member, role);
    const headers = { 'x-min-block': String(this.#seen) };
    const answer = await this.network.ask(member, `ResearchStudy/${path}`, { token, body, headers });
    this.#seen = Math.max(this.#seen, Number(answer.headers.get('x-block') ?? 0));
    return answer;
  }

  #token(member: string, role: string): Promise<string> {
    const known = this.#tokens.get(`${member} ${role}`);
    const token = known ?? this.network.token({ member, role });
    this.#tokens.set(`${member} ${role}`, token);
    return token;
  }

  /** Registers a trial like this one under a name, and does nothing more. */
  async registered(name: string): Promise<void> {
    const usdm = JSON.stringify(exportUsdm(name, [{ version: 1, protocol: protocol() }]));
    const parts = [text('id', 'vitals'), { name: 'questionnaire', resource: vitalsForm }];
    const parties = { allocator: 'tally', board: 'tally', ethics: 'authority', regulator: 'authority' };
    const values = Object.entries({ trial: name, usdm, ...parties }).map(([name, value]) => text(name, value));
    const lists = [...sites.map((site) => text('site', site)), ...strata.map((each) => text('stratum', each))];
    const form = { name: 'form', part: parts };
    const answer = await this.post('acme', 'sponsor', '$usdm-import', [...values, ...lists, form]);
    assert.equal(answer.status, 200, answer.text);
  }

  async #listed(stratum: string): Promise<void> {
    const slots = listOf(stratum, this.slots);
    this.lists.set(stratum, slots);
    const root = rootOf(STUDY, stratum, slots);
    await this.act('tally', 'statistician', 'commit-list', { stratum, root, kits: slots.map(({ kit }) => kit) });
    await this.act('tally', 'statistician', 'keep-arms', { stratum, slots });
    const hash = (await this.view()).lists.find((each) => each.stratum === stratum)?.hash;
    await this.signers.approveList(stratum, hash);
  }
}

/** A request of `consent` to the first document, in English, counter-signed by an investigator. */
export function consentOf(trial: string, participant: string, investigator: SigningKey): object {
  const patient = new SigningKey(`p-${participant}`);
  const about = { participant, n: 1, document: 1, language: 'en', parts: [] };
  const content = { channel: 'health', trial, ...about, hash: TEXT_HASH };
  const statement = patient.sign(content);
  const stamp = { signedAt: new Date().toISOString(), name: 'c'.repeat(64) };
  const signed = investigator.sign({ ...content, meaning: 'counter-signature', statement, ...stamp });
  const countersignature = { kid: investigator.kid, ...stamp, statement: signed };
  return { ...about, jwk: patient.jwk, statement, countersignature };
}

/** The values of an answer's parameters, by their names. */
export function valuesIn({ body }: Answer): Readonly<Record<string, unknown>> {
  const parameters = (body['parameter'] ?? []) as readonly Readonly<Record<string, unknown>>[];
  const values = parameters.map((each): readonly [string, unknown] => {
    return [String(each['name']), each['valueString'] ?? each['valueInteger'] ?? each['valueBoolean']];
  });
  return Object.fromEntries(values);
}

/** Parameters of `$declare-eligible`: a yes to every criterion. */
export function eligibilityOf(participant: string, criteria: readonly string[]): readonly object[] {
  const item = criteria.map((linkId) => ({ linkId, answer: [{ valueBoolean: true }] }));
  const resource = { resourceType: 'QuestionnaireResponse', status: 'completed', item };
  return [text('participant', participant), { name: 'answers', resource }];
}

/** Parameters of `$enter` at stmary: one answer in a form of the first visit. */
export function entryOf(participant: string, form: string, valueString: string): readonly object[] {
  const item = [{ linkId: 'value', answer: [{ valueString }] }];
  return [
    ...Object.entries({ participant, visit: 'v1', form, delegate: 'inv-stmary' }).map((each) => text(...each)),
    ...['n', 'consent'].map((name) => ({ name, valueInteger: 1 })),
    { name: 'response', resource: { resourceType: 'QuestionnaireResponse', status: 'completed', item } },
  ];
}
