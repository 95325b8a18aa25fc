import assert from 'node:assert/strict';

import { readDocument } from '@salus/gateway/supply/event/document';
import { eventHash } from '@salus/gateway/supply/event/hash';
import { documentOfXml, MAX_XML_DEPTH } from '@salus/gateway/supply/event/xml';

import { EpcisServer } from './epcis-server.js';
import { documentOf, objectEvent } from './events.js';

const URN = 'urn:epc:id:sgtin:4012345.011111.9876';
const document = (events: string, version = '2', more = ''): string =>
  `<?xml version="1.0" encoding="UTF-8"?>
<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:${version}" xmlns:example="https://ns.example.com/epcis/"
  schemaVersion="${version}.0" creationDate="2026-02-17T11:30:47.0Z"${more}>
  <EPCISBody><EventList>${events}</EventList></EPCISBody>
</epcis:EPCISDocument>`;
const WHEN = '<eventTime>2026-03-04T11:00:30.000+01:00</eventTime><eventTimeZoneOffset>+01:00</eventTimeZoneOffset>';
const LIST = `<epcList><epc>${URN}</epc></epcList>`;
const WHY = `<action>OBSERVE</action><bizStep>urn:epcglobal:cbv:bizstep:shipping</bizStep>
  <disposition>https://ref.gs1.org/cbv/Disp-in_transit</disposition>
  <readPoint><id>urn:epc:id:sgln:4012345.00011.0</id></readPoint>`;
const simple = `<ObjectEvent>${WHEN}${LIST}${WHY}</ObjectEvent>`;

const hashesOf = (json: unknown): readonly string[] => {
  const { problems, events } = readDocument(json);
  assert.deepEqual([...problems, ...events.flatMap((each) => each.problems)], []);
  return events.map(({ event, namespaces }) => eventHash(event, namespaces));
};
const same = (xml: string, ...events: readonly object[]): void => {
  assert.deepEqual(hashesOf(documentOfXml(xml)), hashesOf(documentOf(...events)));
};

describe('an EPCIS document in XML', () => {
  it('has the events of the same document in JSON, by their hashes', () => {
    same(document(simple), objectEvent());
    const whole = `<ObjectEvent>${WHEN}${LIST}${WHY.replace('OBSERVE', 'ADD')}
      <bizTransactionList><bizTransaction type="urn:epcglobal:cbv:btt:po">urn:epc:id:gdti:4012345.11111.123</bizTransaction></bizTransactionList>
      <quantityList><quantityElement><epcClass>urn:epc:class:lgtin:4012345.012345.1</epcClass><quantity>20.0</quantity><uom>KGM</uom></quantityElement></quantityList>
      <sourceList><source type="urn:epcglobal:cbv:sdt:owning_party">urn:epc:id:pgln:4012345.00000</source></sourceList>
      <destinationList><destination type="urn:epcglobal:cbv:sdt:owning_party">urn:epc:id:pgln:0614141.00000</destination></destinationList>
      <persistentDisposition><set>urn:epcglobal:cbv:disp:completeness_verified</set></persistentDisposition>
      <sensorElementList><sensorElement><sensorMetadata time="2026-03-04T10:00:00Z" deviceID="urn:epc:id:giai:4000001.111"/>
        <sensorReport type="gs1:Temperature" value="26.0" uom="CEL"/><sensorReport type="gs1:AbsoluteHumidity" value="12.1" uom="A93"/>
        </sensorElement></sensorElementList>
      <ilmd><example:lot>A &amp; B</example:lot></ilmd>
      <example:list><example:one>1</example:one><example:one>2</example:one></example:list>
    </ObjectEvent>`;
    same(
      document(whole),
      objectEvent({
        action: 'ADD',
        bizTransactionList: [{ type: 'po', bizTransaction: 'urn:epc:id:gdti:4012345.11111.123' }],
        quantityList: [{ epcClass: 'urn:epc:class:lgtin:4012345.012345.1', quantity: 20, uom: 'KGM' }],
        sourceList: [{ type: 'owning_party', source: 'urn:epc:id:pgln:4012345.00000' }],
        destinationList: [{ type: 'owning_party', destination: 'urn:epc:id:pgln:0614141.00000' }],
        persistentDisposition: { set: ['completeness_verified'] },
        sensorElementList: [
          {
            sensorMetadata: { time: '2026-03-04T10:00:00Z', deviceID: 'urn:epc:id:giai:4000001.111' },
            sensorReport: [
              { type: 'Temperature', value: 26, uom: 'CEL' },
              { type: 'AbsoluteHumidity', value: 12.1, uom: 'A93' },
            ],
          },
        ],
        ilmd: { 'example:lot': 'A & B' },
        'example:list': { 'example:one': ['1', '2'] },
      }),
    );
  });

  it('of version 1.2 is unfolded: what came later lies in extensions', () => {
    const transformation = `<extension><TransformationEvent>${WHEN}
      <inputEPCList><epc>${URN}</epc></inputEPCList><outputEPCList><epc>urn:epc:id:sgtin:4012345.011111.1</epc></outputEPCList>
      </TransformationEvent></extension>`;
    const folded = `<AggregationEvent>${WHEN}<baseExtension><eventID>urn:uuid:7f3a8b1c-0000-4000-8000-000000000000</eventID></baseExtension>
      <parentID>urn:epc:id:sscc:4012345.0000000111</parentID><childEPCs><epc>${URN}</epc></childEPCs><action>ADD</action>
      <extension><sourceList><source type="urn:epcglobal:cbv:sdt:owning_party">urn:epc:id:pgln:4012345.00000</source></sourceList></extension>
      </AggregationEvent>`;
    const when = { eventTime: '2026-03-04T11:00:30.000+01:00', eventTimeZoneOffset: '+01:00' };
    same(
      document(folded + transformation, '1'),
      {
        ...{ type: 'AggregationEvent', ...when, action: 'ADD', parentID: 'urn:epc:id:sscc:4012345.0000000111' },
        childEPCs: [URN],
        sourceList: [{ type: 'owning_party', source: 'urn:epc:id:pgln:4012345.00000' }],
      },
      {
        type: 'TransformationEvent',
        ...when,
        inputEPCList: [URN],
        outputEPCList: ['urn:epc:id:sgtin:4012345.011111.1'],
      },
    );
    const [event] = (documentOfXml(document(folded, '1')) as { epcisBody: { eventList: { eventID: string }[] } })
      .epcisBody.eventList;
    assert.equal(event?.eventID, 'urn:uuid:7f3a8b1c-0000-4000-8000-000000000000');
  });

  it('of version 1.2 may tell of quantities alone, in an event that 2.0 knows as an observation', () => {
    const quantity = `<QuantityEvent>${WHEN}<epcClass>urn:epc:class:lgtin:4012345.012345.1</epcClass><quantity>200</quantity>
      <bizStep>urn:epcglobal:cbv:bizstep:cycle_counting</bizStep><bizLocation><id>urn:epc:id:sgln:4012345.00011.0</id></bizLocation>
      <bizTransactionList><bizTransaction type="urn:epcglobal:cbv:btt:po">urn:epc:id:gdti:4012345.11111.123</bizTransaction></bizTransactionList>
      <example:shelf>3</example:shelf></QuantityEvent>`;
    same(document(quantity, '1'), {
      ...{ type: 'ObjectEvent', eventTime: '2026-03-04T11:00:30.000+01:00', eventTimeZoneOffset: '+01:00' },
      ...{ action: 'OBSERVE', bizStep: 'cycle_counting', bizLocation: { id: 'urn:epc:id:sgln:4012345.00011.0' } },
      quantityList: [{ epcClass: 'urn:epc:class:lgtin:4012345.012345.1', quantity: 200 }],
      bizTransactionList: [{ type: 'po', bizTransaction: 'urn:epc:id:gdti:4012345.11111.123' }],
      'example:shelf': '3',
    });
    const many = document(quantity.replace('<quantity>200', '<quantity>many'), '1');
    assert.throws(() => hashesOf(documentOfXml(many)), /quantity/);
  });

  it('may be the answer to a query', () => {
    const answer = `<q:EPCISQueryDocument xmlns:q="urn:epcglobal:epcis-query:xsd:2" schemaVersion="2.0" creationDate="2026-02-17T11:30:47.0Z">
      <EPCISBody><q:QueryResults><queryName>SimpleEventQuery</queryName><resultsBody><EventList>${simple}</EventList></resultsBody></q:QueryResults></EPCISBody>
      </q:EPCISQueryDocument>`;
    same(answer, objectEvent());
  });

  it('is refused in words where it is none, or would be more than it seems', () => {
    const deep = '<example:a>'.repeat(MAX_XML_DEPTH) + '</example:a>'.repeat(MAX_XML_DEPTH);
    for (const [xml, words] of [
      ['<a', /not well-formed/],
      [`${document(simple)}<b/>`, /not well-formed/],
      [document(simple).replace('<ObjectEvent>', '<ObjectEvent x=1>'), /not well-formed/],
      ['<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', /document type declaration/],
      ['<a/>', /root must be EPCISDocument/],
      [document(simple).replace('xsd:2', 'xsd:3'), /root must be EPCISDocument/],
      [document(`<ObjectEvent xmlns:example="urn:other:">${WHEN}</ObjectEvent>`), /two namespaces/],
      [document(`<ObjectEvent>${WHEN}${deep}</ObjectEvent>`), /at most 64 deep/],
    ] as const) {
      assert.throws(() => documentOfXml(xml), words, xml.slice(0, 200));
    }
  });

  it('is captured and comes back equal, and what is wrong in it is refused with nothing stored', async () => {
    const server = await EpcisServer.start();
    const headers = { 'content-type': 'application/xml; charset=utf-8' };
    try {
      for (const wrong of [document(simple.replace('OBSERVE', 'WATCH')), '<a']) {
        const { status, json } = await server.post('/capture', wrong, headers);
        assert.deepEqual([status, (json as { type: string }).type], [400, 'epcisException:ValidationException']);
      }
      assert.deepEqual(await server.events(), []);
      await server.capture(document(simple), headers);
      const [event = {}] = await server.events();
      assert.equal(eventHash(event), hashesOf(documentOf(objectEvent()))[0]);
    } finally {
      await server.close();
    }
  });
});
