/** The life of packs as members' existing systems tell it, in EPCIS events sent to their gateways. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { Answer, TestNetwork } from '../support/network.js';

/** Company prefix of acme, in the consortium that the tests start. */
export const PREFIX = '9521003';
export const GTIN = '09521003000015';
export const BATCH = 'L-0815';
const CONTEXT = [
  'https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld',
  { cbvmda: 'urn:epcglobal:cbv:mda#' },
];
const PARTIES: Readonly<Record<string, string>> = {
  stmary: '9521001',
  northside: '9521002',
  acme: PREFIX,
  meridian: '9521004',
};
/** A member's party GLN as EPC URN. */
export const party = (member: string): string => `urn:epc:id:pgln:${PARTIES[member] ?? ''}.00000`;

/** One effect of an event on the ledger, as a capture's job shows it. */
export interface ShownEffect {
  readonly event: number;
  readonly act: string;
  readonly epc?: string;
  readonly state: string;
  readonly code?: string;
  readonly alert?: string;
  readonly excursion?: string;
  readonly handedOver?: boolean;
}

/** A pack as EPC URN. */
export const pack = (serial: number): string => `urn:epc:id:sgtin:${PREFIX}.000001.${serial}`;
/** A container as EPC URN. */
export const sscc = (reference: number): string => `urn:epc:id:sscc:${PREFIX}.${String(reference).padStart(10, '0')}`;

const event = (type: string, bizStep: string, more: object): object => ({
  type,
  eventTime: '2026-03-04T11:00:30.000+01:00',
  eventTimeZoneOffset: '+01:00',
  bizStep,
  ...more,
});

/** The events that tell a pack's life. */
export const tell = {
  commissioned: (serials: readonly number[], batch = BATCH) =>
    event('ObjectEvent', 'commissioning', {
      action: 'ADD',
      epcList: serials.map(pack),
      disposition: 'active',
      ilmd: { 'cbvmda:lotNumber': batch, 'cbvmda:itemExpirationDate': '2099-12-31' },
    }),
  packed: (container: string, children: readonly string[]) =>
    event('AggregationEvent', 'packing', { action: 'ADD', parentID: container, childEPCs: children }),
  unpacked: (container: string, children: readonly string[]) =>
    event('AggregationEvent', 'unpacking', { action: 'DELETE', parentID: container, childEPCs: children }),
  shipped: (epcs: readonly string[], to: string) =>
    event('ObjectEvent', 'shipping', {
      action: 'OBSERVE',
      epcList: epcs,
      disposition: 'in_transit',
      destinationList: [{ type: 'owning_party', destination: party(to) }],
    }),
  carried: (epcs: readonly string[], by: string) =>
    event('ObjectEvent', 'transporting', {
      action: 'OBSERVE',
      epcList: epcs,
      disposition: 'in_transit',
      destinationList: [{ type: 'possessing_party', destination: party(by) }],
    }),
  held: (epcs: readonly string[]) =>
    event('ObjectEvent', 'holding', { action: 'OBSERVE', epcList: epcs, disposition: 'non_sellable_other' }),
  sampled: (epcs: readonly string[], readPoint: string) =>
    event('ObjectEvent', 'sampling', {
      action: 'OBSERVE',
      epcList: epcs,
      disposition: 'inactive',
      readPoint: { id: readPoint },
    }),
  received: (epcs: readonly string[]) =>
    event('ObjectEvent', 'receiving', { action: 'OBSERVE', epcList: epcs, disposition: 'in_progress' }),
  dispensed: (epc: string, eventTime = '2026-03-05T09:00:00.000Z') => ({
    ...event('ObjectEvent', 'dispensing', { action: 'OBSERVE', epcList: [epc], disposition: 'dispensed' }),
    eventTime,
  }),
  recalled: (lot = BATCH) =>
    event('ObjectEvent', 'holding', {
      action: 'OBSERVE',
      disposition: 'recalled',
      quantityList: [{ epcClass: `urn:epc:class:lgtin:${PREFIX}.000001.${lot}` }],
    }),
};

/** A member's existing system, which knows EPCIS and the verification message and nothing else. */
export class TradeSystem {
  constructor(
    private readonly network: TestNetwork,
    private readonly member: string,
  ) {}

  /** Captures events and waits for the end of the job: what they did on the ledger. */
  async capture(role: string, ...eventList: readonly object[]): Promise<readonly ShownEffect[]> {
    return await this.effectsOf(role, await this.send(role, ...eventList));
  }

  /** Sends events: where the job is. */
  async send(role: string, ...eventList: readonly object[]): Promise<string> {
    const token = await this.network.token({ member: this.member, role });
    const headers = { 'content-type': 'application/json', accept: 'application/json' };
    const creationDate = '2026-03-06T00:00:00Z';
    const body = {
      '@context': CONTEXT,
      type: 'EPCISDocument',
      schemaVersion: '2.0',
      creationDate,
      epcisBody: { eventList },
    };
    const taken = await this.network.ask(this.member, '/epcis/capture', { method: 'POST', token, body, headers });
    if (taken.status !== 202) throw new Error(`${taken.status} ${taken.text}`);
    return taken.headers.get('location') ?? '';
  }

  /** Waits for the end of a job: what its events did on the ledger. */
  async effectsOf(role: string, location: string): Promise<readonly ShownEffect[]> {
    const token = await this.network.token({ member: this.member, role });
    const headers = { accept: 'application/json' };
    for (;;) {
      const { body: job } = await this.network.ask(this.member, location, { token, headers });
      if (job['running'] === false) {
        if (job['success'] !== true) throw new Error(JSON.stringify(job));
        return (job['effects'] ?? []) as readonly ShownEffect[];
      }
      await sleep(50);
    }
  }

  /** Asks what no event says, below `/supply`. */
  async ask(role: string, path: string, body?: object, user?: string): Promise<Answer> {
    const token = await this.network.token({ member: this.member, role, ...(user === undefined ? {} : { user }) });
    const headers = { accept: 'application/json', 'content-type': 'application/json' };
    return await this.network.ask(this.member, `/supply/${path}`, {
      token,
      headers,
      ...(body === undefined ? {} : { body }),
    });
  }

  /** Does what no event says: what became of each pack, by its code where it was refused. */
  async does(role: string, path: string, body: object, user?: string): Promise<readonly string[]> {
    const { status, text, body: answer } = await this.ask(role, path, body, user);
    if (status !== 200) throw new Error(`${status} ${text}`);
    return (answer['effects'] as readonly ShownEffect[]).map(({ state, code }) => code ?? state);
  }

  /** Verifies a scanned pack. */
  async verify(serial: string, lot = BATCH, exp = '991231'): Promise<Answer> {
    const token = await this.network.token({ member: this.member, role: 'pharmacist' });
    const headers = { accept: 'application/json' };
    return await this.network.ask(this.member, `/verify/gtin/${GTIN}/lot/${lot}/ser/${serial}?exp=${exp}`, {
      token,
      headers,
    });
  }
}
