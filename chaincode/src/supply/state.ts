import { kind } from '../lib/kind';
import type {
  Alert,
  Capture,
  Climate,
  Fill,
  Item,
  Logger,
  Lot,
  PrefixAuthority,
  QuarantineRecord,
  Recall,
  ShipmentException,
  Trace,
} from './api';

/** lot/<lotId>: one write for all of a lot's units. */
export const lotKind = kind<Lot>('lot', 'public', 'lotId');
/** item/<id>: a unit since its first individual act, or a container. */
export const itemKind = kind<Item>('item', 'public', 'id');
/** prefix/<prefix>/<member>: who may issue lots under another's company prefix. */
export const prefixKind = kind<PrefixAuthority>('prefix', 'public', 'prefix', 'member');
/** recall/<lotId>: never changed. */
export const recallKind = kind<Recall>('recall', 'public', 'lotId');
/** quarantine/<item or lot>. */
export const quarantineKind = kind<QuarantineRecord>('quarantine', 'public', 'id');
/** logger/<kid>: who signs readings. */
export const loggerKind = kind<Logger>('logger', 'public', 'kid');
/** climate/<item>: what the loggers of its holders read so far. */
export const climateKind = kind<Climate>('climate', 'public', 'item');
/** fill/<256 random bits>. */
export const fillKind = kind<Fill>('fill', 'public', 'fill');
/** capture/<captureId>: root over the hashes of the events of one capture. */
export const captureKind = kind<Capture>('capture', 'public', 'captureId');
/** alert/<item>/<kind>/<member>: repeated scans of one member make one. */
export const alertKind = kind<Alert>('alert', 'public', 'item', 'kind', 'member');
/** exception/<exceptionId>: of a shipment. */
export const exceptionKind = kind<ShipmentException>('exception', 'public', 'exceptionId');
/** trace/<traceId>: a regulator asked all members for a product. */
export const traceKind = kind<Trace>('trace', 'public', 'traceId');
