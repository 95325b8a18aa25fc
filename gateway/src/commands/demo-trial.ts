/** `salus demo trial`: a two-site study from registration to the reviewer's page, with an outcome switch that is caught. */
import { rootOf, type Allotted, type TrialView } from '@salus/chaincode/trial/api';
import type { CommandIo } from '@salus/network/command';

import { compareVersions } from '../trial/outcome-changes.js';
import { exportUsdm } from '../trial/usdm-export.js';
import { checkAllocation } from '../trial/verify-lists.js';
import { Study, text } from './demo-acts.js';
import {
  consentTo,
  documentHash,
  drawList,
  hashOf,
  randomHex,
  registered,
  Signer,
  strata,
  switched,
  wishToKnow,
} from './demo-study.js';
import { memberSettings } from './members.js';

/** Participants at each site. */
const PARTICIPANTS = 4;
const SITES = ['stmary', 'northside'] as const;

/** Plays the study and prints who does what, and what the ledger makes of it. */
export async function trialStory(io: CommandIo): Promise<void> {
  const study = new Study(io, `DEMO-${String(Date.now()).slice(-8)}`);
  await registers(study);
  const lists = await commitsLists(study);
  await comesIntoForce(study);
  const investigators = await enrols(study);
  await collectsData(study, investigators);
  await unblindsOne(study, investigators, lists);
  await switchesOutcomes(study);
  await ends(study, lists);
  await reviewer(study);
}

async function registers(study: Study): Promise<void> {
  const file = exportUsdm(study.trial, [{ version: 1, protocol: registered }]);
  const parties = { allocator: 'tally', board: 'tally', ethics: 'authority', regulator: 'authority' };
  const values = Object.entries({ trial: study.trial, usdm: JSON.stringify(file), ...parties });
  const lists = [
    ...SITES.map((site) => text('site', site)),
    ...Object.values(strata).map((each) => text('stratum', each)),
  ];
  const given = [...values.map(([name, value]) => text(name, value)), ...lists];
  await study.call('acme', 'sponsor', '$usdm-import', given, `registers trial ${study.trial} from a USDM file`);
}

type Lists = ReadonlyMap<string, readonly Allotted[]>;

async function commitsLists(study: Study): Promise<Lists> {
  const lists = new Map<string, readonly Allotted[]>();
  for (const stratum of Object.values(strata)) {
    const slots = drawList(PARTICIPANTS * 2);
    lists.set(stratum, slots);
    const root = rootOf(study.trial, stratum, slots);
    const committed = { stratum, root, kits: slots.map(({ kit }) => kit) };
    const said = `commits to a list for ${stratum} and keeps its arms to itself`;
    await study.act('tally', 'statistician', '$commit-list', committed, said);
    await study.act('tally', 'statistician', '$keep-arms', { stratum, slots });
    const hash = (await study.view()).lists.find((each) => each.stratum === stratum)?.hash;
    const approval = [
      { stratum, hash },
      { subject: `list:${stratum}`, hash },
    ] as const;
    await study.signs(['authority', 'regulator'], '$approve-list', approval, `signs for the list of ${stratum}`);
  }
  return lists;
}

async function comesIntoForce(study: Study): Promise<void> {
  const protocol = (await study.view()).versions[0]?.hash;
  const approval = [
    { version: 1, hash: protocol },
    { subject: 'version:1', hash: protocol },
  ] as const;
  const version = { version: 1 };
  await study.tries('acme', 'sponsor', '$activate-version', version, 'wants to start before anybody approved');
  await study.signs(['acme', 'sponsor'], '$sign-version', approval, 'signs the protocol');
  await study.signs(['authority', 'ethics'], '$approve-version', approval, 'approves the protocol, signed');
  await study.signs(['authority', 'regulator'], '$approve-version', approval, 'approves the protocol, signed');
  await study.act('acme', 'sponsor', '$activate-version', version, 'puts version 1 in force');
  const document = { version: 1, translations: [{ language: 'en', hash: documentHash }], optionalParts: [] };
  const hash = hashOf({ trial: study.trial, ...document });
  await study.act('acme', 'sponsor', '$publish-document', document, 'publishes the consent document, by its hash');
  await study.signs(['authority', 'ethics'], '$adopt-document', [{ version: 1, hash }], 'adopts it, signed');
}

type Investigators = ReadonlyMap<string, Signer>;

async function enrols(study: Study): Promise<Investigators> {
  const investigators = new Map(SITES.map((site) => [site, new Signer(`inv-${site}`)]));
  for (const [site, investigator] of investigators) {
    const person = { role: 'investigator', jwk: investigator.jwk };
    await study.act(site, 'investigator', '$delegate', person, 'puts the investigator on the delegation log');
    await study.tries(
      site,
      'investigator',
      '$declare-eligible',
      { participant: 'P0', criteria: [] },
      'skips the criteria',
    );
  }
  const enrolments = SITES.map(async (site) => {
    for (let index = 1; index <= PARTICIPANTS; index += 1)
      await enrolOne(study, site, `${site}-${index}`, investigators);
  });
  await Promise.all(enrolments);
  return investigators;
}

async function enrolOne(
  study: Study,
  site: (typeof SITES)[number],
  participant: string,
  all: Investigators,
): Promise<void> {
  const investigator = all.get(site) ?? new Signer('nobody');
  const { channel } = memberSettings(study.io.stateDir, site);
  const claimed = [text('participant', participant), text('patient', await study.patientAt(site))];
  await study.call(site, 'investigator', '$claim', claimed);
  const consent = await consentTo({ channel, trial: study.trial }, participant, investigator);
  await study.act(site, 'investigator', '$consent', consent);
  const item = registered.criteria.map((linkId) => ({ linkId, answer: [{ valueBoolean: true }] }));
  const answers = { resourceType: 'QuestionnaireResponse', status: 'completed', item };
  const eligible = [text('participant', participant), { name: 'answers', resource: answers }];
  await study.call(site, 'investigator', '$declare-eligible', eligible);
  const asked = [text('participant', participant), text('stratum', strata[site]), { name: 'consent', valueInteger: 1 }];
  const { parameter = [] } = await study.call(site, 'coordinator', '$randomize', asked);
  const kit = parameter.find(({ name }) => name === 'kit')?.valueString ?? '';
  study.io.out(
    `${site} (coordinator) enrols ${participant}, who consented with a key of their own: kit ${kit}, no arm`,
  );
}

async function collectsData(study: Study, investigators: Investigators): Promise<void> {
  const participant = 'stmary-1';
  const delegate = investigators.get('stmary')?.kid;
  const about = { participant, visit: 'week-12', form: 'vitals', delegate };
  const entered = { ...about, n: 1, act: 'enter', commitment: randomHex(32), consent: 1 };
  await study.act(
    'stmary',
    'investigator',
    '$point',
    entered,
    `enters ${participant}'s blood pressure, as a commitment`,
  );
  const changed = { ...about, n: 2, act: 'correct', commitment: randomHex(32), reason: 'looks better' };
  await study.tries('acme', 'sponsor', '$point', changed, "wants to correct the site's data");
  const silent = { ...about, n: 2, act: 'correct', commitment: randomHex(32) };
  await study.tries('stmary', 'investigator', '$point', silent, 'corrects it without a reason');
}

/** One arm, in an emergency, to one person who signs for it; nobody else is told. */
async function unblindsOne(study: Study, investigators: Investigators, lists: Lists): Promise<void> {
  const stratum = strata.stmary;
  const investigator = investigators.get('stmary') ?? new Signer('nobody');
  const { channel } = memberSettings(study.io.stateDir, 'stmary');
  const wish = await wishToKnow({ channel, trial: study.trial, stratum, slot: 1 }, investigator);
  const asked = { stratum, reason: 'overdose', delegate: investigator.kid, statement: wish.statement };
  const texts = Object.entries({ ...asked, key: JSON.stringify(wish.to) }).map(([name, value]) => text(name, value));
  const given = [...texts, { name: 'slot', valueInteger: 1 }];
  await study.triesWith('acme', 'sponsor', '$unblind', given, 'wants to know the arm of slot 1');
  const said = 'unblinds slot 1 after an overdose: on record for all, with an alarm at sponsor and board';
  const { parameter = [] } = await study.call('stmary', 'investigator', '$unblind', given, said);
  const arm = await wish.open(parameter.find(({ name }) => name === 'sealed')?.valueString ?? '');
  const isRight = lists.get(stratum)?.[0]?.arm === arm;
  study.io.out(`  the one person who signed for it opens the answer: ${isRight ? arm : 'NOT THE ARM OF THE LIST'}`);
}

async function switchesOutcomes(study: Study): Promise<void> {
  const protocol = { ...registered, outcomes: switched };
  const [first] = (await study.view()).versions;
  const amendment = {
    version: 2,
    previous: first?.hash,
    protocol: { ...protocol, document: first?.protocol.document },
  };
  await study.tries('acme', 'sponsor', '$register-version', amendment, 'switches the primary outcome without a word');
  const given = { ...amendment, reason: 'a better measure' };
  await study.act(
    'acme',
    'sponsor',
    '$register-version',
    given,
    'gives a reason: version 2 is on record, flagged for ever',
  );
  for (const line of switches(await study.view())) study.io.out(`  ${line}`);
  await study.tries('acme', 'sponsor', '$activate-version', { version: 2 }, 'puts it in force all the same');
}

function switches(view: TrialView): readonly string[] {
  return compareVersions(view).flatMap(({ version, milestone, changes }) =>
    changes.map(({ kind, outcome }) => `version ${version} against ${milestone}: ${outcome} ${kind}`),
  );
}

async function ends(study: Study, lists: Lists): Promise<void> {
  const [stratum = '', slots = []] = [...lists][0] ?? [];
  await study.tries(
    'tally',
    'statistician',
    '$reveal',
    { stratum, slots },
    'opens a list before the data base is locked',
  );
  const reason = 'last visit done';
  const there = await study.told('tally', 'cro', '$lock');
  const signature = await study.signature(['tally', 'cro'], '$lock', { ...there, reason });
  const lock = [text('reason', reason), text('signature', JSON.stringify(signature))];
  await study.call('tally', 'cro', '$lock', lock, 'locks the data base, signed over every data point');
  const bent = slots.map((slot, index) => (index === 0 ? { ...slot, arm: otherArm(slot.arm) } : slot));
  await study.tries('tally', 'statistician', '$reveal', { stratum, slots: bent }, 'opens a list with one arm bent');
  for (const [each, whole] of lists) {
    await study.act('tally', 'statistician', '$reveal', { stratum: each, slots: whole }, `opens the list of ${each}`);
  }
  const [, outcome] = switched;
  const paper = { publication: randomHex(32), published: new Date().toISOString(), outcomes: [outcome] };
  await study.act('acme', 'sponsor', '$post-results', paper, 'publishes the outcome that it likes as the primary one');
}

function otherArm(arm: string): string {
  return arm === 'tablet' ? 'placebo' : 'tablet';
}

async function reviewer(study: Study): Promise<void> {
  const view = await study.view();
  const { baseUrl } = memberSettings(study.io.stateDir, 'medisure');
  study.io.out(`What a reviewer sees at ${new URL(`/trials/${study.trial}`, baseUrl).href}, at any member's gateway:`);
  for (const { findings } of view.results) {
    for (const { outcome, finding, changes = [] } of findings) {
      study.io.out(`  published: ${outcome} ${[finding, ...changes].join(', ')}`);
    }
  }
  for (const line of switches(view)) study.io.out(`  ${line}`);
  for (const { stratum, isListIntact, enrolled, wrongSlots, arms } of checkAllocation(view).strata) {
    const list = isListIntact === true ? 'list as committed' : 'LIST DIFFERS';
    const balance = Object.entries(arms).map(([arm, count]) => `${arm} ${count}`);
    study.io.out(
      `  ${stratum}: ${list}, ${enrolled} enrolled, ${wrongSlots.length} slots lost or doubled, ${balance.join(', ')}`,
    );
  }
}
