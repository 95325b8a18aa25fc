/** All that is known of how a pack or container was kept, with what proves it: for whoever releases or destroys it. */
import {
  type Climate,
  meanKineticTemperature,
  type QuarantineRecord,
  STORAGE_BOUNDS,
  type StorageLimits,
} from '@salus/chaincode/supply/api';

import { publicRecord } from '../project.js';
import { type IssuerPorts, knownItem } from '../packs/issuer.js';
import type { ShelfPorts } from '../packs/shelf.js';
import { statusOf } from '../packs/status.js';
import type { ColdPorts } from './cold-chain.js';
import { type BlockPorts, batchesOnLedger } from './on-ledger.js';
import { plotOf } from './plot.js';
import { digestOf, inTime, type ReadBatch } from './readings.js';

/** Where evidence is looked up. */
export interface EvidencePorts extends IssuerPorts {
  readonly ledger: Pick<ColdPorts['ledger'], 'evaluate'> & BlockPorts['ledger'];
  readonly projection: ShelfPorts['projection'];
  /** FHIR instant. */
  readonly now: () => string;
}

/** One batch as the logger signed it, and what it comes to. */
export interface BatchEvidence extends Omit<ReadBatch, 'readings'> {
  /** Compact JWS: holds the readings, in thousandths of a degree Celsius. */
  readonly signed: string;
  /** Its SHA-256, as the ledger's chain has it. */
  readonly digest: string;
  readonly count: number;
  /** Thousandths of a degree Celsius. */
  readonly least: number;
  readonly most: number;
  readonly meanKinetic: number;
}

/** The evidence pack. */
export interface Evidence {
  readonly epc: string;
  /** The ledger's id of it. */
  readonly item: string;
  readonly made: string;
  readonly lot?: { readonly gtin: string; readonly batch: string; readonly expiry: string } | undefined;
  readonly storage?: StorageLimits | undefined;
  readonly batches: readonly BatchEvidence[];
  /** What the ledger holds: minutes outside, chain over the batches, quarantine and signatures. */
  readonly climate?: Climate | undefined;
  readonly quarantine?: QuarantineRecord | undefined;
  /** Whether these batches are all that the ledger's chain was made of. */
  readonly isWhole: boolean;
  /** SVG. */
  readonly plot: string;
}

/** Makes the evidence pack of a pack or container by its canonical EPC. Throws Refusal for what nobody committed. */
export async function evidenceOf(ports: EvidencePorts, epc: string): Promise<Evidence> {
  const known = await knownItem(ports, epc);
  const { item, terms } = known;
  const { lot } = await statusOf(ports.ledger, known);
  const climate = publicRecord(ports.projection, `climate/${item}`) as Climate | undefined;
  const batches = await batchesOf(ports, item, climate?.chain ?? '');
  const bounds = lot?.storage === undefined ? [] : STORAGE_BOUNDS[lot.storage.kind];
  return {
    epc,
    item,
    made: ports.now(),
    lot: terms && { gtin: terms.gtin, batch: terms.batch, expiry: terms.expiry },
    storage: lot?.storage,
    batches: batches.map(shown),
    climate,
    quarantine: publicRecord(ports.projection, `quarantine/${item}`) as QuarantineRecord | undefined,
    isWhole: chainOf(batches) === (climate?.chain ?? ''),
    plot: plotOf(
      batches,
      bounds.map((limit) => limit / 1_000),
    ),
  };
}

type KeptBatch = ReturnType<typeof inTime>[number];

/** As they were kept here or came with a shipment; where some are missing, as the ledger's blocks have them. */
async function batchesOf(ports: EvidencePorts, item: string, chain: string): Promise<readonly KeptBatch[]> {
  const kept = inTime(ports.shelf.readings(item));
  return chainOf(kept) === chain ? kept : inTime(await batchesOnLedger(ports, item));
}

/** In the order in which they were brought to the ledger, which is that of time. */
function chainOf(batches: readonly KeptBatch[]): string {
  return batches.reduce((before, { digest }) => digestOf(before + digest), '');
}

function shown({ readings, ...batch }: KeptBatch): BatchEvidence {
  const [least, most] = [readings.reduce((a, b) => Math.min(a, b)), readings.reduce((a, b) => Math.max(a, b))];
  return { ...batch, count: readings.length, least, most, meanKinetic: meanKineticTemperature(readings) };
}
