/**
 * Trials in FHIR, in front of the router: `GET PlanDefinition/{trial}`, `ResearchStudy/{trial}`, `.../$outcome-diff` ..., and by
 * POST `ResearchStudy/$usdm-import`, `ResearchStudy/{trial}/$randomize`, `$unblind`, `$lock`, and every further act
 * (acts.ts). Bodies are Parameters. Who may do what is decided by the contracts.
 */
import { transactions } from '@salus/chaincode/trial/api';

import { readTick } from '../clock/ticker.js';
import { resourceBody } from '../fhir/body.js';
import type { JsonObject } from '../fhir/json.js';
import { outcomeOf } from '../fhir/outcome.js';
import type { Fhir, FhirRequest, FhirResponse } from '../fhir/request.js';
import { Refusal } from '../ledger/refusal.js';
import { actorBytes } from '../ledger/vouched.js';
import type { Actor, Commit, Ledger } from '../ports.js';
import { actCall, actOperations, objectOf } from './acts.js';
import { committed, done, ok, said } from './answered.js';
import { outcomeChanges } from './outcome-changes.js';
import { demandResource, givenOf, parameterOf, type Given } from '../fhir/parameters.js';
import { datasetParameters } from './dataset-operation.js';
import { keepDocument, usdmParameters } from './documents.js';
import { dueParameters } from './due.js';
import { exposedBy, exposedParameters } from './exposed.js';
import { declareEligible, enterPoint, type EntryPorts, reportEvent, submitEvent } from './entry-operations.js';
import { demandStaff, derivedFrom } from './faces.js';
import { formsGiven, keepForms } from './forms.js';
import { handOver } from './hand-over.js';
import { kitParameters, readKits } from './kits.js';
import { lockable, lockedParameters } from './locking.js';
import { keepName } from './names.js';
import { trialPackage } from './package.js';
import type { Randomizing } from './randomizing.js';
import { demandTrial, readTrial, worksIn } from './reading.js';
import { planDefinition } from './plan-definition.js';
import { researchStudy } from './research-study.js';
import { fileIn, registerImported } from './register.js';
import { unblind, type UnblindPorts } from './unblind.js';

/** What trials need of the gateway. */
export interface TrialPorts extends EntryPorts {
  readonly ledger: Pick<Ledger, 'submit' | 'evaluate'>;
  /** Asks another member's door. */
  readonly ask: UnblindPorts['ask'];
  readonly randomizing: Pick<Randomizing, 'randomize'>;
  /** Claims a person for a participant. */
  readonly claim: (actor: Actor, trial: string, given: Given) => Promise<Commit>;
  /** Waits for the block that the client last saw, where it names one. Throws Refusal. */
  readonly catchUp: (request: Pick<FhirRequest, 'headers'>) => Promise<void>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const PLAN_PATH = /^PlanDefinition\/([A-Za-z0-9.-]{1,64})$/;
const PATH = /^ResearchStudy\/(?:([A-Za-z0-9.-]{1,64})\/?)?(\$[a-z-]+)?$/;

/** The FHIR interface with the trials' operations in front of it. */
export function withTrials(fhir: Fhir, ports: TrialPorts): Fhir {
  return async (request) => {
    const [, trial, operation] = PATH.exec(request.path) ?? [];
    try {
      return (await answer(ports, request, trial, operation)) ?? (await fhir(request));
    } catch (error) {
      return (await recorded(fhir, request, error)) ?? { headers: {}, ...outcomeOf(error) };
    }
  };
}

/** While the ledger does not answer, a study that is no trial but part of the record is read as ever. */
async function recorded(fhir: Fhir, request: FhirRequest, error: unknown): Promise<FhirResponse | undefined> {
  if (request.method !== 'GET' || !(error instanceof Refusal && error.category === 'unavailable')) return undefined;
  const found = await fhir(request);
  return found.status < 400 ? found : undefined;
}

async function answer(
  ports: TrialPorts,
  request: FhirRequest,
  trial: string | undefined,
  operation: string | undefined,
): Promise<FhirResponse | undefined> {
  await ports.catchUp(request);
  const derived = (await derivedFrom(ports, request)) ?? (await plan(ports, request));
  if (derived !== undefined) return derived;
  const run = handlers[`${request.method} ${operation ?? ''}`.trim()] ?? actHandler(request.method, operation);
  if (run === undefined || (trial === undefined) !== (operation === '$usdm-import')) return undefined;
  ports.decision.allow(request.actor, 'ResearchStudy', 'operation');
  return await run(ports, request, trial ?? '');
}

/** `GET PlanDefinition/{trial}`; undefined where the ledger has no such trial. */
async function plan(ports: TrialPorts, { method, path, actor }: FhirRequest): Promise<FhirResponse | undefined> {
  const trial = method === 'GET' ? PLAN_PATH.exec(path)?.[1] : undefined;
  if (trial === undefined) return undefined;
  ports.decision.allow(actor, 'PlanDefinition', 'read');
  const view = await readTrial(ports.ledger, trial);
  return view && { status: 200, headers: {}, resource: planDefinition(view) as JsonObject };
}

type Handler = (ports: TrialPorts, request: FhirRequest, trial: string) => Promise<FhirResponse | undefined>;

const handlers: Readonly<Record<string, Handler>> = {
  GET: async (ports, _request, trial) => {
    const view = await readTrial(ports.ledger, trial);
    return view && { status: 200, headers: {}, resource: researchStudy(view) as JsonObject };
  },
  'GET $outcome-diff': async (ports, _request, trial) => ok(outcomeChanges(await demandTrial(ports, trial))),
  'GET $due': async (ports, _request, trial) =>
    ok(dueParameters(await demandTrial(ports, trial), await readTick(ports.ledger))),
  'GET $kits': async (ports, _request, trial) => ok(kitParameters(await readKits(ports.ledger, trial))),
  'GET $exposed': async (ports, { actor, query }, trial) => {
    const view = await demandTrial(ports, trial);
    const kits = await readKits(ports.ledger, trial);
    const asked = { actor, kits, lot: query.get('lot'), numbers: query.getAll('kit') };
    return ok(exposedParameters(exposedBy(ports, view, asked)));
  },
  'GET $dataset': async (ports, request, trial) => ok(await datasetParameters(ports, request, trial)),
  'GET $package': async (ports, { actor }, trial) =>
    ok([{ name: 'package', valueString: JSON.stringify(await trialPackage(ports, trial, actor)) }]),
  'GET $usdm-export': async (ports, request, trial) => ok(await usdmParameters(ports, trial, request)),
  'POST $usdm-import': importStudy,
  'POST $randomize': randomize,
  'POST $unblind': async (ports, request, trial) => {
    const given = givenOf(resourceBody(request).plain);
    const { commit, sealed } = await unblind(unblinding(ports, request.actor, trial), trial, given);
    const headers = commit === undefined ? {} : committed(commit);
    if (sealed !== undefined) return { ...ok([{ name: 'sealed', valueString: sealed }]), headers };
    return said('the unblinding is on record', headers);
  },
  'POST $claim': async ({ claim }, request, trial) => {
    const commit = await claim(request.actor, trial, givenOf(resourceBody(request).plain));
    return done(commit, 'the person is claimed for this participant');
  },
  'POST $enter': enterPoint,
  'POST $declare-eligible': withContent('answers', declareEligible),
  'POST $report-event': withContent('event', reportEvent),
  'POST $submit-event': withContent('report', submitEvent),
  'POST $hand-over': async (ports, request, trial) => {
    const participant = givenOf(resourceBody(request).plain).text('participant');
    const { sponsor } = (await demandTrial(ports, trial)).trial.parties;
    const { taken, missing } = await handOver(ports, { trial, participant, sponsor });
    return ok([
      { name: 'taken', valueInteger: taken },
      { name: 'missing', valueInteger: missing },
    ]);
  },
  'POST $form': async (ports, request, trial) => {
    const body = resourceBody(request).plain;
    const view = await demandTrial(ports, trial);
    demandStaff(ports, view, request.actor);
    await keepForms(ports, view, [demandResource(body, 'questionnaire', 'Questionnaire')]);
    return said('the form is kept here', {});
  },
  'POST $printed-name': async (ports, request, trial) => {
    if (!worksIn(ports.member, await demandTrial(ports, trial), request.actor)) {
      throw new Refusal('forbidden', 'not-a-party', 'who acts in the trial has a printed name there');
    }
    const kept = await keepName(ports, trial, givenOf(resourceBody(request).plain));
    return ok(Object.entries(kept).map(([name, valueString]) => ({ name, valueString })));
  },
  'GET $lock': async (ports, _request, trial) => ok(lockedParameters(await lockable(ports, trial))),
  'POST $lock': lock,
};

/** Names of all operations on trials, without `$`. */
export const trialOperations: readonly string[] = [
  ...new Set([
    ...Object.keys(handlers).flatMap((name) => name.split('$')[1] ?? []),
    ...[...actOperations.keys()].map((name) => name.slice(1)),
  ]),
];

/** Locks what is there now: the signature is of exactly that, as `GET $lock` told. */
async function lock(ports: TrialPorts, request: FhirRequest, trial: string): Promise<FhirResponse> {
  const given = givenOf(resourceBody(request).plain);
  const [reason, signature] = [given.text('reason'), objectOf(given.text('signature'))];
  const found = await lockable(ports, trial);
  const { root, points, acts } = found;
  const commit = await submit(ports, request.actor, transactions.lock, {
    trial,
    root,
    points,
    acts,
    reason,
    signature,
  });
  return { ...ok(lockedParameters(found)), headers: committed(commit) };
}

/** With a content in this parameter, it is kept and handed over; without, its commitment alone is put on record, like any act. */
function withContent(name: string, run: Handler): Handler {
  return async (ports, request, trial) => {
    const has = parameterOf(resourceBody(request).plain, name) !== undefined;
    const operation = PATH.exec(request.path)?.[2];
    return await (has ? run : actHandler(request.method, operation))?.(ports, request, trial);
  };
}

/** Every other act of the contracts, by its name. */
function actHandler(method: string, operation: string | undefined): Handler | undefined {
  const transaction = actOperations.get(operation ?? '');
  if (transaction === undefined || method !== 'POST') return undefined;
  return async ({ ledger }, { actor, ...request }, trial) => {
    const call = actCall(transaction, trial, givenOf(resourceBody({ actor, ...request }).plain));
    const transient = { ...call.transient, ...actorOf(actor) };
    return done(await ledger.submit({ ...call, transient }), `${transaction} is on record`);
  };
}

async function importStudy(ports: TrialPorts, request: FhirRequest): Promise<FhirResponse> {
  const body = resourceBody(request).plain;
  const given = givenOf(body);
  const forms = formsGiven(body);
  const file = fileIn(given.text('usdm'));
  const read = () => readTrial(ports.ledger, given.text('trial'));
  const commits: Commit[] = [];
  const send = async (transaction: string, asked: object): Promise<void> => {
    commits.push(await submit(ports, request.actor, transaction, asked));
  };
  const hashes = forms.map(({ id, questionnaire }) => ({ id, questionnaire }));
  const registered = await registerImported(given, ports.member, { file, read, send, forms: hashes });
  const view = await read();
  if (view !== undefined) {
    await keepDocument(ports, view, file);
    const resources = forms.map(({ resource }) => resource);
    await keepForms(ports, view, resources);
  }
  const last = commits.at(-1);
  return { ...ok([{ name: 'registered', valueInteger: registered }]), headers: last ? committed(last) : {} };
}

async function randomize(ports: TrialPorts, request: FhirRequest, trial: string): Promise<FhirResponse> {
  const given = givenOf(resourceBody(request).plain);
  const { kit } = await ports.randomizing.randomize(request.actor, trial, given);
  return ok([
    { name: 'participant', valueString: given.text('participant') },
    { name: 'kit', valueString: kit },
  ]);
}

function submit({ ledger }: TrialPorts, actor: Actor, transaction: string, asked: object): Promise<Commit> {
  return ledger.submit({ transaction, argument: JSON.stringify(asked), transient: actorOf(actor) });
}

function actorOf(actor: Actor): { readonly actor: Uint8Array } {
  return { actor: actorBytes(actor) };
}

function unblinding(ports: TrialPorts, actor: Actor, trial: string): UnblindPorts {
  const { ask } = ports;
  return { ask, view: () => demandTrial(ports, trial), submit: (name, asked) => submit(ports, actor, name, asked) };
}
