/** A search parameter that an administrator posts, over HTTP against a running consortium. */
import { strict as assert } from 'node:assert';

import { eventually } from '../support/eventually.js';
import { salus } from '../support/command.js';
import { type Answer, networkOfSuite } from '../support/network.js';
import { glucose, patient } from '../story/people.js';

const ROOM = 'http://example.org/room';
const roomOf = {
  ...{ resourceType: 'SearchParameter', url: 'http://example.org/room-of', name: 'RoomOf', status: 'active' },
  ...{ description: 'Where it was measured', code: 'room', base: ['Observation'], type: 'string' },
  expression: `Observation.extension('${ROOM}').value`,
};

describe('a posted search parameter', function () {
  this.timeout(180_000);
  const network = networkOfSuite();
  const tokens: Record<string, string> = {};
  let ann = '';

  const ask = (who: string, path: string, more: object = {}, member = 'stmary'): Promise<Answer> =>
    network.ask(member, path, { token: tokens[who]!, ...more });
  const idOf = async (path: string, body: object, who = 'physician'): Promise<string> => {
    const answer = await ask(who, path, { body });
    assert.equal(answer.status, 201, answer.text);
    return answer.body.id ?? '';
  };
  const measured = (room: string): Promise<string> =>
    idOf('Observation', { ...glucose(ann, 95), extension: [{ url: ROOM, valueString: room }] });

  before(async () => {
    for (const role of ['physician', 'admin'] as const) {
      tokens[role] = await network.token({ member: 'stmary', user: `a-${role}`, role });
    }
    tokens.other = await network.token({ member: 'northside', user: 'dr-other', role: 'physician' });
    ann = await idOf('Patient', patient);
  });

  it('finds what was there and what comes, at its member alone, and a rebuild comes to the same', async () => {
    const there = await measured('Kestrel');
    assert.equal((await ask('physician', 'Observation?room=kestrel')).status, 400);
    const id = await idOf('SearchParameter', roomOf, 'admin');
    const come = await measured('Kestrel');
    await measured('Merlin');
    const found = async (search: string): Promise<(string | undefined)[]> => {
      const { status, body, text } = await ask('physician', search);
      assert.equal(status, 200, text);
      return (body.entry ?? []).map(({ resource }) => resource?.id).sort();
    };
    await eventually(async () => {
      assert.deepEqual(await found(`Observation?patient=${ann}&room=kestrel`), [there, come].sort());
    });
    const metrics = await network.ask('stmary', '/metrics');
    assert.match(metrics.text, /^salus_projection_deriving_left\{.*\} 0$/m);
    assert.equal((await ask('other', 'Observation?room=kestrel', {}, 'northside')).status, 400);

    assert.equal((await ask('physician', `SearchParameter/${id}`, { method: 'DELETE' })).status, 403);
    const same = await salus(network.stateDir, ['rebuild', '--member', 'stmary']);
    assert.equal(same.code, 0, same.err);

    const retired = { ...roomOf, id, status: 'retired' };
    assert.equal((await ask('admin', `SearchParameter/${id}`, { method: 'PUT', body: retired })).status, 200);
    assert.equal((await ask('physician', 'Observation?room=kestrel')).status, 400);
    const again = { ...roomOf, id };
    assert.equal((await ask('admin', `SearchParameter/${id}`, { method: 'PUT', body: again })).status, 200);
    await eventually(async () => {
      assert.equal((await found(`Observation?room=kestrel`)).length, 2);
    });
    assert.equal((await ask('admin', `SearchParameter/${id}`, { method: 'DELETE' })).status, 204);
    assert.equal((await ask('physician', 'Observation?room=kestrel')).status, 400);
    await eventually(async () => {
      const again = await salus(network.stateDir, ['rebuild', '--member', 'stmary']);
      assert.equal(again.code, 0, again.err);
    });
  });
});
