/**
 * Study definitions, whole: the USDM files that versions of a protocol were registered from. The ledger has what is acted on, in
 * clear, and the hash of all of it; the file, which may name people, is kept by the sponsor, and by parties of the trial, who ask the
 * sponsor's door for it and check what they get by the hash. Nobody else is shown it.
 */
import type { TrialView, VersionRecord } from '@salus/chaincode/trial/api';

import type { Heard } from '../door/server.js';
import type { JsonObject } from '../fhir/json.js';
import type { FhirRequest } from '../fhir/request.js';
import { Refusal } from '../ledger/refusal.js';
import { commitmentOf, DOCUMENT_TYPE, heldDocument } from './content.js';
import type { FormPorts } from './forms.js';
import type { ContentPorts } from './hand-over.js';
import { demandTrial, isParty, readTrial, worksIn } from './reading.js';
import { exportUsdm } from './usdm-export.js';
import { restated } from './usdm-restated.js';

/** Path of a study definition below a door's base. */
export const DOCUMENT_PATH = '$trial-document';
/** Longest body that asks for one, bytes. */
const ASKED_BYTES = 4_096;

/** What study definitions need of the gateway. */
export type DocumentPorts = FormPorts & Pick<ContentPorts, 'ledger'>;

/** Keeps a study definition that some version of the protocol was registered from; what is kept already is not kept twice. */
export async function keepDocument(
  { facts, keep }: Pick<DocumentPorts, 'facts' | 'keep'>,
  view: TrialView,
  file: JsonObject,
): Promise<void> {
  const hash = commitmentOf(file);
  if (!isNamed(view, hash) || heldDocument(facts, hash) !== undefined) return;
  await keep([{ type: DOCUMENT_TYPE, value: file }]);
}

/**
 * The parameters of `$usdm-export`: a study definition by a version, the newest where `version` in the query is absent. `whole` says
 * whether it is all that the registered file said, for who works in the trial, or what the ledger has in clear. Throws Refusal.
 */
export async function usdmParameters(
  ports: DocumentPorts,
  trial: string,
  { actor, query }: Pick<FhirRequest, 'actor' | 'query'>,
): Promise<readonly object[]> {
  const view = await demandTrial(ports, trial);
  const versions = versionsUpTo(view, query.get('version'));
  const hash = versions.at(-1)?.protocol.document ?? '';
  const file = worksIn(ports.member, view, actor) ? await documentOf(ports, view, hash) : undefined;
  const usdm = file === undefined ? exportUsdm(trial, versions) : restated(file, versions);
  return [
    { name: 'usdm', valueString: JSON.stringify(usdm) },
    { name: 'whole', valueBoolean: file !== undefined },
  ];
}

function versionsUpTo({ versions }: TrialView, asked: string | null): readonly VersionRecord[] {
  if (asked === null) return versions;
  const upTo = versions.filter(({ version }) => version <= Number(asked));
  if (String(upTo.at(-1)?.version) === asked) return upTo;
  throw new Refusal('not-found', 'unknown-version', 'the protocol has no version of this number');
}

/** The study definition of a hash; undefined where it is not here and the sponsor does not tell it. */
async function documentOf(ports: DocumentPorts, view: TrialView, hash: string): Promise<JsonObject | undefined> {
  const { trial, parties } = view.trial;
  const held = heldDocument(ports.facts, hash);
  if (held !== undefined || parties.sponsor === ports.member) return held;
  const told = await toldBy(ports, parties.sponsor, { trial, hash });
  if (told === undefined || commitmentOf(told) !== hash) return undefined;
  await keepDocument(ports, view, told);
  return told;
}

/** What the sponsor's door tells; away and unwilling are alike. */
async function toldBy({ ask }: DocumentPorts, sponsor: string, words: object): Promise<JsonObject | undefined> {
  try {
    return (await ask(sponsor, DOCUMENT_PATH, words)) as JsonObject | undefined;
  } catch {
    return undefined;
  }
}

function isNamed({ versions }: TrialView, hash: string): boolean {
  return versions.some(({ protocol }) => protocol.document === hash);
}

/** What a door hears of study definitions: parties of a trial get those that its versions were registered from. */
export function documentsHeard({
  ledger,
  facts,
}: Pick<DocumentPorts, 'ledger' | 'facts'>): Readonly<Record<string, Heard>> {
  const hear = async (teller: string, body: string): Promise<object | undefined> => {
    try {
      const { trial, hash } = JSON.parse(body) as { readonly trial: string; readonly hash: string };
      const view = await readTrial(ledger, trial);
      return view !== undefined && isParty(teller, view) && isNamed(view, hash) ? heldDocument(facts, hash) : undefined;
    } catch {
      return undefined;
    }
  };
  return { [DOCUMENT_PATH]: { most: ASKED_BYTES, hear } };
}
