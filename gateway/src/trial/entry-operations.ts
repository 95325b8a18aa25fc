/**
 * Operations that bring a content: `$enter`, `$declare-eligible`, `$report-event` and `$submit-event`. It is kept here, its
 * commitment put on the ledger, and it is handed to whom it is owed.
 */
import { parseReportedEvent, parseSubmittedEvent } from '@salus/chaincode/trial/api';

import { resourceBody } from '../fhir/body.js';
import { demandResource, givenOf } from '../fhir/parameters.js';
import type { FhirRequest, FhirResponse } from '../fhir/request.js';
import { parsed, Refusal } from '../ledger/refusal.js';
import { committed, ok } from './answered.js';
import { objectOf } from './acts.js';
import type { Entered, Entering } from './entering.js';
import { demandStaff, type FacePorts } from './faces.js';
import { checkedResponse, type FormPorts } from './forms.js';
import { demandTrial } from './reading.js';

/** What they need of the gateway. */
export interface EntryPorts extends FacePorts, FormPorts {
  readonly entering: Pick<Entering, 'enter' | 'declare' | 'report' | 'submit'>;
}

/** `$enter`. Throws Refusal. */
export async function enterPoint(ports: EntryPorts, request: FhirRequest, trial: string): Promise<FhirResponse> {
  const { plain, exact } = resourceBody(request);
  const view = await demandTrial(ports, trial);
  const given = givenOf(plain);
  demandStaff(ports, view, request.actor);
  const answered = { form: given.text('form'), response: demandResource(exact, 'response', 'QuestionnaireResponse') };
  const response = await checkedResponse(ports, view, answered);
  const entry = { actor: request.actor, sponsor: view.trial.parties.sponsor, response };
  return entered(await ports.entering.enter(entry, trial, given));
}

/** `$declare-eligible` with answers: they are kept and handed over. Throws Refusal. */
export async function declareEligible(ports: EntryPorts, request: FhirRequest, trial: string): Promise<FhirResponse> {
  const { plain, exact } = resourceBody(request);
  const response = demandResource(exact, 'answers', 'QuestionnaireResponse');
  const participant = givenOf(plain).text('participant');
  const { sponsor } = (await demandTrial(ports, trial)).trial.parties;
  return entered(await ports.entering.declare({ actor: request.actor, sponsor, response }, { trial, participant }));
}

/** `$report-event` with a content: it is kept and handed to the sponsor. Throws Refusal. */
export async function reportEvent(ports: EntryPorts, request: FhirRequest, trial: string): Promise<FhirResponse> {
  const { plain, exact } = resourceBody(request);
  const event = demandResource(exact, 'event', 'AdverseEvent');
  const { sponsor } = (await demandTrial(ports, trial)).trial.parties;
  const reported = { ...objectOf(givenOf(plain).text('request')), trial };
  const asked = parsed(() => parseReportedEvent(reported, 'request'));
  return entered(await ports.entering.report({ actor: request.actor, sponsor, event }, asked));
}

/** `$submit-event` with a report: it is kept and handed to every regulator of the trial, who acknowledge it. Throws Refusal. */
export async function submitEvent(ports: EntryPorts, request: FhirRequest, trial: string): Promise<FhirResponse> {
  const { plain, exact } = resourceBody(request);
  const report = demandResource(exact, 'report', 'AdverseEvent');
  const { trial: known, events } = await demandTrial(ports, trial);
  const { event, n } = parsed(() =>
    parseSubmittedEvent({ ...objectOf(givenOf(plain).text('request')), trial }, 'request'),
  );
  const told = events.find((each) => each.event === event && each.n === n);
  if (told === undefined) throw new Refusal('not-found', 'unknown-event', 'there is no such event');
  const { regulators: to } = known.parties;
  const place = { trial, participant: told.participant, event, n };
  return entered(await ports.entering.submit({ actor: request.actor, to, report }, place));
}

function entered({ commit, commitments, isHandedOver }: Entered): FhirResponse {
  const told = [
    ...commitments.map((valueString) => ({ name: 'commitment', valueString })),
    { name: 'handedOver', valueBoolean: isHandedOver },
  ];
  return { ...ok(told), headers: committed(commit) };
}
