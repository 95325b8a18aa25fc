/** Lots, containers, recalls, fills, captures and alerts: what is allowed. Pure. */
import type { Refusal } from '../lib/refusal';
import {
  type Alert,
  type AllowFill,
  type AnchorCapture,
  type AuthorisePrefix,
  type Capture,
  type CommitLot,
  commitmentOf,
  type Fill,
  type Item,
  type Lot,
  MAX_DEPTH,
  type PackContainer,
  type PrefixAuthority,
  type RaiseAlert,
  type Recall,
  refuse,
  type RequestTrace,
  type ResolveAlert,
  type Trace,
} from './api';

/** The member that calls, the person it vouches for, and what the registry says of it. */
export interface Party {
  readonly member: string;
  readonly role: string;
  /** GS1 company prefixes licensed to it. */
  readonly prefixes: readonly string[];
  readonly isRegulator: boolean;
}

/** Roles that recall, release and look into alerts. */
export const QUALITY: readonly string[] = ['quality-officer', 'regulator'];

/** The licensee of a prefix authorises another member, or ends it. */
export function authorise(request: AuthorisePrefix, party: Party, now: string): PrefixAuthority | Refusal {
  if (!party.prefixes.includes(request.prefix)) {
    return refuse('not-licensee', 'only the licensee of a company prefix, by the registry, authorises others');
  }
  return { ...request, licensee: party.member, changed: now };
}

/** One write for all units of a lot. */
export function commit(
  request: CommitLot,
  party: Party,
  known: { readonly lot?: Lot | undefined; readonly authority?: PrefixAuthority | undefined },
  now: string,
): Lot | Refusal {
  const isEntitled = party.prefixes.includes(request.prefix) || known.authority?.standing === 'authorised';
  if (!isEntitled) {
    return refuse('not-licensee', 'only the licensee of the company prefix, or whom it authorised, commits its lots');
  }
  if (known.lot !== undefined) return refuse('lot-exists', 'this lotId is taken: draw a new one');
  if (request.expiry < now.slice(0, 10)) return refuse('lot-expired', 'the last day of this lot is over');
  return { ...request, issuer: party.member, committed: now };
}

/** What packing is judged on. */
interface Packing {
  readonly container?: Item | undefined;
  readonly lots: readonly Lot[];
  readonly moved: readonly Item[];
  /** Whether any of what is moved is in quarantine. */
  readonly isQuarantined: boolean;
}

/** Packs a new container: its own record, and those of the children that have one. */
export function pack(request: PackContainer, member: string, known: Packing): readonly Item[] | Refusal {
  if (known.container !== undefined) return refuse('container-exists', 'this container was packed before');
  const problem = unknownLots(request, known.lots) ?? notTheirs(request, member, known.moved);
  if (problem !== undefined) return problem;
  if (known.isQuarantined) return refuse('quarantined', 'what is in quarantine is not packed: it would leave unseen');
  const depth = Math.max(0, ...known.moved.map((child) => child.depth)) + 1;
  if (depth > MAX_DEPTH) return refuse('too-deep', `at most ${MAX_DEPTH} containers lie inside one another`);
  if (request.children.others && known.lots.some(({ issuer }) => issuer !== member)) {
    return refuse('forged-parent', 'units without a record of their own are packed by the issuer of their lot alone');
  }
  const { container: id, children, lots } = request;
  const { root } = children;
  const owner = commitmentOf(member, request.salt);
  const made: Item = {
    id,
    isUnit: false,
    lots,
    state: 'active',
    owner,
    holder: owner,
    depth,
    children: { root },
    packer: member,
  };
  return [made, ...known.moved.map((child) => ({ ...child, parent: id }))];
}

function unknownLots({ lots, children, moved }: PackContainer, known: readonly Lot[]): Refusal | undefined {
  if (new Set(known.map(({ lotId }) => lotId)).size !== lots.length) {
    return refuse('unknown-lot', 'name each lot inside once; each must have been committed');
  }
  return moved.length === 0 && !children.others
    ? refuse('incomplete-act', 'a container holds something: what is moved, or others')
    : undefined;
}

function notTheirs({ lots, moved }: PackContainer, member: string, children: readonly Item[]): Refusal | undefined {
  if (children.length !== moved.length || new Set(moved.map(({ item }) => item)).size !== moved.length) {
    return refuse('unknown-item', 'each child that is moved has a record and is named once');
  }
  for (const [index, child] of children.entries()) {
    const problem = unfitChild(child, commitmentOf(member, moved[index]?.salt ?? ''), lots);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function unfitChild(child: Item, opened: string, lots: readonly string[]): Refusal | undefined {
  if (child.owner !== opened || child.holder !== opened)
    return refuse('not-yours', 'a child is not the calling member’s');
  if (child.state !== 'active' || child.parent !== undefined) {
    return refuse('not-in-possession', 'a child is not in stock, or lies in another container: unpack it first');
  }
  const isListed = child.lots.every((lot) => lots.includes(lot));
  return isListed ? undefined : refuse('unknown-lot', 'a child is of a lot that the container does not name');
}

/** Recalls a lot for good. */
export function recall(lot: Lot | undefined, party: Party, known: Recall | undefined, now: string): Recall | Refusal {
  if (!QUALITY.includes(party.role)) return refuse('not-your-role', `only these roles recall: ${QUALITY.join(', ')}`);
  if (lot === undefined) return refuse('unknown-lot', 'no lot has this id');
  const isTheirs = lot.issuer === party.member || party.prefixes.includes(lot.prefix);
  if (!isTheirs && !party.isRegulator) {
    return refuse('not-yours', 'a lot is recalled by its issuer, the licensee of its company prefix or the regulator');
  }
  if (known !== undefined) return refuse('already-recalled', 'this lot is recalled');
  return { lotId: lot.lotId, by: party.member, at: now };
}

/** A fill that a prescription allows, once. */
export function allowFill({ fill }: AllowFill, known: Fill | undefined, now: string): Fill | Refusal {
  return known === undefined ? { fill, allowed: now } : refuse('fill-exists', 'this fill is taken: draw a new one');
}

/** A fill is spent once. */
export function spend(fill: Fill | undefined, now: string): Fill | Refusal {
  if (fill === undefined) return refuse('unknown-fill', 'no prescription allows this fill');
  return fill.spent === undefined ? { ...fill, spent: now } : refuse('fill-spent', 'this fill was dispensed before');
}

/** A fill is allowed again, as the dispense that spent it is undone. */
export function giveBack(fill: Fill | undefined): Fill | Refusal {
  if (fill === undefined) return refuse('unknown-fill', 'no prescription allows this fill');
  return { fill: fill.fill, allowed: fill.allowed };
}

/** The root over one capture's events, for good. */
export function anchor(
  request: AnchorCapture,
  member: string,
  known: Capture | undefined,
  now: string,
): Capture | Refusal {
  return known === undefined
    ? { ...request, member, at: now }
    : refuse('capture-exists', 'this captureId is taken: draw a new one');
}

/** A regulator's request is on record before any member is asked. */
export function trace(request: RequestTrace, party: Party, known: Trace | undefined, now: string): Trace | Refusal {
  if (!party.isRegulator || party.role !== 'regulator') {
    return refuse('not-a-regulator', 'only a regulator’s people trace products across members');
  }
  if (known !== undefined) return refuse('trace-exists', 'this traceId is taken: draw a new one');
  return { ...request, by: party.member, at: now };
}

/** A suspicion: one for each item, kind and member, however often it scans. */
export function raise(request: RaiseAlert, member: string, known: Alert | undefined, now: string): Alert | Refusal {
  if (known !== undefined) return refuse('alert-known', 'this member raised this alert before');
  return { ...request, raisedBy: member, raised: now, state: 'open' };
}

/**
 * Triage by quality officers of whoever raised it, of the issuer of the pack's lot, and by the regulator; what is closed
 * stays closed. Any other member may be the one that it is about.
 */
export function resolve(
  request: ResolveAlert,
  party: Party,
  known: Alert | undefined,
  lots: readonly Lot[],
): Alert | Refusal {
  if (!QUALITY.includes(party.role))
    return refuse('not-your-role', `only these roles look into alerts: ${QUALITY.join(', ')}`);
  if (known === undefined) return refuse('unknown-alert', 'no such alert was raised');
  if (known.state === 'confirmed' || known.state === 'false-alarm')
    return refuse('alert-closed', 'this alert is closed');
  const stranger = party.isRegulator ? undefined : notTheirsToResolve(party, known, lots);
  if (stranger !== undefined) return stranger;
  return { ...known, state: request.state, grade: request.grade, owner: known.owner ?? party.member };
}

function notTheirsToResolve({ member }: Party, { raisedBy, owner }: Alert, lots: readonly Lot[]): Refusal | undefined {
  if (raisedBy !== member && !lots.some(({ issuer }) => issuer === member)) {
    return refuse('not-yours', 'whoever raised it looks into it, the issuer of the lot, or the regulator');
  }
  const isAnothers = owner !== undefined && owner !== member;
  return isAnothers ? refuse('not-yours', 'another member looks into this alert') : undefined;
}
