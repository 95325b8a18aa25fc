/** What is asked of a kit of the treatment, from shipment to reconciliation. */
import { code, hex256, integer, object, oneOf, optional } from '../lib/schema';
import { MAX_LINE } from './acts';
import { prose } from './protocol';
import type { OpenedPack } from './kit-records';

/** Most units in one kit. */
export const MAX_KIT_UNITS = 10_000;

/** Acts on a kit; each is an action of the rights table. */
export const kitActs = [
  ...(['ship-kit', 'receive-kit', 'excursion-kit', 'release-kit'] as const),
  ...(['dispense-kit', 'return-kit', 'reconcile-kit', 'open-kit'] as const),
] as const;
/** One of `kitActs`. */
export type KitAct = (typeof kitActs)[number];

const units = integer(0, MAX_KIT_UNITS);
const number = integer(1, MAX_LINE);

/** Parser of KitRequest. */
export const parseKit = object({
  trial: code,
  kit: code,
  n: number,
  act: oneOf(...kitActs),
  /** Key id, on the delegation log, of who does it. */
  delegate: code,
  /** With ship-kit: whose list names the kit, where it goes, and a salted commitment of lot and pack. */
  stratum: optional(code),
  site: optional(code),
  pack: optional(hex256),
  /** With ship-kit what is in it, with return-kit what came back, with reconcile-kit what was counted. */
  units: optional(units),
  /** With dispense-kit: to whom, and the number of the newest consent. */
  participant: optional(code),
  consent: optional(number),
  /** With excursion-kit: salted commitment of the logger's readings. */
  excursion: optional(hex256),
  reason: optional(prose),
  /** With open-kit. */
  opened: optional(object<OpenedPack>({ lot: code, item: optional(code), salt: hex256 })),
});
/** An act on a kit. */
export type KitRequest = ReturnType<typeof parseKit>;
