/** Who puts in quarantine and releases, and what is taken along out of a container. Pure. */
import type { Refusal } from '../lib/refusal';
import { commitmentOf, type Item, type Lot, type Quarantine, type QuarantineRecord, refuse } from './api';
import { type Party, QUALITY } from './lots';

/** What a quarantine is judged on. */
interface QuarantineKnown {
  /** As it is in effect: what lies in a container is in the hands of whoever holds the outermost one. */
  readonly item: Item | Refusal;
  readonly lot?: Lot | undefined;
  readonly record?: QuarantineRecord | undefined;
}

/** Puts an item or lot in quarantine, or releases it: each of those who put it there for itself, or the regulator. */
export function quarantine(
  request: Quarantine,
  party: Party,
  known: QuarantineKnown,
  now: string,
): QuarantineRecord | Refusal {
  const { record } = known;
  if (record?.standing === 'condemned') return refuse('condemned', 'two persons decided to destroy it');
  const held = record?.standing === 'held' ? record : undefined;
  return request.standing === 'released'
    ? released(held, party, now)
    : heldToo(request, party, { ...known, held }, now);
}

function heldToo(
  request: Quarantine,
  party: Party,
  known: QuarantineKnown & { readonly held: QuarantineRecord | undefined },
  now: string,
): QuarantineRecord | Refusal {
  const { held } = known;
  const { member } = party;
  if (held !== undefined && byHand(held).includes(member)) {
    return refuse('quarantine-standing', 'it is in quarantine');
  }
  const problem = notTheirsToHold(request, party, known);
  if (problem !== undefined) return problem;
  if (held === undefined) return { id: request.id, standing: 'held', by: member, at: now };
  // A second hold is one of its own: who put the first one there does not release it.
  return { ...held, also: [...(held.also ?? []), member] };
}

function notTheirsToHold(
  request: Quarantine,
  { isRegulator, member }: Party,
  known: { readonly item: Item | Refusal; readonly lot?: Lot | undefined },
): Refusal | undefined {
  if (request.of === 'lot' && known.lot === undefined) return refuse('unknown-lot', 'no lot has this id');
  if (request.of === 'item' && known.item instanceof Error) return known.item;
  if (isRegulator || isTheirs(request, member, known)) return undefined;
  return refuse('not-yours', 'a holder puts its own in quarantine, an issuer its lot, the regulator anything');
}

function released(record: QuarantineRecord | undefined, party: Party, now: string): QuarantineRecord | Refusal {
  if (record === undefined) return refuse('quarantine-standing', 'it is not in quarantine');
  if (!QUALITY.includes(party.role)) return refuse('not-your-role', `only these roles release: ${QUALITY.join(', ')}`);
  const { member, isRegulator } = party;
  if (!isRegulator && !holdersOf(record).includes(member)) {
    return refuse('quarantine-not-yours', 'whoever put it in quarantine releases it, or the regulator');
  }
  if (record.excursion !== undefined) {
    return refuse('two-signatures', 'readings broke its limits: two persons decide what becomes of it');
  }
  const left = isRegulator ? [] : holdersOf(record).filter((each) => each !== member);
  return heldBy(record, left) ?? { id: record.id, standing: 'released', by: member, at: now };
}

function isTheirs(
  { of, salt }: Quarantine,
  member: string,
  { item, lot }: { readonly item: Item | Refusal; readonly lot?: Lot | undefined },
): boolean {
  if (of === 'lot') return lot?.issuer === member;
  return salt !== undefined && !(item instanceof Error) && item.holder === commitmentOf(member, salt);
}

function holdersOf({ by, also = [] }: QuarantineRecord): readonly string[] {
  return [by, ...also];
}

/** The quarantine by hand that is left where these go on holding; undefined where nobody does. */
export function heldBy({ id, at }: QuarantineRecord, [by, ...also]: readonly string[]): QuarantineRecord | undefined {
  if (by === undefined) return undefined;
  return { id, standing: 'held', by, at, ...(also.length === 0 ? {} : { also }) };
}

/**
 * What is in force over an item once it is out of its containers: its own quarantine and theirs, the strictest first; each
 * hold by hand stays one of its own. Undefined where nothing is added to its own.
 */
export function takenAlong(
  id: string,
  own: QuarantineRecord | undefined,
  above: readonly QuarantineRecord[],
): QuarantineRecord | undefined {
  const inForce = [...(own === undefined ? [] : [own]), ...above].filter(({ standing }) => standing !== 'released');
  const [first, ...others] = inForce.sort((one, two) => rank(two) - rank(one));
  const isOwnAlone = first === own && others.length === 0;
  return first === undefined || isOwnAlone || own?.standing === 'condemned' ? undefined : joined(id, first, others);
}

function joined(id: string, first: QuarantineRecord, others: readonly QuarantineRecord[]): QuarantineRecord {
  const { standing, by, at, excursion, signatures } = first;
  const holders = [...new Set([...(first.also ?? []), ...others.flatMap(byHand)])];
  const also = excursion === undefined ? holders.filter((each) => each !== by) : holders;
  return {
    ...{ id, standing, by, at },
    ...(also.length === 0 ? {} : { also }),
    ...(excursion === undefined ? {} : { excursion }),
    // Who signed for the container did not sign for each pack in it; what two persons condemned stays so.
    ...(standing === 'condemned' && signatures !== undefined ? { signatures } : {}),
  };
}

/** Who holds it other than for what was read of it. */
function byHand({ by, also = [], excursion }: QuarantineRecord): readonly string[] {
  return excursion === undefined ? [by, ...also] : also;
}

function rank({ standing, excursion }: QuarantineRecord): number {
  if (standing === 'condemned') return 2;
  return excursion === undefined ? 0 : 1;
}
