/** What the supply chain costs: scans, a lot in one write, pallets of any content, dispenses, and who holds a recalled lot. */
import type { TestNetwork } from '../support/network.js';
import { GTIN, pack, sscc, tell, TradeSystem } from '../supply/packs.js';
import { byKind, cpuOf, type Measure, measure, middle } from './meter.js';
import type { Ratio } from './report.js';

/** Rounds of bare answers and scans in turn, so that both see the machine alike. */
const ROUNDS = 5;
const SCANS = 300;
/** Units of the lot that is commissioned in one transaction: the most there may be. */
const LOT = 50_000;
/** Packs in a small pallet and in a large one, and how many of each. */
const FEW = 4;
const MANY = 2_000;
const PALLETS = 11;
const DISPENSED = 660;
/** Packs of the recalled lot, as many on each pallet. */
const RECALLED = 10_000;
const HOLDERS = ['meridian', 'stmary', 'northside'] as const;
const PER_HOLDER = 3_000;
const JSON_ONLY = { accept: 'application/json', 'content-type': 'application/json' };

/** The yardsticks: address of the least an Express server can do, and plain submits a second, 16 at once. */
export interface Yardsticks {
  readonly bareUrl: string;
  readonly plainRate: number;
}

/** All of it on a running consortium. */
export async function supplyRatios(network: TestNetwork, { bareUrl, plainRate }: Yardsticks): Promise<Ratio[]> {
  const ratios: Ratio[] = [];
  // Said at once: what comes later may fail on a busy machine.
  const measured = (what: string, value: number, aim: string): void => {
    console.log(`${what}: ${value.toFixed(2)}`);
    ratios.push({ what, value, aim });
  };
  measured('verify a pack / bare Express answer, p50', await scans(network, bareUrl), '< 3');
  measured(`${LOT} units commissioned, CPU seconds of all processes`, await commissioned(network), '< 2');
  const { ship, receive } = await pallets(network);
  measured(`receive a pallet of ${MANY} / of ${FEW}, p50`, receive, '<= 1.2');
  measured('ship one, with all that its receiver is told, p50', ship, 'as content');
  measured(DISPENSES, (await dispenses(network)).rate / plainRate, '>= 0.8');
  measured(`holders of a recalled lot of ${RECALLED}, seconds`, await recalled(network), '< 1');
  return ratios;
}

async function scans(network: TestNetwork, bareUrl: string): Promise<number> {
  const acme = new TradeSystem(network, 'acme');
  done(await acme.capture('supply-operator', tell.commissioned([1, 2], 'SCAN')));
  const token = await network.token({ member: 'acme', role: 'pharmacist' });
  const bare = async (): Promise<void> => {
    await (await fetch(bareUrl)).json();
  };
  const verify = async (): Promise<void> => {
    const path = `/verify/gtin/${GTIN}/lot/SCAN/ser/1?exp=991231`;
    const { body, text } = await network.ask('acme', path, { token, headers: JSON_ONLY });
    if (body['where'] !== 'in stock') throw new Error(text);
  };
  const rounds = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    rounds.push({
      bare: await measure({ name: 'bare', concurrency: 1, count: SCANS, run: bare }, {}),
      verify: await measure({ name: 'verify', concurrency: 1, count: SCANS, run: verify }, {}),
    });
  }
  return middle(rounds.map((each) => each.verify)).p50 / middle(rounds.map((each) => each.bare)).p50;
}

/** CPU seconds that the consortium and its client spend on one lot, from the event to the end of the capture's job. */
async function commissioned(network: TestNetwork): Promise<number> {
  const pids = [...network.processes().map(({ pid }) => pid), process.pid];
  const before = cpuOf(pids);
  const acme = new TradeSystem(network, 'acme');
  done(await acme.capture('supply-operator', tell.commissioned(range(1_000_000, LOT), 'FIFTY')));
  return (cpuOf(pids) - before) / 1_000;
}

/** Large pallets beside small ones: how much longer one takes to be shipped, and to be received. */
async function pallets(network: TestNetwork): Promise<{ readonly ship: number; readonly receive: number }> {
  const few = await palletsOf(network, FEW, 2_000_000);
  const many = await palletsOf(network, MANY, 2_100_000);
  return { ship: many.ship.p50 / few.ship.p50, receive: many.receive.p50 / few.receive.p50 };
}

async function palletsOf(network: TestNetwork, size: number, first: number) {
  const [acme, meridian] = [new TradeSystem(network, 'acme'), new TradeSystem(network, 'meridian')];
  const serials = (index: number): readonly number[] => range(first + index * size, size);
  const pallet = (index: number): string => sscc(first + index);
  done(await acme.capture('supply-operator', tell.commissioned(range(first, size * PALLETS), `P-${size}`)));
  for (let index = 0; index < PALLETS; index += 1) {
    done(await acme.capture('supply-operator', tell.packed(pallet(index), serials(index).map(pack))));
  }
  const shipped = async (index: number): Promise<void> => {
    done(await acme.capture('supply-operator', tell.shipped([pallet(index)], 'meridian')));
  };
  const received = async (index: number): Promise<void> => {
    await acted(meridian, { act: 'receive', epcs: [pallet(index)] });
  };
  const count = PALLETS - 1;
  return {
    ship: await measure({ name: 'ship', concurrency: 1, count, run: shipped }, {}),
    receive: await measure({ name: 'receive', concurrency: 1, count, run: received }, {}),
  };
}

/** What the ratio of dispenses is called. */
export const DISPENSES = 'dispense / empty submit, rate at 16';

/** Packs dispensed, 16 at once. */
export async function dispenses(network: TestNetwork): Promise<Measure> {
  const serials = range(3_000_000, DISPENSED);
  await delivered(network, 'stmary', { batch: 'DISPENSE', serials, pallet: sscc(3_000_000) });
  // One token for all of them, as a pharmacy's system has it.
  const token = await network.token({ member: 'stmary', role: 'pharmacist' });
  const dispense = async (index: number): Promise<void> => {
    const body = { act: 'dispense', epcs: [pack(serials[index] ?? 0)], place: 'pharmacy' };
    const { body: answer, text } = await network.ask('stmary', '/supply/acts', { token, headers: JSON_ONLY, body });
    const effects = answer['effects'] as readonly { readonly state: string }[] | undefined;
    if (effects?.every(({ state }) => state === 'done') !== true) throw new Error(text);
  };
  const count = Math.floor((DISPENSED * 10) / 11);
  const wish = { name: 'dispense', concurrency: 16, count, run: dispense };
  return await measure(wish, byKind(network.processes()));
}

/** Seconds until every member has said whether it holds packs of the lot; one that had them and has none looks at all of them. */
async function recalled(network: TestNetwork): Promise<number> {
  const acme = new TradeSystem(network, 'acme');
  const serials = range(4_000_000, RECALLED);
  done(await acme.capture('supply-operator', tell.commissioned(serials, 'RECALLED')));
  for (const [index, member] of HOLDERS.entries()) {
    const inside = serials.slice(index * PER_HOLDER, (index + 1) * PER_HOLDER);
    await delivered(network, member, { serials: inside, pallet: sscc(4_000_000 + index) });
  }
  const meridian = new TradeSystem(network, 'meridian');
  done(await meridian.capture('supply-operator', tell.shipped([sscc(4_000_000)], 'northside')));
  const held = { action: 'OBSERVE', quantityList: [{ epcClass: `urn:epc:class:lgtin:9521003.000001.RECALLED` }] };
  done(await acme.capture('quality-officer', { ...tell.recalled(), ...held }));
  const { body } = await acme.ask('quality-officer', 'recalls');
  const recalls = body['recalls'] as readonly { readonly lotId: string; readonly lot?: string }[];
  const lotId = recalls.find(({ lot }) => lot === 'RECALLED')?.lotId ?? '';
  const began = performance.now();
  const { body: said, text } = await acme.ask('quality-officer', `recalls/${lotId}/holders`);
  const seconds = (performance.now() - began) / 1_000;
  const holders = said['holders'] as readonly { readonly member: string; readonly holds: string }[];
  if (holders.some(({ holds }) => holds === 'away')) throw new Error(text);
  return seconds;
}

interface Delivery {
  /** Commissioned with it; absent = they are already. */
  readonly batch?: string;
  readonly serials: readonly number[];
  readonly pallet: string;
}

/** A pallet of acme's in a member's hands. */
async function delivered(network: TestNetwork, to: string, { batch, serials, pallet }: Delivery): Promise<TradeSystem> {
  const [acme, receiver] = [new TradeSystem(network, 'acme'), new TradeSystem(network, to)];
  const made = batch === undefined ? [] : [tell.commissioned(serials, batch)];
  const events = [...made, tell.packed(pallet, serials.map(pack)), tell.shipped([pallet], to)];
  done(await acme.capture('supply-operator', ...events));
  await acted(receiver, { act: 'receive', epcs: [pallet] });
  return receiver;
}

async function acted(system: TradeSystem, body: object): Promise<void> {
  const states = await system.does('pharmacist', 'acts', body);
  if (states.some((state) => state !== 'done')) throw new Error(states.join());
}

function done(effects: readonly { readonly state: string }[]): void {
  if (effects.length === 0 || effects.some(({ state }) => state !== 'done')) throw new Error(JSON.stringify(effects));
}

function range(first: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}
