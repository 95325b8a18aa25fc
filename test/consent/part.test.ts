import { strict as assert } from 'node:assert';

import { patient } from '../story/people.js';
import { type Answer, networkOfSuite } from '../support/network.js';

const narrative = { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">NARRATED</div>' };

describe('who is shown a part of a resource alone, over HTTP', () => {
  const network = networkOfSuite();
  let physician: string;
  let biller: string;
  let subject: object;
  let newest = 0;

  const ask = (token: string, path: string, options: { body?: unknown; method?: string; type?: string } = {}) => {
    const { type, ...rest } = options;
    const headers = {
      'x-min-block': String(newest),
      ...(token === biller ? { 'x-purpose-of-use': 'HPAYMT' } : {}),
      ...(type === undefined ? {} : { 'content-type': type }),
    };
    return network.ask('stmary', path, { token, headers, ...rest });
  };

  async function made(body: object): Promise<string> {
    const { resourceType } = body as { resourceType: string };
    const answer = await ask(physician, resourceType, { body });
    assert.equal(answer.status, 201, answer.text);
    newest = Number(answer.headers.get('x-block'));
    return `${resourceType}/${String(answer.body.id)}`;
  }

  const claim = (more: object): object => ({
    ...{ resourceType: 'Claim', status: 'active', use: 'claim', created: '2026-01-10', patient: subject },
    ...{ type: { text: 'institutional' }, priority: { text: 'normal' }, provider: { display: 'stmary' } },
    ...{ insurance: [{ sequence: 1, focal: true, coverage: { display: 'medisure' } }], ...more },
  });
  const meta = {
    resourceType: 'Parameters',
    parameter: [{ name: 'meta', valueMeta: { tag: [{ system: 'urn:t', code: 't' }] } }],
  };
  const patch = [{ op: 'replace', path: '/created', value: '2026-01-11' }];

  before(async () => {
    physician = await network.token({ member: 'stmary', user: 'dr-adams', role: 'physician' });
    biller = await network.token({ member: 'stmary', user: 'biller-dunn', role: 'biller' });
    subject = { reference: await made(patient) };
  });

  /** Every way to write a new version of what is there. */
  const ways: readonly (readonly [string, (name: string) => Promise<Answer>])[] = [
    ['PATCH', (name) => ask(biller, name, { method: 'PATCH', type: 'application/json-patch+json', body: patch })],
    ['$meta-add', (name) => ask(biller, `${name}/$meta-add`, { body: meta })],
    [
      'PUT',
      (name) => ask(biller, name, { method: 'PUT', body: { ...claim({ created: '2026-01-12' }), id: name.slice(6) } }),
    ],
    [
      'a transaction',
      (name) =>
        ask(biller, '', {
          body: {
            resourceType: 'Bundle',
            type: 'transaction',
            entry: [
              {
                request: { method: 'PUT', url: name },
                resource: { ...claim({ created: '2026-01-13' }), id: name.slice(6) },
              },
            ],
          },
        }),
    ],
  ];
  for (const [way, write] of ways) {
    it(`takes nothing away from everybody by ${way}, and changes what is shown whole`, async () => {
      for (const more of [
        { text: narrative },
        {
          contained: [{ resourceType: 'Organization', id: 'b', name: 'x', text: narrative }],
          insurer: { reference: '#b' },
        },
      ]) {
        const name = await made(claim(more));
        const refused = await write(name);
        assert.equal(refused.status, 403, refused.text);
        assert.match(refused.text, /only-a-part/);
        const after = await ask(physician, name);
        assert.equal(after.headers.get('etag'), 'W/"1"', way);
        assert.match(after.text, /NARRATED/);
      }
      const plain = await made(claim({}));
      const written = await write(plain);
      assert.equal(written.status, 200, written.text);
      newest = Number(written.headers.get('x-block') ?? newest);
      const after = await ask(physician, plain);
      assert.equal(after.headers.get('etag'), 'W/"2"', after.text);
      assert.doesNotMatch(after.text, /REDACTED/);
    });
  }

  it('sees no note in what a resource contains, and no report but its codes', async () => {
    const letter = {
      resourceType: 'DocumentReference',
      id: 'l',
      status: 'current',
      content: [{ attachment: { title: 'SECRET' } }],
    };
    const kept = { resourceType: 'Organization', id: 'o', name: 'insurer', text: { ...narrative } };
    const names = [
      await made(
        claim({
          contained: [letter, kept],
          supportingInfo: [{ sequence: 1, category: { text: 'letter' }, valueReference: { reference: '#l' } }],
          insurer: { reference: '#o' },
        }),
      ),
      await made({
        ...{ resourceType: 'DiagnosticReport', status: 'final', subject, code: { text: 'scan' }, conclusion: 'SECRET' },
        presentedForm: [{ contentType: 'text/plain', data: 'SECRET00' }],
      }),
    ];
    for (const name of names) {
      const [whole, part] = [await ask(physician, name), await ask(biller, name)];
      assert.match(whole.text, /SECRET/);
      assert.equal(part.status, 200, part.text);
      assert.doesNotMatch(part.text, /SECRET|NARRATED/);
      assert.match(part.text, /"code":"REDACTED"/);
    }
    assert.match((await ask(biller, names[0]!)).text, /"name":"insurer"/);
  });
});
