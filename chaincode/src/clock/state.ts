import { kind } from '../lib/kind';
import type { Tick } from './api';

/** clock/now: the last tick. The one hot key; only the clock writes it. */
export const clockKind = kind<Tick>('clock', 'public', 'now');
/** The one attribute of the clock's key. */
export const NOW = 'now';
