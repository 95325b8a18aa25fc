import assert from 'node:assert/strict';

import { call, freshDesk, quality, regulator } from './world.js';

describe('who looks into an alert', () => {
  const desk = freshDesk();
  const raised = async (unit: string) => {
    const alert = { item: unit, kind: 'clone' };
    await desk.world.submit('stmary', 'supply:alert', call(alert));
    return { ...alert, raisedBy: 'stmary', grade: 'low' };
  };
  const refused = (member: string, request: object) =>
    desk.world.refused('not-yours', member, 'supply:resolve', call(request, quality));
  const taken = async (member: string, request: object, actor: object = quality) => {
    assert.equal((await desk.world.evaluate(member, 'supply:resolve', call(request, actor))).status, 200);
  };

  it('is whoever raised it, the issuer of the lot or the regulator, never a member it may be about', async () => {
    const unit = desk.lot.unit(0);
    await desk.delivered(unit, 'stmary');
    const alert = await raised(unit);
    for (const state of ['assigned', 'confirmed', 'false-alarm']) {
      await refused('northside', { ...alert, state });
      await taken('stmary', { ...alert, state });
      await taken('acme', { ...alert, state });
      await taken('authority', { ...alert, state }, regulator);
    }
  });

  it('is whoever raised it or the regulator, of a pack that nobody acted on yet', async () => {
    const alert = { ...(await raised(desk.lot.unit(1))), state: 'false-alarm' };
    await refused('acme', alert);
    await refused('northside', alert);
    await taken('authority', alert, regulator);
    await taken('stmary', alert);
  });
});
