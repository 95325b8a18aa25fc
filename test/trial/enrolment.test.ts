import assert from 'node:assert/strict';
import { type Phase, phases, rights } from '@salus/chaincode/trial/api';
import { checkAllocation } from '@salus/gateway/trial/verify-lists';
import { ARM_PATH } from '@salus/gateway/trial/arm';
import { campaign } from '../support/campaigns.js';
import { random } from '../support/contract-world.js';
import { networkOfSuite } from '../support/network.js';
import { scratchFolder } from '../support/scratch.js';
import { actors, Cells } from './cells.js';
import { guesses, NO_CHANCE, type Seen, tells } from './guessing.js';
import { NetworkStudy, strata, STUDY, threeHospitals } from './network-study.js';
import { atDoor, atPeer, PeerCalls } from './straight.js';
import { assertAllEnrolled } from './slots.js';
import { sites } from './world.js';

const trialCampaign = campaign('trial');
const PARTICIPANTS = trialCampaign.size({ slice: 60, full: 500 });
/** People enrolled at once at each site. */
const LANES = 4;
/** Slots of each stratum's list: more than ever come. */
const SLOTS = 200;

describe(`a trial of ${PARTICIPANTS} participants at 3 sites in 4 strata, over HTTP`, function () {
  this.timeout(1_800_000);
  const folder = scratchFolder();
  const network = networkOfSuite({ topologyFile: threeHospitals(folder.path) });
  let study: NetworkStudy;
  let peers: PeerCalls | undefined;
  let tried: Cells | undefined;
  /** Cells of a state that the peers of all have reached. */
  const cellsWhileIn = async (trial: string, phase: Phase): Promise<void> => {
    await study.seenByAll();
    await cells().whileIn(trial, phase);
  };
  const cells = (): Cells => {
    peers ??= new PeerCalls(network.stateDir);
    tried ??= new Cells(peers, trialCampaign.size({ slice: 17, full: 1 }));
    return tried;
  };
  /** What is seen of each participant by whoever is blinded. */
  const seen = new Map<string, Record<string, number>>();

  async function enrolOne(participant: string, site: string, stratum: string): Promise<void> {
    await study.prepared(participant, site);
    const began = performance.now();
    const answer = await study.randomize(participant, site, stratum);
    const took = performance.now() - began;
    assert.equal(answer.status, 200, answer.text);
    assert.ok(!answer.text.includes('arm'));
    seen.set(participant, { took, characters: answer.text.length - participant.length });
  }

  before(async () => {
    study = new NetworkStudy(network, SLOTS);
    await study.opened();
    await cellsWhileIn(STUDY, 'active');
    const draw = trialCampaign.random();
    const waiting = Array.from({ length: PARTICIPANTS }, (_, index) => ({
      site: sites[index % sites.length] ?? 'stmary',
      stratum: strata[Math.floor(draw() * strata.length)] ?? 's1',
    }));
    const lanes = sites.flatMap((site) => {
      const own = waiting.filter((each) => each.site === site);
      return Array.from({ length: LANES }, async () => {
        for (let next = own.shift(); next !== undefined; next = own.shift()) {
          await enrolOne(random().slice(0, 12), site, next.stratum);
        }
      });
    });
    await Promise.all(lanes);
  });

  after(() => {
    peers?.close();
    folder.remove();
  });

  it('obeys every cell of the table of rights straight at a peer, in every state', async () => {
    await cells().whileUnregistered('CELLS-1');
    await study.registered('CELLS-1');
    await cellsWhileIn('CELLS-1', 'registered');
    await cellsWhileIn(STUDY, 'enrolling');
    const reason = 'to look at the cells';
    await study.boardDoes('halt', reason);
    await cellsWhileIn(STUDY, 'halted');
    await study.boardDoes('resume', reason);
  });

  it('loses no slot and gives none twice', async () => {
    assertAllEnrolled(await study.view(), PARTICIPANTS);
  });

  it('lets nobody take part twice: of two sites that race for one person, one has it', async () => {
    const [person, participants] = [random(), ['TWICE-1', 'TWICE-2']];
    const racing = ['stmary', 'northside'].map(async (site, index) => {
      return study.claim(participants[index] ?? '', site, await study.patientAt(site, person));
    });
    const [won, lost] = (await Promise.all(racing)).sort((a, b) => a.status - b.status);
    assert.equal(won?.status, 200, won?.text);
    assert.equal(lost?.status, 409, lost?.text);
    assert.match(lost.text, /already-claimed/);
  });

  it('lets nobody who is blinded tell the arms: not from ids, kits, order, sizes, times or errors', async () => {
    const { slots } = await study.view();
    const answers = new Set<string>();
    const rows: Seen[] = [];
    const isFirst: boolean[] = [];
    for (const { stratum, taken } of slots) {
      for (const [index, { participant, kit, slot, tx, at }] of taken.entries()) {
        const errors = await refusals(stratum, slot);
        answers.add(errors.said);
        const transaction = await network.ask('acme', `/ledger/transactions/${tx}`);
        const { block = 0, index: place = 0 } = transaction.body as { block?: number; index?: number };
        isFirst.push(study.lists.get(stratum)?.[slot - 1]?.arm === 'A');
        rows.push({
          ...seen.get(participant),
          ...{ slot, inPair: slot % 2, inBlock: slot % 4, place, block, inBlockPair: block % 2 },
          ...{ kit: number(kit), kitEnd: number(kit) % 16, kitStart: Number.parseInt(kit.charAt(1), 16) },
          ...{ id: number(participant), idEnd: number(participant) % 16, tx: number(tx), txEnd: number(tx.slice(-1)) },
          ...{ bytes: transaction.text.length, at: Date.parse(at), doorMs: errors.doorMs, peerMs: errors.peerMs },
          ...{ kitBefore: number(taken[index - 1]?.kit ?? '0') % 16 },
        });
      }
    }
    assert.equal(rows.length, PARTICIPANTS);
    assert.equal(answers.size, 1, [...answers].join('\n'));
    assert.deepEqual(tells(rows, isFirst), []);
    assert.ok(guesses(rows, isFirst) < NO_CHANCE, String(guesses(rows, isFirst)));
    const leaking = rows.map((row, index) => ({
      ...row,
      kitEnd: ((row['kitEnd'] ?? 0) & ~1) + Number(isFirst[index]),
    }));
    assert.deepEqual(tells(leaking, isFirst), ['kitEnd'], 'kit numbers that are even in one arm are found out');
    const slower = rows.map((row, index) => ({ ...row, took: (row['took'] ?? 0) * (isFirst[index] ? 1_000 : 1) }));
    assert.deepEqual(tells(slower, isFirst), ['took']);
  });

  it('is recomputed from public data after lock: lists as committed, arms in balance', async () => {
    assert.equal((await study.lock()).status, 200);
    await cellsWhileIn(STUDY, 'locked');
    for (const [stratum, slots] of study.lists) await study.act('tally', 'statistician', 'reveal', { stratum, slots });
    await cellsWhileIn(STUDY, 'unblinded');
    assert.equal(tried?.tried, Object.keys(rights).length * actors().length * phases.length);
    for (const { stratum, isListIntact, arms, enrolled } of checkAllocation(await study.view()).strata) {
      assert.equal(isListIntact, true, stratum);
      assert.ok(Math.abs((arms['A'] ?? 0) - (arms['B'] ?? 0)) <= 2, JSON.stringify(arms));
      assert.equal((arms['A'] ?? 0) + (arms['B'] ?? 0), enrolled);
    }
  });

  /** What sponsor and a site get who ask for an arm that nobody may know, straight at door and peer. */
  async function refusals(stratum: string, slot: number): Promise<{ said: string; doorMs: number; peerMs: number }> {
    const investigator = study.investigator('stmary');
    const place = { trial: STUDY, stratum, slot };
    const to = investigator.jwk;
    const statement = investigator.sign({ channel: 'health', ...place, meaning: 'tell-arm', to });
    const question = { ...place, to, statement };
    const began = performance.now();
    const door = await atDoor(network.stateDir, ['stmary', 'tally'], ARM_PATH, question);
    const between = performance.now();
    const call = { transaction: 'trial:tell-arm', argument: JSON.stringify(question) };
    const peer = await atPeer(network.stateDir, ['acme', 'tally'], call);
    const said = `${door.status} ${door.text} ${peer}`;
    return { said, doorMs: between - began, peerMs: performance.now() - between };
  }
});

/** The first 12 hex digits of an id as a number. */
function number(id: string): number {
  return Number.parseInt(id.replaceAll(/[^0-9a-f]/g, '').slice(0, 12), 16);
}
