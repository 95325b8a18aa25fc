/** Many small Bundles, loaded at once: they share transactions, and stay requests of their own. */
import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { developmentIssuer, fhirBase } from '@salus/gateway/identity/issuer';
import { readSigningKey } from '@salus/gateway/identity/keys';
import { signToken } from '@salus/gateway/identity/tokens';
import type { GatewaySettings } from '@salus/gateway/settings';

import { glucose, patient } from '../story/people.js';
import { salus } from '../support/command.js';
import { type FhirBody, networkOfSuite } from '../support/network.js';
import { scratchFolder } from '../support/scratch.js';

const BUNDLES = 120;
/** In each good Bundle. */
const ENTRIES = 3;

describe('a load of many small Bundles', function () {
  this.timeout(180_000);
  const network = networkOfSuite({ overrides: { gateways: { stmary: 2 } } });
  const folder = scratchFolder();
  let id: string;
  let token: string;
  let first: string;

  before(async () => {
    token = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    id = String((await network.ask('stmary', 'Patient', { token, body: patient })).body.id);
    for (let index = 0; index < BUNDLES; index += 1) {
      const file = join(folder.path, `bundle-${String(index).padStart(4, '0')}.json`);
      writeFileSync(file, bundleOf(Array.from({ length: ENTRIES }, (_, at) => glucose(id, 1_000 * index + at))));
    }
    first = readFileSync(join(folder.path, 'bundle-0000.json'), 'utf8');
    // One that FHIR refuses, in the middle of the others.
    const wrong = { ...glucose(id, 1), status: 'no-status' };
    writeFileSync(join(folder.path, 'bundle-0060-wrong.json'), bundleOf([glucose(id, 999_999), wrong]));
  });
  after(() => {
    folder.remove();
  });

  const bundleOf = (resources: readonly object[]): string =>
    JSON.stringify({
      ...{ resourceType: 'Bundle', type: 'transaction' },
      entry: resources.map((resource) => ({ resource, request: { method: 'POST', url: 'Observation' } })),
    });
  const count = async (query = ''): Promise<unknown> =>
    (await network.ask('stmary', `Observation?patient=${id}&_summary=count&_total=accurate${query}`, { token })).body
      .total;
  const load = () => salus(network.stateDir, ['load', folder.path, '--member', 'stmary']);

  it('takes few transactions, says how many, and fails none of them for the one that is wrong', async () => {
    const { code, out, err } = await load();
    assert.equal(code, 1);
    assert.match(err, /^bundle-0060-wrong\.json: 422/m);
    assert.match(
      out,
      new RegExp(`^${BUNDLES} of ${BUNDLES + 1} Bundles loaded in [\\d.]+ s: ${BUNDLES * ENTRIES} resources`, 'm'),
    );
    const [, transactions, megabytes] = /^(\d+) transactions, ([\d.]+) MB sent/m.exec(out) ?? [];
    assert.ok(Number(transactions) < BUNDLES / 4, out);
    assert.ok(Number(megabytes) > 0, out);
    const [, most] = /^Bundles that were under way together shared transactions, up to (\d+) in one$/m.exec(out) ?? [];
    assert.ok(Number(most) > 4, out);
    assert.equal(await count(), BUNDLES * ENTRIES);
    assert.equal(await count('&value-quantity=999999'), 0, 'the wrong one is in no part');
  });

  it('makes no duplicate when it is loaded again', async () => {
    const { out } = await load();
    assert.match(out, new RegExp(`^0 a second; ${BUNDLES} Bundles were there already`, 'm'));
    assert.equal(await count(), BUNDLES * ENTRIES);
  });

  it('is known Bundle by Bundle at the member’s other gateway, which never saw it', async () => {
    const file = join(network.stateDir, 'members', 'stmary', 'gateways', 'gateway1', 'settings.json');
    const { member, baseUrl, jwk } = JSON.parse(readFileSync(file, 'utf8')) as GatewaySettings;
    const claims = { issuer: developmentIssuer(baseUrl), audience: fhirBase(baseUrl), subject: 'loader', member };
    const own = { ...claims, role: 'admin', scope: 'user/*.cruds', purposes: [] };
    const bearer = await signToken(own, readSigningKey(jwk), Date.now());
    const post = async (body: string) => {
      const key = `load-${createHash('sha256').update(first).digest('hex')}`;
      const headers = {
        authorization: `Bearer ${bearer}`,
        'content-type': 'application/fhir+json',
        'idempotency-key': key,
      };
      const response = await fetch(fhirBase(baseUrl), { method: 'POST', headers, body });
      return { response, body: (await response.json()) as FhirBody };
    };
    const again = await post(first);
    assert.deepEqual([again.response.status, again.response.headers.get('idempotent-replayed')], [200, 'true']);
    const another = await post(bundleOf([glucose(id, 7)]));
    assert.equal(another.response.status, 422, JSON.stringify(another.body));
    assert.equal(await count(), BUNDLES * ENTRIES);
  });
});
