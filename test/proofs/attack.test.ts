import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';

import { readSigningKey } from '@salus/gateway/identity/keys';
import { signToken, TOKEN_LIFETIME_S } from '@salus/gateway/identity/tokens';

import { gatewaySettings } from '../support/gateway-settings.js';
import { type Answer, networkOfSuite } from '../support/network.js';
import { condition, glucose, patient } from '../story/people.js';
import { type Question, type Target, readRoutes } from './read-routes.js';

/** Strings of the victim's record that no question of ours holds. */
const canary = /CANARY(?!FAMILY)/;

describe('whoever must not read', () => {
  const network = networkOfSuite();
  let victim: Target;
  let physician: string;
  const stranger: Target = { patient: randomUUID(), observation: randomUUID(), family: 'NOBODY', key: 'no-such-key' };

  before(async () => {
    physician = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    const created = await made(patient, { 'idempotency-key': 'victim-key' });
    const observation = await made(glucose(created, 95.1));
    await made(condition(created));
    victim = { patient: created, observation, family: 'CANARYFAMILY', key: 'victim-key' };
  });

  async function made(resource: object, headers: Record<string, string> = {}): Promise<string> {
    const { resourceType } = resource as { resourceType: string };
    const answer = await network.ask('stmary', resourceType, { token: physician, body: resource, headers });
    assert.equal(answer.status, 201, answer.text);
    return String(answer.body.id);
  }

  const asked = (member: string, question: Question, token?: string): Promise<Answer> =>
    network.ask(member, question.path, { ...question, ...(token === undefined ? {} : { token }) });

  /** What a program can see of an answer, with the names of the target and what is random in each replaced. */
  function visible(answer: Answer, target: Target): object {
    let text = answer.text;
    for (const name of Object.values(target) as string[]) text = text.replaceAll(name, '<name>');
    const masked = text
      .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<uuid>')
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>');
    const names = [...answer.headers.keys()].filter((name) => name !== 'content-length').sort();
    return { status: answer.status, names, etag: answer.headers.get('etag'), masked };
  }

  const sees = (answer: Answer): boolean => canary.test(answer.text) || answer.headers.get('x-tx-id') !== null;

  /** Asks everything of the victim and of nobody: no canary, and no difference. */
  async function seesNothing(member: string, token: string): Promise<void> {
    const found: string[] = [];
    for (const { route, ask } of readRoutes) {
      const ofNobody = ask(stranger);
      for (const [index, question] of ask(victim).entries()) {
        const known = await asked(member, question, token);
        const unknown = await asked(member, ofNobody[index] ?? question, token);
        const where = `${route}: ${question.path}`;
        if (sees(known)) found.push(`${where} shows ${known.text.slice(0, 200)}`);
        try {
          assert.deepEqual(visible(known, victim), visible(unknown, stranger));
        } catch (error) {
          found.push(`${where} differs: ${(error as Error).message.slice(0, 600)}`);
        }
      }
    }
    assert.deepEqual(found, []);
  }

  it('is asked what shows the record to those who may', async () => {
    const showing: string[] = [];
    for (const { route, ask } of readRoutes) {
      for (const question of ask(victim)) {
        const answer = await asked('stmary', question, physician);
        if (sees(answer)) showing.push(route);
      }
    }
    assert.ok(new Set(showing).size >= 12, `only these show anything: ${showing.join(', ')}`);
  }).timeout(300_000);

  it('sees nothing as a physician of another member without consent', async () => {
    await seesNothing('northside', await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' }));
  }).timeout(600_000);

  it('sees nothing as another patient of the same hospital', async () => {
    const other = await made({ resourceType: 'Patient', birthDate: '1990-01-01' });
    await seesNothing('stmary', await network.token({ member: 'stmary', role: 'patient', patient: other }));
  }).timeout(600_000);

  it('sees nothing as staff of the same hospital whose role reads no records', async () => {
    await seesNothing('stmary', await network.token({ member: 'stmary', user: 'c-1', role: 'carrier' }));
  }).timeout(600_000);

  it('is told to authenticate without a token, or with one that is forged, expired or of another member', async () => {
    const settings = gatewaySettings(network.stateDir, 'stmary');
    const claims = JSON.parse(Buffer.from(physician.split('.')[1] ?? '', 'base64url').toString()) as { iss: string };
    const wrongKey = readSigningKey(gatewaySettings(network.stateDir, 'northside').jwk);
    const own = readSigningKey(settings.jwk);
    const said = {
      ...{ issuer: claims.iss, audience: network.fhir('stmary'), subject: 'dr-adams', member: 'stmary' },
      ...{ role: 'physician', scope: 'user/*.cruds', purposes: [] },
    };
    const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
    const tokens = {
      none: undefined,
      unsigned: `${none}.${physician.split('.')[1] ?? ''}.`,
      expired: await signToken(said, own, Date.now() - (TOKEN_LIFETIME_S + 3600) * 1000),
      'of another key': await signToken(said, { ...wrongKey, kid: own.kid }, Date.now()),
      'of another member': await network.token({ member: 'northside', user: 'dr-baker', role: 'physician' }),
    };
    const open: string[] = [];
    for (const [name, token] of Object.entries(tokens)) {
      for (const { route, ask } of readRoutes) {
        for (const question of ask(victim)) {
          const answer = await asked('stmary', question, token);
          if (answer.status !== 401 || /CANARY/.test(answer.text)) open.push(`${name} at ${route}: ${answer.status}`);
        }
      }
    }
    assert.deepEqual(open, []);
  }).timeout(300_000);

  it('finds nothing at the door, even with another hospital’s certificate', async () => {
    const paths = ({ patient: id }: Target): string[] => [
      `Patient/${id}`,
      `Patient/${id}/$everything`,
      `Observation?patient=${id}`,
    ];
    for (const [index, path] of paths(victim).entries()) {
      const known = await atDoor(path);
      assert.equal(known.status, 404);
      assert.deepEqual(known, await atDoor(paths(stranger)[index] ?? ''), path);
    }
    await assert.rejects(atDoor(`Patient/${victim.patient}`, false));
  });

  /** Asks stmary's door as northside's gateway, with an access id that nobody was given. */
  function atDoor(path: string, withCertificate = true): Promise<{ status: number; text: string }> {
    const { door } = gatewaySettings(network.stateDir, 'stmary');
    const { cert, key, ca } = gatewaySettings(network.stateDir, 'northside').doorTls;
    const identity = withCertificate ? { cert: readFileSync(cert), key: readFileSync(key) } : {};
    const headers = { 'x-access-id': 'a'.repeat(64), 'x-access-proof': 'e30.e30.AA' };
    const options = { ...door, path: `/door/fhir/R4/${path}`, ca: readFileSync(ca), ...identity, headers };
    return new Promise((resolve, reject) => {
      const sent = httpsRequest({ ...options, servername: 'localhost' }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, text });
        });
      });
      sent.on('error', reject).end();
    });
  }
});
