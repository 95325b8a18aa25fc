/** Consents of the record beside the trial's own, on a running network: what the sponsor's people read of a participant. */
import assert from 'node:assert/strict';
import { parseExactly } from '@salus/gateway/fhir/json';
import type { TrialPackage } from '@salus/gateway/trial/package';
import { optOut, treatmentByNorthside } from '../story/people.js';
import { eventually } from '../support/eventually.js';
import { type Answer, networkOfSuite } from '../support/network.js';
import { scratchFolder } from '../support/scratch.js';
import { entryOf, NetworkStudy, STUDY, threeHospitals } from './network-study.js';
import { TrialPackages } from './packages.js';

const CANARY = 'CANARY-CONSENTED-64';
const PARTICIPANT = `study=ResearchStudy/${STUDY}&participant=P1`;

describe("a participant's consents of the record, on a running network", function () {
  this.timeout(240_000);
  const folder = scratchFolder();
  const network = networkOfSuite({ topologyFile: threeHospitals(folder.path) });
  let study: NetworkStudy;
  let patient: string;
  let own: string;

  after(() => {
    folder.remove();
  });

  const ask = async (member: string, role: string, path: string): Promise<Answer> =>
    network.ask(member, path, { token: await network.token({ member, role }) });
  const contents = async (member: string, role: string, of = PARTICIPANT): Promise<string> => {
    const answer = await ask(member, role, `QuestionnaireResponse?${of}`);
    assert.equal(answer.status, 200, answer.text);
    return answer.text;
  };
  /** How often the participant's list says that answers were shown. */
  const looks = async (): Promise<number> => {
    const path = `AuditEvent?patient=${patient}&_count=1000`;
    const { status, text } = await network.ask('stmary', path, { token: own });
    assert.equal(status, 200, text);
    return text.split('GET QuestionnaireResponse').length;
  };
  /** What a consent of the participant's says of the sponsor, for research. */
  const aboutSponsor = (type: 'permit' | 'deny', scope: string, whose = patient) => {
    const role = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'IRCP' }] };
    const actor = [{ role, reference: { identifier: { system: 'urn:salus:member', value: 'acme' } } }];
    const purpose = [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'CLINTRCH' }];
    const coding = [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: scope }];
    return { ...optOut(whose, { type, actor, purpose }), scope: { coding } };
  };
  async function consents(body: object, token = own): Promise<string> {
    const { status, text, body: made } = await network.ask('stmary', 'Consent', { token, body });
    assert.equal(status, 201, text);
    return String(made.id);
  }
  async function ends(id: string, body: object): Promise<void> {
    const options = { method: 'PUT', token: own, body: { ...body, id, status: 'inactive' } };
    const { status, text } = await network.ask('stmary', `Consent/${id}`, options);
    assert.equal(status, 200, text);
  }
  const readBySponsor = (isRead: boolean): Promise<void> =>
    eventually(async () => {
      const text = await contents('acme', 'monitor');
      assert.deepEqual([text.includes(CANARY), text.includes('suppressed')], [isRead, !isRead]);
    });

  before(async () => {
    study = new NetworkStudy(network, 8);
    await study.opened();
    patient = await study.prepared('P1', 'stmary');
    own = await network.token({ member: 'stmary', user: 'ann', role: 'patient', patient });
    assert.equal((await study.randomize('P1', 'stmary', 's1')).status, 200);
    const entered = await study.post('stmary', 'investigator', '$enter', entryOf('P1', 'vitals', CANARY));
    assert.equal(entered.status, 200, entered.text);
  });

  it("leave it to the trial's own consent while they say nothing of the sponsor", async () => {
    await readBySponsor(true);
    // It denies whatever it does not list, and so yields to what another permits: here the trial's own.
    await consents(treatmentByNorthside(patient, {}));
    await readBySponsor(true);
  });

  it("deny the sponsor's people every way to the contents; the site keeps and shows them, the ledger its commitments", async () => {
    const denial = aboutSponsor('deny', 'patient-privacy');
    const id = await consents(denial);
    await readBySponsor(false);
    const dataset = await ask('acme', 'sponsor', `ResearchStudy/${STUDY}/$dataset?name=QS`);
    assert.deepEqual([dataset.status, dataset.text.includes(CANARY)], [200, false]);
    const packaged = await ask('acme', 'sponsor', `ResearchStudy/${STUDY}/$package`);
    assert.deepEqual([packaged.status, packaged.text.includes(CANARY)], [200, false]);
    const [{ valueString = '' } = {}] = packaged.body['parameter'] as { valueString?: string }[];
    const { lines } = parseExactly(valueString) as TrialPackage;
    assert.deepEqual(
      lines.map(([name, { points, uses }]) => [name, points.length, uses.map(({ isRestricted }) => isRestricted)]),
      [['P1', 1, [true]]],
    );
    const before = await looks();
    assert.ok((await contents('stmary', 'investigator')).includes(CANARY));
    await eventually(async () => {
      assert.ok((await looks()) > before, "who is shown contents at the site stands on the patient's list");
    });
    const sent = await study.post('stmary', 'coordinator', '$hand-over', [{ name: 'participant', valueString: 'P1' }]);
    assert.deepEqual([sent.status, sent.text.includes('consent-withdrawn')], [409, true], sent.text);
    await ends(id, denial);
    await readBySponsor(true);
  });

  it('deny them as well once one for research that permitted them was withdrawn', async () => {
    const permit = aboutSponsor('permit', 'research');
    const id = await consents(permit);
    await readBySponsor(true);
    await ends(id, permit);
    await readBySponsor(false);
    await consents(aboutSponsor('permit', 'research'));
    await readBySponsor(true);
  });

  it('stand in a package that is verified whole, without those of who was only screened', async () => {
    const screened = await study.prepared('P2', 'stmary');
    const token = await network.token({ member: 'stmary', user: 'bea', role: 'patient', patient: screened });
    await consents(aboutSponsor('deny', 'patient-privacy', screened), token);
    await eventually(async () => {
      const text = await contents('acme', 'monitor', `study=ResearchStudy/${STUDY}&participant=P2`);
      assert.ok(text.includes('suppressed'));
    });
    const packages = new TrialPackages(network, STUDY);
    const { code, said } = await packages.verify((await packages.whole()).text);
    assert.equal(code, 0, said);
  });
});
