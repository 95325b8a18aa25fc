import assert from 'node:assert/strict';

import { MAX_MASTER_ELEMENTS } from '@salus/gateway/supply/epcis/master-data';

import { type Answer, EpcisServer } from './epcis-server.js';
import { CONTEXT, documentOf, objectEvent } from './events.js';

const MDA = 'urn:epcglobal:cbv:mda#';
const DOCK = 'urn:epc:id:sgln:4012345.00011.7';
const GATE = 'urn:epc:id:sgln:4012345.00012.0';
const CLASS = 'urn:epc:class:lgtin:4012345.011111.L9';

/** A document that brings master data of one vocabulary. */
function bringing(type: string, elements: readonly object[], ...events: readonly object[]): Record<string, unknown> {
  const vocabularyList = [{ type, vocabularyElementList: elements }];
  return {
    ...documentOf(...events),
    '@context': [...CONTEXT, { cbvmda: MDA }],
    epcisHeader: { epcisMasterData: { vocabularyList } },
  };
}

const attributed = (id: string, attributes: Readonly<Record<string, unknown>>): object => ({
  id,
  attributes: Object.entries(attributes).map(([name, attribute]) => ({ id: name, attribute })),
});
const declinedAs = ({ status, json }: Answer): readonly unknown[] => {
  const { type } = json as { readonly type: string };
  return [status, type.replace('epcisException:', '')];
};
const vtype = (name: string): string => `urn:epcglobal:epcis:vtype:${name}`;

describe('master data that captures bring', () => {
  let server: EpcisServer;
  before(async () => {
    server = await EpcisServer.start();
    const serial = (number: number) => ({ epcList: [`urn:epc:id:sgtin:4012345.011111.${number}`] });
    const docked = objectEvent({ ...serial(1), bizLocation: { id: DOCK }, readPoint: { id: GATE } });
    const counted = objectEvent({
      epcList: [],
      quantityList: [{ epcClass: CLASS, quantity: 3 }],
      'example:port': 'https://example.org/port/9',
    });
    const sold = objectEvent({
      ...serial(3),
      destinationList: [{ type: 'owning_party', destination: 'urn:epc:id:pgln:4012345.00000' }],
    });
    await server.capture(documentOf(docked, counted, sold));
    const places = [
      attributed(DOCK, { [`${MDA}site`]: '4012345000115', 'cbvmda:sst': 201, 'cbvmda:address': { city: 'Fancy' } }),
      attributed(GATE, { 'cbvmda:sst': 204 }),
    ];
    await server.capture(bringing(vtype('BusinessLocation'), places));
    await server.capture(bringing(vtype('EPCClass'), [attributed(CLASS, { 'cbvmda:descriptionShort': 'Examplol' })]));
    const parties = [
      attributed('https://id.gs1.org/417/4012345000009', { 'cbvmda:countryCode': ['DE', 'AT'] }),
      attributed('https://example.org/port/9', { 'example:sea': true, 'example:none': null }),
    ];
    await server.capture(bringing(vtype('Party'), parties));
  });
  after(async () => {
    await server.close();
    assert.deepEqual(server.faults, []);
  });

  const QUERIES: Readonly<Record<string, string>> = {
    [`HASATTR_bizLocation=${MDA}site`]: 'docked',
    [`HASATTR_bizLocation=${MDA}ssa|${MDA}sst`]: 'docked',
    [`HASATTR_bizLocation=${MDA}address`]: 'docked',
    [`HASATTR_bizLocation=${MDA}ssa`]: '',
    // The gate is known as a business location, not as a read point.
    [`HASATTR_readPoint=${MDA}sst`]: '',
    [`EQATTR_bizLocation_${MDA}site=4012345000115`]: 'docked',
    [`EQATTR_bizLocation_${MDA}sst=200|201`]: 'docked',
    [`EQATTR_bizLocation_${MDA}sst=202`]: '',
    [`EQATTR_bizLocation_${MDA}address=Fancy`]: '',
    [`EQATTR_epcClass_${MDA}descriptionShort=Examplol`]: 'counted',
    [`EQATTR_destination_${MDA}countryCode=AT`]: 'sold',
    [`EQATTR_source_${MDA}countryCode=AT`]: '',
    'EQATTR_example:port_example:sea=true': 'counted',
    'HASATTR_example:port=example:sea': 'counted',
    'HASATTR_example:port=example:none': '',
    [`EQATTR_bizLocation_${MDA}site=4012345000115&EQ_bizStep=packing`]: '',
  };
  const events = async (query: string): Promise<string> => {
    const pairs = query.split('&').map((pair) => pair.split(/=(.*)/s).map(encodeURIComponent).slice(0, 2).join('='));
    const found = await server.events(`?${pairs.join('&')}`);
    const nameOf = (each: Record<string, unknown>): string => {
      if (each['bizLocation'] !== undefined) return 'docked';
      return each['quantityList'] === undefined ? 'sold' : 'counted';
    };
    return found.map(nameOf).join(' ');
  };

  for (const [query, expected] of Object.entries(QUERIES)) {
    it(`finds ${expected === '' ? 'nothing' : expected} by ${query}`, async () => {
      assert.equal(await events(query), expected);
    });
  }

  it('says what lies in a place, however deep, in a ring, too', async () => {
    const [site, hall, shelf] = [21, 22, 23].map((number) => `urn:epc:id:sgln:4012345.000${number}.0`);
    const seen = (number: number, place: object) =>
      objectEvent({ epcList: [`urn:epc:id:sgtin:4012345.011111.${number}`], ...place });
    await server.capture(
      documentOf(
        seen(31, { bizLocation: { id: shelf }, readPoint: { id: shelf } }),
        seen(32, { bizLocation: { id: 'urn:epc:id:sgln:4012345.00022.7' } }),
      ),
    );
    assert.equal(await events(`WD_bizLocation=${site}`), '');
    const inside = [
      { id: site, children: [hall] },
      { id: hall, children: ['https://id.gs1.org/414/4012345000238'] },
      { id: shelf, children: [site] },
    ];
    await server.capture(bringing(vtype('BusinessLocation'), inside));
    assert.equal(await events(`WD_bizLocation=${site}`), 'docked docked');
    assert.equal(await events(`WD_bizLocation=${shelf}`), 'docked docked');
    assert.equal(await events(`EQ_bizLocation=${site}`), '');
    // They are business locations, not read points.
    assert.equal(await events(`WD_readPoint=${site}`), '');
  });

  it('gives way to what a later capture says of the same element', async () => {
    const place = 'urn:epc:id:sgln:4012345.00013.0';
    await server.capture(
      documentOf(objectEvent({ epcList: ['urn:epc:id:sgtin:4012345.011111.4'], bizLocation: { id: place } })),
    );
    const type = vtype('BusinessLocation');
    await server.capture(bringing(type, [attributed(place, { 'cbvmda:sst': '1', 'cbvmda:ssa': '2' })]));
    assert.equal(await events(`HASATTR_bizLocation=${MDA}ssa`), 'docked');
    await server.capture(bringing(type, [attributed('https://id.gs1.org/414/4012345000139', { 'cbvmda:sst': '3' })]));
    assert.equal(await events(`HASATTR_bizLocation=${MDA}ssa`), '');
    assert.equal(await events(`EQATTR_bizLocation_${MDA}sst=3`), 'docked');
  });

  it('is read from XML, too', async () => {
    const place = 'urn:epc:id:sgln:4012345.00014.0';
    const xml = `<?xml version="1.0"?>
      <epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" schemaVersion="1.2" creationDate="2026-02-17T11:30:47Z">
        <EPCISHeader><extension><EPCISMasterData><VocabularyList><Vocabulary type="${vtype('BusinessLocation')}">
          <VocabularyElementList><VocabularyElement id="${place}"><attribute id="${MDA}name">Dock nine</attribute>
          <children><id>${DOCK}</id></children></VocabularyElement></VocabularyElementList>
        </Vocabulary></VocabularyList></EPCISMasterData></extension></EPCISHeader>
        <EPCISBody><EventList><ObjectEvent><eventTime>2026-03-04T11:00:30Z</eventTime>
          <eventTimeZoneOffset>+00:00</eventTimeZoneOffset><epcList><epc>urn:epc:id:sgtin:4012345.011111.5</epc></epcList>
          <action>OBSERVE</action><bizLocation><id>${place}</id></bizLocation></ObjectEvent></EventList></EPCISBody>
      </epcis:EPCISDocument>`;
    await server.capture(xml, { 'content-type': 'application/xml' });
    assert.equal(await events(`EQATTR_bizLocation_${MDA}name=Dock nine`), 'docked');
    assert.equal(await events(`WD_bizLocation=${place}`), 'docked docked');
  });

  it('is asked for by whole names of standard fields or of members of one’s own alone', async () => {
    for (const query of ['HASATTR_epcList=x', 'EQATTR_bizLocation=x', 'EQATTR_action_x=y', 'HASATTR_shelf=x']) {
      assert.deepEqual(declinedAs(await server.ask(`/events?${query}`)), [400, 'QueryParameterException'], query);
    }
  });

  it('refuses the capture where it is none, and stores nothing of one that is refused', async () => {
    const place = 'urn:epc:id:sgln:4012345.00015.0';
    const told = objectEvent({ epcList: ['urn:epc:id:sgtin:4012345.011111.6'], bizLocation: { id: place } });
    const wrong = await server.post('/capture', bringing(vtype('BusinessLocation'), [{ id: 'no URI' }], told));
    assert.deepEqual(declinedAs(wrong), [400, 'ValidationException']);
    const good = attributed(place, { 'cbvmda:ssa': '9' });
    const twice: unknown = await server.capture(bringing(vtype('BusinessLocation'), [good], told, told));
    assert.equal((twice as { readonly success: boolean }).success, false);
    await server.capture(documentOf(told));
    assert.equal(await events(`HASATTR_bizLocation=${MDA}ssa`), '');
  });

  it(`is of at most ${MAX_MASTER_ELEMENTS} elements a capture`, async () => {
    const elements = (count: number) =>
      Array.from({ length: count }, (_, index) => attributed(`https://example.org/place/${index}`, {}));
    const status = async (count: number): Promise<number> =>
      (await server.post('/capture', bringing(vtype('ReadPoint'), elements(count)))).status;
    assert.equal(await status(MAX_MASTER_ELEMENTS), 202);
    assert.equal(await status(MAX_MASTER_ELEMENTS + 1), 413);
  });
});
