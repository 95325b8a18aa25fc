/**
 * `salus demo`: stories over the running consortium. `supply`: a lot from the line to the patient, and what each party
 * sees of it. `trial`: demo-trial.ts.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { type Command, CommandError, type CommandIo } from '@salus/network/command';

import type { Label } from '../supply/packs/label.js';
import type { Effect } from '../supply/packs/stored.js';
import { askerOf } from './demo-asking.js';
import { demoLogger } from './demo-logger.js';
import { DemoLot, dispensed, documentOf, packed, received, shipped } from './demo-packs.js';
import { trialStory } from './demo-trial.js';
import { memberSettings } from './members.js';

/** Packs of the demo's lot: half of them on each of two pallets. */
const PACKS = 1_000;
const EXPIRY = '2099-12-31';
const PARTIES = ['acme', 'meridian', 'stmary', 'northside', 'authority'] as const;

/** `salus demo <story>`; exit code 1 when a step does not turn out as the story says. */
export const demo: Command = {
  name: 'demo',
  summary: 'play a story over the running consortium: supply, trial',
  arguments: [{ name: 'story', summary: 'supply or trial', required: true }],
  async run({ args }, io) {
    const [name = ''] = args;
    const story = stories.get(name);
    if (story === undefined)
      throw new CommandError(`no story ${name}; stories are: ${[...stories.keys()].join(', ')}`, 2);
    await story(io);
    return 0;
  },
};

const stories: ReadonlyMap<string, (io: CommandIo) => Promise<void>> = new Map([
  ['supply', supplyStory],
  ['trial', trialStory],
]);

async function supplyStory(io: CommandIo): Promise<void> {
  const maker = memberSettings(io.stateDir, 'acme');
  const partyOf = (name: string): string => maker.members.find((each) => each.name === name)?.pgln ?? '';
  const prefix = maker.members.find(({ name }) => name === 'acme')?.gcp.find((each) => each.length === 7);
  if (prefix === undefined) throw new CommandError('acme has no GS1 company prefix of seven digits in consortium.yaml');
  const lot = new DemoLot(prefix, String(Date.now()).slice(-8), EXPIRY);
  const packs = Array.from({ length: PACKS }, (_, index) => lot.pack(index));
  const halves = [packs.slice(0, PACKS / 2), packs.slice(PACKS / 2)] as const;
  const [one, two] = [lot.pallet(1), lot.pallet(2)];
  const [given = '', kept = ''] = [packs[0], packs.at(-1)];
  const capture = capturing(io);

  await capture('acme', 'supply-operator', `makes lot ${lot.batch} of ${PACKS} packs and ships two pallets`, [
    lot.commissioned(packs),
    packed(one, halves[0]),
    packed(two, halves[1]),
    shipped(one, partyOf('meridian')),
    shipped(two, partyOf('meridian')),
  ]);
  await labels(io, [given, one]);
  await capture('meridian', 'supply-operator', 'receives both and ships one to each hospital', [
    received(one, two),
    shipped(one, partyOf('stmary')),
    shipped(two, partyOf('northside')),
  ]);
  await capture('stmary', 'supply-operator', 'receives its pallet', [received(one)]);
  await capture('northside', 'supply-operator', 'receives its pallet', [received(two)]);
  await capture('stmary', 'pharmacist', `dispenses pack ${lot.serial(0)}`, [dispensed(given)]);
  await capture('northside', 'pharmacist', 'is given a clone of that pack', [dispensed(given)]);
  await seen(io, lot, 0);
  await seen(io, lot, PACKS - 1);
  await frost(io, two);
  await seen(io, lot, PACKS - 1);
  await capture('acme', 'quality-officer', 'recalls the lot', [lot.recalled()]);
  await capture('northside', 'pharmacist', `tries to dispense pack ${lot.serial(PACKS - 1)}`, [dispensed(kept)]);
  await seen(io, lot, PACKS - 1);
}

/** The labels of these, as acme prints them: what their codes say, and their pictures as files. */
async function labels(io: CommandIo, epcs: readonly string[]): Promise<void> {
  const ask = await askerOf(io, 'acme', 'supply-operator');
  const folder = join(io.stateDir, 'labels');
  mkdirSync(folder, { recursive: true });
  for (const epc of epcs) {
    const { code, svg } = (await (await ask(`/supply/label?epc=${encodeURIComponent(epc)}`)).json()) as Label;
    const file = join(folder, `${epc.split(':').at(-1) ?? ''}.svg`);
    writeFileSync(file, svg);
    io.out(`acme prints ${code}\n  ${file}`);
  }
}

/** What a logger signs in northside's cold room is too cold at once: the contracts put the pallet in quarantine. */
async function frost(io: CommandIo, pallet: string): Promise<void> {
  io.out('northside’s logger signs what it read beside its pallet: 5.0, 4.8, 1.2 °C');
  const ask = await askerOf(io, 'northside', 'supply-operator');
  const { jwk, signed } = await demoLogger();
  const post = async (path: string, body: object): Promise<Response> => {
    const answer = await ask(`/supply/${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new CommandError(`northside was refused at ${path}: ${await answer.text()}`);
    return answer;
  };
  await post('loggers', { jwk, standing: 'registered' });
  const answer = await post('readings', { epcs: [pallet], signed: await signed([5, 4.8, 1.2]) });
  const { effects } = (await answer.json()) as { readonly effects: readonly Effect[] };
  for (const effect of effects) io.out(`  ${sayEffect(effect)}`);
}

type Capture = (member: string, role: string, what: string, events: readonly object[]) => Promise<void>;

/** Sends events to a member's gateway and says what they did on the ledger. */
function capturing(io: CommandIo): Capture {
  return async (member, role, what, events) => {
    io.out(`${member} ${what}`);
    const ask = await askerOf(io, member, role);
    const taken = await ask('/epcis/capture', { method: 'POST', body: JSON.stringify(documentOf(events)) });
    if (taken.status !== 202) throw new CommandError(`${member} did not take the events: ${await taken.text()}`);
    const effects = await effectsOf(() => ask(taken.headers.get('location') ?? ''));
    for (const effect of effects) io.out(`  ${sayEffect(effect)}`);
  };
}

async function effectsOf(look: () => Promise<Response>): Promise<readonly Effect[]> {
  for (;;) {
    const job = (await (await look()).json()) as { readonly running?: boolean; readonly effects?: readonly Effect[] };
    if (job.running === false) return job.effects ?? [];
    await sleep(100);
  }
}

function sayEffect({ act, state, code, detail, alert, handedOver, excursion }: Effect): string {
  const why = code === undefined ? '' : ` (${code}: ${detail ?? ''})`;
  const suspicion = alert === undefined ? '' : `; alert on the ledger: ${alert}`;
  const terms = handedOver === true ? "; the terms went to the receiver's door" : '';
  const limit = excursion === undefined ? '' : `; in quarantine: ${excursion}`;
  return `${act}: ${state}${why}${limit}${suspicion}${terms}`;
}

/** What each party sees of one pack. */
async function seen(io: CommandIo, lot: DemoLot, number: number): Promise<void> {
  io.out(`What each sees of pack ${lot.serial(number)}:`);
  const [, year = '', month = '', day = ''] = /^20(\d\d)-(\d\d)-(\d\d)$/.exec(EXPIRY) ?? [];
  const path = `/verify/gtin/${lot.gtin}/lot/${lot.batch}/ser/${lot.serial(number)}?exp=${year}${month}${day}`;
  for (const member of PARTIES) {
    const role = member === 'authority' ? 'regulator' : 'supply-operator';
    const ask = await askerOf(io, member, role);
    io.out(`  ${member.padEnd(10)}${sayVerdict((await (await ask(path)).json()) as Shown)}`);
  }
}

interface Shown {
  readonly data: { readonly verified: boolean; readonly additionalInfo?: string };
  readonly emvsCode: string;
  readonly whose: string;
  readonly where: string;
  readonly dispensable: boolean;
  readonly because?: string;
}

function sayVerdict({ data, emvsCode, whose, where, dispensable, because }: Shown): string {
  const genuine = data.verified ? 'genuine' : 'not verified';
  const info = data.additionalInfo === undefined ? '' : `, ${data.additionalInfo}`;
  return `${genuine}${info}; ${whose}; ${where}; ${dispensable ? 'may be dispensed' : `not here: ${because ?? ''}`} [${emvsCode}]`;
}
