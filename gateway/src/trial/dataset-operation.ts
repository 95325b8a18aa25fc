/** `$dataset`: one of a trial's datasets as the text of a Dataset-JSON file, in Parameters. */
import type { ParticipantView, TrialView } from '@salus/chaincode/trial/api';

import type { FhirRequest } from '../fhir/request.js';
import { Refusal } from '../ledger/refusal.js';
import { heldContent } from './content.js';
import { type DatasetName, datasetNames, datasetOf } from './datasets.js';
import { demandReader, type FacePorts, noteShown } from './faces.js';
import { demandTrial, isUseEnded, placeOf, readLine } from './reading.js';

/** The parameters of the answer; `name` in the query is one of `datasetNames`. Throws Refusal. */
export async function datasetParameters(
  ports: FacePorts & { readonly now: () => number },
  { query, actor }: Pick<FhirRequest, 'query' | 'actor'>,
  trial: string,
): Promise<readonly object[]> {
  const name = datasetNames.find((each) => each === query.get('name'));
  if (name === undefined) throw new Refusal('invalid', 'structure', `name is one of: ${datasetNames.join(', ')}`);
  const view = await demandTrial(ports, trial);
  const lines = await linesOf(ports, view, name);
  if (isOfContents(name)) {
    ports.decision.allow(actor, 'QuestionnaireResponse', 'search');
    for (const [, line] of lines) demandReader(ports.member, view, line, actor);
    const participants = lines.map(([participant]) => participant);
    noteShown(ports, trial, participants);
  }
  const content = (commitment: string) => heldContent(ports.facts, commitment);
  const dataset = datasetOf(name, { view, lines, content }, new Date(ports.now()).toISOString());
  return [{ name: 'dataset', valueString: JSON.stringify(dataset) }];
}

/** Whether a dataset is made from contents, which lie at site and sponsor alone. */
function isOfContents(name: DatasetName): boolean {
  return name === 'QS' || name === 'IE';
}

/** Lines of the participants that the dataset is about: answers without theirs who want no further use; a site makes its answers a dataset of its own participants. */
async function linesOf(
  { ledger, member }: FacePorts,
  view: TrialView,
  name: DatasetName,
): Promise<readonly (readonly [string, ParticipantView])[]> {
  if (name === 'DM' || name === 'AE') return [];
  const { sponsor, sites } = view.trial.parties;
  const isOwnOnly = isOfContents(name) && member !== sponsor && sites.includes(member);
  const taken = view.slots.flatMap((each) => each.taken).filter(({ by }) => !isOwnOnly || by.member === member);
  const lines: (readonly [string, ParticipantView])[] = [];
  for (const { participant } of taken) {
    const line = await readLine(ledger, view.trial.trial, participant);
    if (!isOfContents(name) || !isUseEnded(line, placeOf(member, view))) lines.push([participant, line]);
  }
  return lines;
}
