/** Data points: what each act makes of one, as data, and who signs. Pure. */
import type { Refusal } from '../lib/refusal';
import type { PointAct, PointRequest } from './acts';
import type { Parties, Protocol } from './protocol';
import type { Act, DelegateRecord, ParticipantRecord, PointRecord, PointState } from './records';
import { refuse } from './refusals';
import { delegation, signed, unlockers } from './signatures';

/** From which states an act leads, and to which; a change of content always leads back to open. */
const transitions: Readonly<
  Record<PointAct, { readonly from: readonly (PointState | 'none')[]; readonly to: PointState }>
> = {
  enter: { from: ['none'], to: 'open' },
  correct: { from: ['open', 'clean', 'verified', 'signed'], to: 'open' },
  query: { from: ['open', 'clean', 'verified', 'signed'], to: 'open' },
  propose: { from: ['open', 'clean', 'verified', 'signed'], to: 'open' },
  answer: { from: ['open'], to: 'open' },
  clean: { from: ['open'], to: 'clean' },
  verify: { from: ['clean'], to: 'verified' },
  sign: { from: ['verified'], to: 'signed' },
  freeze: { from: ['signed'], to: 'frozen' },
  'lock-point': { from: ['frozen'], to: 'locked' },
  'unlock-point': { from: ['frozen', 'locked'], to: 'open' },
};

/** Most queries open on one data point. */
export const MAX_QUERIES = 50;

const ofSite: readonly string[] = ['investigator', 'coordinator'];

/** What an act on a data point is judged by. */
export interface PointFacts {
  readonly channel: string;
  readonly parties: Parties;
  readonly schedule: Protocol['visits'];
  readonly participant: ParticipantRecord | undefined;
  readonly before: PointRecord | undefined;
  readonly there: PointRecord | undefined;
  readonly delegate: DelegateRecord | undefined;
  /** By their key ids: who signed, as far as on the delegation log. */
  readonly signers: ReadonlyMap<string, DelegateRecord>;
}

/** The next record of a data point's line. Refusals in order of precedence. */
export function actOnPoint(request: PointRequest, facts: PointFacts, act: Act): PointRecord | Refusal {
  const { participant, visit, form, n, act: what, delegate, reason, signatures } = request;
  const problem =
    whereProblem(request, facts, act) ?? stateProblem(request, facts) ?? signatureProblem(request, facts, act);
  if (problem !== undefined) return problem;
  const queries = queriesAfter(request, facts.before?.queries ?? []);
  if (!Array.isArray(queries)) return queries as Refusal;
  const commitment = contentOf(request, facts.before);
  if (commitment === undefined) return refuse('reason-missing', 'an entry brings a commitment, a change also a reason');
  return {
    ...{ participant, visit, form, n },
    act: what,
    state: transitions[what].to,
    commitment,
    delegate,
    queries: queries as readonly string[],
    ...(reason !== undefined && { reason }),
    ...(signatures !== undefined && { statements: signatures.map(({ statement }) => statement) }),
    ...act,
  };
}

function whereProblem({ visit, form }: PointRequest, facts: PointFacts, { by }: Act): Refusal | undefined {
  const { schedule, participant, delegate } = facts;
  if (participant === undefined) return refuse('not-enrolled', 'there is no such participant');
  if (ofSite.includes(by.role) && participant.site !== by.member) {
    return refuse('not-your-participant', "another site's participant");
  }
  if (schedule.find(({ id }) => id === visit)?.forms.includes(form) !== true) {
    return refuse('not-in-schedule', 'the protocol in force has no such form at this visit');
  }
  return delegation(delegate, by);
}

function stateProblem({ n, act }: PointRequest, { before, there }: PointFacts): Refusal | undefined {
  if (there !== undefined || (n > 1 && before === undefined)) {
    return refuse('point-out-of-line', 'send the next number of this data point');
  }
  const { state = 'none', queries = [] } = before ?? {};
  const { from } = transitions[act];
  if (!from.includes(state)) return refuse('point-state', `${act} leads from: ${from.join(', ')}`);
  return act === 'clean' && queries.length > 0 ? refuse('query-open', 'a query is open') : undefined;
}

/** How many people sign an act. */
const signaturesOf: Readonly<Record<string, number>> = { sign: 1, 'unlock-point': 2 };

/** What is signed: this record as it stands, so that no signature can be moved to another. */
function signatureProblem(request: PointRequest, facts: PointFacts, { at, by }: Act): Refusal | undefined {
  const { act, signatures = [], trial, participant, visit, form, n, reason } = request;
  const stranger = signerProblem(request, facts, by);
  if (stranger !== undefined) return stranger;
  const { channel, before, signers } = facts;
  const about = { channel, trial, participant, visit, form, n };
  const content = { ...about, commitment: before?.commitment, meaning: act, reason };
  return signatures
    .map((signature) => signed(signature, signers.get(signature.kid), content, at))
    .find((problem) => problem !== undefined);
}

function signerProblem(
  { act, signatures = [], delegate }: PointRequest,
  { signers, parties }: PointFacts,
  by: Act['by'],
): Refusal | undefined {
  const needed = signaturesOf[act] ?? 0;
  if (new Set(signatures.map(({ kid }) => kid)).size !== needed || signatures.length !== needed) {
    return refuse('two-signatures', 'sign takes one signature, unlock-point two, other acts none');
  }
  if (act === 'unlock-point') return unlockers(signatures, signers, by, parties);
  return act === 'sign' && signatures[0]?.kid !== delegate ? refuse('not-delegated', 'sign for yourself') : undefined;
}

function queriesAfter({ act, query }: PointRequest, open: readonly string[]): readonly string[] | Refusal {
  if (act === 'query' || act === 'propose') return withQuery(query, open);
  if (act !== 'answer') return open;
  if (query === undefined || !open.includes(query)) return refuse('unknown-query', 'no such query is open');
  return open.filter((id) => id !== query);
}

function withQuery(query: string | undefined, open: readonly string[]): readonly string[] | Refusal {
  if (query === undefined || open.includes(query) || open.length >= MAX_QUERIES) {
    return refuse('unknown-query', `a query has an id of its own; at most ${MAX_QUERIES} are open`);
  }
  return [...open, query];
}

/** The content's commitment after the act; undefined where it or the reason for it is missing. */
function contentOf({ act, commitment, reason }: PointRequest, before: PointRecord | undefined): string | undefined {
  if (act === 'enter') return commitment;
  const needsReason = act === 'correct' || act === 'unlock-point';
  if (needsReason && reason === undefined) return undefined;
  return act === 'correct' ? commitment : before?.commitment;
}
