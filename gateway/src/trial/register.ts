/** Registers what a USDM file tells of: a new trial with its amendments, or further versions of one that is known. */
import { transactions, type Parties, type Protocol, type TrialView } from '@salus/chaincode/trial/api';

import type { JsonObject } from '../fhir/json.js';
import { Refusal } from '../ledger/refusal.js';
import type { Given } from '../fhir/parameters.js';
import { type FormHash, questionnairesOf } from './forms.js';
import { amendmentIn, importUsdm, type ImportedVersion } from './usdm.js';

type Send = (transaction: string, asked: object) => Promise<unknown>;

/** What registering needs: the trial as the own peer has it, a way to write, and the forms that were given beside the file. */
export interface RegisterPorts {
  /** The USDM file. */
  readonly file: unknown;
  readonly forms: readonly FormHash[];
  readonly read: () => Promise<TrialView | undefined>;
  readonly send: Send;
}

/**
 * How many versions were registered: of a new trial the original and each amendment; of a known one the amendments that it
 * has not, by their numbers, or where the file or a form is a newer one without any, its content. Goes on after a part of them.
 */
export async function registerImported(given: Given, sponsor: string, ports: RegisterPorts): Promise<number> {
  const trial = given.text('trial');
  const imported = importUsdm(ports.file, given.texts('stratum'));
  const [original] = imported;
  const view = await ports.read();
  if (view === undefined && original !== undefined) {
    const protocol = withForms(original.protocol, original.protocol.forms, ports.forms);
    await ports.send(transactions.register, { trial, parties: partiesOf(given, sponsor), protocol });
  }
  const missing = view === undefined ? imported.slice(1) : amendmentsBeyond(view, imported, ports.forms);
  for (const each of missing) await amend(trial, each, ports);
  return missing.length + (view === undefined ? 1 : 0);
}

function amendmentsBeyond(
  { versions }: TrialView,
  imported: readonly ImportedVersion[],
  forms: readonly FormHash[],
): readonly ImportedVersion[] {
  const known = new Set(versions.map(({ reason = '' }) => amendmentIn(reason).number));
  const missing = imported.slice(1).filter(({ reason = '' }) => !known.has(amendmentIn(reason).number));
  const isNew = versions.every(({ protocol }) => protocol.document !== imported[0]?.protocol.document);
  const current = questionnairesOf(versions.at(-1)?.protocol ?? {});
  const isOtherForm = forms.some(({ id, questionnaire }) => current.get(id) !== questionnaire);
  return missing.length === 0 && (isNew || isOtherForm) ? imported.slice(-1) : missing;
}

/** The next version names the hash of the one before, whatever flags that got. */
async function amend(
  trial: string,
  { protocol, reason }: ImportedVersion,
  { read, send, forms }: RegisterPorts,
): Promise<void> {
  const newest = (await read())?.versions.at(-1);
  if (newest === undefined)
    throw new Refusal('unavailable', 'not-there-yet', 'ask again: the first version is not seen yet');
  const scheduled = new Set(protocol.visits.flatMap((visit) => visit.forms));
  const kept = newest.protocol.forms?.filter(({ id }) => scheduled.has(id));
  const amended = withForms(protocol, kept, protocol.forms, forms);
  const asked = { trial, version: newest.version + 1, previous: newest.hash, protocol: amended };
  await send(transactions.registerVersion, { ...asked, reason: reason ?? 'a newer study definition' });
}

/** The protocol with a form's questionnaire as the last source says that has it. */
function withForms(protocol: Protocol, ...sources: readonly Protocol['forms'][]): Protocol {
  const all = questionnairesOf({ forms: sources.flatMap((forms = []) => forms) });
  if (all.size === 0) return protocol;
  return { ...protocol, forms: [...all].map(([id, questionnaire]) => ({ id, questionnaire })) };
}

function partiesOf(given: Given, sponsor: string): Parties {
  return {
    sponsor,
    allocator: given.text('allocator'),
    board: given.text('board'),
    ethics: given.texts('ethics'),
    regulators: given.texts('regulator'),
    sites: given.texts('site'),
  };
}

/** The USDM file that a text is. Throws Refusal invalid. */
export function fileIn(text: string): JsonObject {
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    throw new Refusal('invalid', 'structure', 'usdm is the text of a USDM JSON file');
  }
}
