/**
 * Printed names of those who sign (21 CFR 11.50): the ledger has a salted commitment alone, SHA-256 over the RFC 8785 form of
 * `{name, salt}`. The name is kept by the member whose person it is, and by other parties of the trial, who ask its door for it and
 * check what they get by the commitment. Nobody else is shown it.
 */
import { randomBytes } from 'node:crypto';

import type { TrialView } from '@salus/chaincode/trial/api';

import type { Heard } from '../door/server.js';
import type { Given } from '../fhir/parameters.js';
import type { Keep } from '../ehr/keep.js';
import { Refusal } from '../ledger/refusal.js';
import type { Ledger } from '../ports.js';
import { commitmentOf, type ContentFacts, heldName, NAME_TYPE, type PrintedName } from './content.js';
import type { Ask } from './hand-over.js';
import { isParty, readTrial } from './reading.js';
import { saidIn } from './signed.js';

/** Path of the question for names below a door's base. */
export const NAMES_PATH = '$trial-names';
/** Longest printed name, characters. */
export const MAX_PRINTED_NAME = 200;
/** Most names that a door is asked for at once, and bytes of such a question. */
const ASKED_AT_ONCE = 500;
const QUESTION_BYTES = 65_536;

/** What names need of the gateway. */
export interface NamePorts {
  readonly member: string;
  readonly facts: ContentFacts;
  readonly keep: Keep;
  readonly ask: Ask;
}

/** Printed names by their commitments. */
export type Names = ReadonlyMap<string, string>;

/** Keeps a printed name of somebody here who signs; answers the commitment to sign over, and the salt. Throws Refusal. */
export async function keepName(
  { facts, keep }: Pick<NamePorts, 'facts' | 'keep'>,
  trial: string,
  given: Given,
): Promise<{ readonly commitment: string; readonly salt: string }> {
  const name = given.text('name');
  const [salt = randomBytes(32).toString('hex')] = given.texts('salt');
  if (!/^[0-9a-f]{64}$/.test(salt)) throw new Refusal('invalid', 'structure', 'salt is 64 hex digits');
  if (!/^[^\p{Cc}]+$/u.test(name) || name.length > MAX_PRINTED_NAME) {
    throw new Refusal('invalid', 'structure', `name is one line of at most ${MAX_PRINTED_NAME} characters`);
  }
  const commitment = commitmentOf({ name, salt });
  if (heldName(facts, trial, commitment) === undefined) await keep([{ type: NAME_TYPE, value: { trial, name, salt } }]);
  return { commitment, salt };
}

/** Names under statements of a trial, as far as this member has them or the members of those who signed tell them. */
export async function namesUnder(ports: NamePorts, view: TrialView, statements: readonly string[]): Promise<Names> {
  const opened = await openedNames(ports, view, statements);
  return new Map(opened.map(({ name, salt }) => [commitmentOf({ name, salt }), name]));
}

/** The same with their salts, for whoever is to check them. */
export async function openedNames(
  ports: NamePorts,
  view: TrialView,
  statements: readonly string[],
): Promise<readonly PrintedName[]> {
  const { trial } = view.trial;
  const said = statements.map(saidIn);
  const lacked = [...lackedBy(ports, view, said)];
  await Promise.all(lacked.map(async ([member, wanted]) => fetchNames(ports, { trial, member, wanted })));
  const commitments = [...new Set(said.map(({ name }) => name))];
  return commitments.flatMap((each) => heldName(ports.facts, trial, each) ?? []);
}

/** Commitments whose names are not here, by the member that put the key which signed on the log. */
function lackedBy(
  { member, facts }: NamePorts,
  { trial, delegates }: TrialView,
  said: readonly { readonly kid: string; readonly name: string }[],
): ReadonlyMap<string, readonly string[]> {
  const lacked = new Map<string, readonly string[]>();
  for (const { kid, name } of said) {
    const owner = delegates.find(({ jwk }) => jwk.kid === kid)?.member;
    if (owner === undefined || owner === member || heldName(facts, trial.trial, name) !== undefined) continue;
    lacked.set(owner, [...new Set([...(lacked.get(owner) ?? []), name])]);
  }
  return lacked;
}

async function fetchNames(
  { ask, keep }: NamePorts,
  { trial, member, wanted }: { readonly trial: string; readonly member: string; readonly wanted: readonly string[] },
): Promise<void> {
  for (let from = 0; from < wanted.length; from += ASKED_AT_ONCE) {
    const names = wanted.slice(from, from + ASKED_AT_ONCE);
    const told = await toldBy(ask, member, { trial, names });
    // Away: asking for the rest would only take longer. What was not told is asked for again by whoever looks next.
    if (told === undefined) return;
    const right = told.filter(({ name, salt }) => names.includes(commitmentOf({ name, salt })));
    if (right.length > 0) {
      await keep(right.map(({ name, salt }) => ({ type: NAME_TYPE, value: { trial, name, salt } })));
    }
  }
}

/** What a member's door tells; undefined where it tells nothing at all: away and unwilling are alike. */
async function toldBy(ask: Ask, member: string, question: object): Promise<readonly PrintedName[] | undefined> {
  try {
    const answer = (await ask(member, NAMES_PATH, question)) as { readonly names?: readonly PrintedName[] } | undefined;
    return answer?.names;
  } catch {
    return undefined;
  }
}

/** What a door hears of names: who plays a part of the trial is told those that are kept here. */
export function namesHeard(ledger: Pick<Ledger, 'evaluate'>, facts: ContentFacts): Readonly<Record<string, Heard>> {
  const hear = async (teller: string, body: string): Promise<object | undefined> => {
    try {
      const { trial, names } = JSON.parse(body) as { readonly trial: string; readonly names: readonly string[] };
      const view = await readTrial(ledger, trial);
      if (view === undefined || !isParty(teller, view)) return undefined;
      return { names: names.slice(0, ASKED_AT_ONCE).flatMap((each) => heldName(facts, trial, each) ?? []) };
    } catch {
      return undefined;
    }
  };
  return { [NAMES_PATH]: { most: QUESTION_BYTES, hear } };
}
