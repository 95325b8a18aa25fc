/** A network with a physician, a patient who signs in, two records and three apps, for suites about SMART App Launch. */
import { strict as assert } from 'node:assert';

import { addApp } from '@salus/gateway/commands/app';
import { addPerson } from '@salus/gateway/commands/user';

import { patient } from '../story/people.js';
import { networkOfSuite } from './network.js';
import {
  authorizationRequest,
  discover,
  exchange,
  REDIRECT,
  sentBack,
  signIn,
  type Endpoints,
  type Person,
} from './smart-app.js';

export const SCOPE = 'launch/patient patient/*.rs openid fhirUser offline_access';

/** What is known of the network once it runs. */
class SmartSuite {
  readonly network = networkOfSuite();
  fhir = '';
  endpoints = {} as Endpoints;
  /** Passwords of dr-adams and ann. */
  adams = '';
  annsOwn = '';
  /** FHIR ids. */
  ann = '';
  ben = '';
  /** A token of dr-adams of the development issuer. */
  staff = '';

  readonly drAdams = (): Person => ({ user: 'dr-adams', password: this.adams, fields: { patient: this.ann } });

  readonly read = async (id: string, token: string): Promise<number> =>
    (await this.network.ask('stmary', `Patient/${id}`, { token })).status;

  /** The answer to a whole launch. */
  readonly launched = async (scope = SCOPE, changes: Record<string, string> = {}, person = this.drAdams()) => {
    const asked = authorizationRequest(this.endpoints, this.fhir, { scope, ...changes });
    const back = sentBack((await signIn(asked, person)).url);
    assert.equal(back.get('state'), asked.state);
    const client = { client_id: changes.client_id ?? 'chart' };
    const got = await exchange(this.endpoints, back.get('code') ?? '', asked.verifier, client);
    assert.equal(got.status, 200, JSON.stringify(got.body));
    return got.body;
  };

  /** A code that was not exchanged yet. */
  readonly code = async (changes: Record<string, string> = {}) => {
    const asked = authorizationRequest(this.endpoints, this.fhir, { scope: SCOPE, ...changes });
    const back = sentBack((await signIn(asked, this.drAdams())).url);
    return { code: back.get('code') ?? '', verifier: asked.verifier };
  };

  async prepare(): Promise<void> {
    const { network } = this;
    this.fhir = network.fhir('stmary');
    this.endpoints = await discover(this.fhir);
    this.staff = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    this.ann = await this.#create();
    this.ben = await this.#create();
    const { stateDir } = network;
    const physician = { member: 'stmary', role: 'physician', fhirUser: 'Practitioner/adams' };
    this.adams = await addPerson(stateDir, { ...physician, user: 'dr-adams' });
    this.annsOwn = await addPerson(stateDir, { member: 'stmary', user: 'ann', role: 'patient', patient: this.ann });
    addApp(stateDir, 'stmary', { id: 'chart', name: 'Growth chart', redirectUris: [REDIRECT] });
    addApp(stateDir, 'stmary', { id: 'other', name: 'Other app', redirectUris: [REDIRECT] });
    const scope = 'patient/Observation.rs';
    addApp(stateDir, 'stmary', { id: 'narrow', name: 'Narrow', redirectUris: [REDIRECT], scope });
  }

  async #create(): Promise<string> {
    return String((await this.network.ask('stmary', 'Patient', { token: this.staff, body: patient })).body.id);
  }
}

/** For the suite in whose body this is called: there before its first test, gone after its last. */
export function smartSuite(): SmartSuite {
  const suite = new SmartSuite();
  before(async () => {
    await suite.prepare();
  });
  return suite;
}
