import { parties, protocol, sites, TrialWorld } from './world.js';

describe('parties of a trial', () => {
  it('do not approve what is their own: neither sponsor nor allocator nor a site', async () => {
    const world = await TrialWorld.founded();
    for (const judge of ['acme', 'tally', 'stmary']) {
      for (const part of ['ethics', 'regulators']) {
        const own = { parties: { ...parties, [part]: ['authority', judge] }, protocol: protocol() };
        await world.refused('parties-mixed', 'acme', 'sponsor', 'register', own);
      }
    }
    for (const board of ['acme', 'stmary']) {
      const own = { parties: { ...parties, board }, protocol: protocol() };
      await world.refused('parties-mixed', 'acme', 'sponsor', 'register', own);
    }
  });

  it('are members of the consortium, and regulators what the registry has as that', async () => {
    const world = await TrialWorld.founded();
    for (const [code, wrong] of [
      ['unknown-party', { board: 'nobody' }],
      ['unknown-party', { ethics: ['nobody'] }],
      ['unknown-party', { sites: [...sites, 'nobody'] }],
      ['not-a-regulator', { regulators: ['authority', 'westgate'], sites: ['stmary'] }],
    ] as const) {
      const strange = { parties: { ...parties, ...wrong }, protocol: protocol() };
      await world.refused(code, 'acme', 'sponsor', 'register', strange);
    }
  });
});
