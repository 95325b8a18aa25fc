/** Accountability of kits: what each act makes of one, as data. Pure. */
import { digest } from '../lib/canonical';
import type { Refusal } from '../lib/refusal';
import type { KitAct, KitRequest } from './kit-acts';
import type { KitRecord, KitState, OpenedPack } from './kit-records';
import type { Act, DelegateRecord, ListRecord, ParticipantRecord } from './records';
import { refuse } from './refusals';
import { delegation } from './signatures';

const sent: readonly KitState[] = ['shipped', 'received', 'quarantined', 'dispensed', 'returned', 'reconciled'];

/** From which states an act leads, and to which; absent = it stays as it is. */
const transitions: Readonly<Record<KitAct, { readonly from: readonly (KitState | 'none')[]; readonly to?: KitState }>> =
  {
    'ship-kit': { from: ['none'], to: 'shipped' },
    'receive-kit': { from: ['shipped'], to: 'received' },
    'excursion-kit': { from: ['received'], to: 'quarantined' },
    'release-kit': { from: ['quarantined'], to: 'received' },
    'dispense-kit': { from: ['received'], to: 'dispensed' },
    'return-kit': { from: ['received', 'quarantined', 'dispensed'], to: 'returned' },
    'reconcile-kit': { from: ['returned'], to: 'reconciled' },
    'open-kit': { from: sent },
  };

/** What an act on a kit is judged by. */
export interface KitFacts {
  readonly before: KitRecord | undefined;
  readonly there: KitRecord | undefined;
  readonly delegate: DelegateRecord | undefined;
  /** With ship-kit: the list of the stratum named, and the sites of the trial. */
  readonly list: ListRecord | undefined;
  readonly sites: readonly string[];
  /** With dispense-kit: who was allocated. */
  readonly participant: ParticipantRecord | undefined;
  /** With open-kit: whether the supply chain has the lot. */
  readonly isLot: boolean;
}

/** The next record of a kit's line. Refusals in order of precedence. */
export function actOnKit(request: KitRequest, facts: KitFacts, act: Act): KitRecord | Refusal {
  const problem = lineProblem(request, facts) ?? delegation(facts.delegate, act.by);
  if (problem !== undefined) return problem;
  const { before } = facts;
  if (before === undefined) return shipped(request, facts, act);
  const changed = changes[request.act](request, before, facts, act);
  if ('category' in changed) return changed;
  const { n, act: what, delegate, reason } = request;
  const state = transitions[what].to ?? before.state;
  return { ...before, ...changed, n, act: what, state, delegate, reason, ...act };
}

function lineProblem({ n, act }: KitRequest, { before, there }: KitFacts): Refusal | undefined {
  if (there !== undefined || (n > 1 && before === undefined)) {
    return refuse('kit-out-of-line', 'send the next number of this kit');
  }
  const { from } = transitions[act];
  if (from.includes(before?.state ?? 'none')) return undefined;
  return refuse('kit-state', `${act} leads from: ${from.join(', ')}`);
}

function shipped(request: KitRequest, { list, sites }: KitFacts, act: Act): KitRecord | Refusal {
  const { kit, n, act: what, delegate, stratum, site, pack, units = 0 } = request;
  if (list === undefined || stratum === undefined || !list.kits.includes(kit)) {
    return refuse('unknown-kit', 'the list of this stratum names no such kit');
  }
  if (site === undefined || !sites.includes(site)) return refuse('kit-elsewhere', 'a kit goes to a site of the trial');
  if (pack === undefined || units === 0) {
    return refuse('kit-incomplete', 'ship-kit says how many units, and commits to lot and pack');
  }
  return { kit, n, act: what, state: 'shipped', stratum, site, pack, units, delegate, ...act };
}

type Changed = Partial<KitRecord> | Refusal;
type Change = (request: KitRequest, before: KitRecord, facts: KitFacts, act: Act) => Changed;

/** What each act adds to the record. */
const changes: Readonly<Record<KitAct, Change>> = {
  'ship-kit': () => refuse('kit-out-of-line', 'a kit is shipped once'),
  'receive-kit': (_request, before, _facts, act) => atSite(before, act) ?? {},
  'excursion-kit': ({ excursion }, before, _facts, act) =>
    atSite(before, act) ??
    (excursion === undefined ? refuse('kit-incomplete', 'excursion-kit commits to the readings') : { excursion }),
  'release-kit': ({ reason }) =>
    reason === undefined ? refuse('reason-missing', 'who releases a kit after an excursion says why') : {},
  'dispense-kit': ({ participant }, before, facts, act) =>
    atSite(before, act) ?? notAssigned(participant, before, facts, act) ?? { participant: participant ?? '' },
  'return-kit': ({ units }, before, _facts, act) =>
    atSite(before, act) ?? countProblem(units, before) ?? { returned: units ?? 0 },
  'reconcile-kit': ({ units, reason }, before) =>
    countProblem(units, before) ?? unexplained(units, reason, before) ?? { counted: units ?? 0 },
  'open-kit': ({ opened }, before, { isLot }) => openedPack(opened, before, isLot),
};

function atSite({ site }: KitRecord, { by }: Act): Refusal | undefined {
  return site === by.member ? undefined : refuse('kit-elsewhere', 'the kit was shipped to another site');
}

function notAssigned(
  participant: string | undefined,
  { kit }: KitRecord,
  { participant: enrolled }: KitFacts,
  { by }: Act,
): Refusal | undefined {
  const isAssigned = participant !== undefined && enrolled?.kit === kit && enrolled.site === by.member;
  return isAssigned ? undefined : refuse('kit-not-assigned', 'a kit is dispensed to whom it is assigned, at that site');
}

function countProblem(units: number | undefined, before: KitRecord): Refusal | undefined {
  if (units !== undefined && units <= before.units) return undefined;
  return refuse('kit-count', `say how many units, at most the ${before.units} that were shipped`);
}

function unexplained(units: number | undefined, reason: string | undefined, before: KitRecord): Refusal | undefined {
  if (units === before.returned || reason !== undefined) return undefined;
  return refuse('reason-missing', 'a count that differs from what was returned needs a reason');
}

function openedPack(opened: OpenedPack | undefined, { pack, opened: known }: KitRecord, isLot: boolean): Changed {
  if (known !== undefined) return refuse('kit-out-of-line', 'this kit is opened');
  if (opened === undefined || digest(opened) !== pack) {
    return refuse('reveal-mismatch', 'lot, pack and salt must be those that were committed to at shipment');
  }
  return isLot ? { opened } : refuse('unknown-lot', 'the supply chain has no such lot');
}
