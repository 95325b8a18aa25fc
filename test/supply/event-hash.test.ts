import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { readDocument } from '@salus/gateway/supply/event/document';
import { eventHash } from '@salus/gateway/supply/event/hash';
import { STANDARD, withContext } from '@salus/gateway/supply/event/namespaces';

import { sharedOrPending } from '../support/shared.js';
import { CONTEXT, objectEvent } from './events.js';

const namespaces = withContext(STANDARD, CONTEXT);
const hashOf = (event: Record<string, unknown>): string => eventHash(event, namespaces);
const same = (left: object, right: object): void => {
  assert.equal(hashOf(objectEvent(left)), hashOf(objectEvent(right)));
};

describe('the event hash', () => {
  it('is the published one of the first reference example', () => {
    const event = {
      type: 'ObjectEvent',
      eventTime: '2020-03-04T11:00:30.000+01:00',
      eventTimeZoneOffset: '+01:00',
      recordTime: '2020-03-04T11:00:30.999+01:00',
      epcList: ['0000000333', '0000000111', '0000000222'].map((serial) => `urn:epc:id:sscc:4012345.${serial}`),
      action: 'OBSERVE',
      bizStep: 'departing',
      readPoint: { id: 'urn:epc:id:sgln:4012345.00011.987' },
      'example:myField1': { 'example:mySubField1': '2', 'example:mySubField2': '5' },
      'example:myField2': '0',
      'example:myField3': { 'example:mySubField3': ['3', '1'] },
    };
    assert.equal(
      hashOf(event),
      'ni:///sha-256;6ae96341e0acc6d7a261364751f60e68278a81cdf51da0abb6b4e617014e39d7?ver=CBV2.0',
    );
  });

  it('is the published one of the example with transactions, sources and destinations', () => {
    const event = {
      type: 'ObjectEvent',
      eventTime: '2020-03-04T11:00:30+01:00',
      eventTimeZoneOffset: '+01:00',
      epcList: ['urn:epc:id:sgtin:0614141.011111.987'],
      action: 'OBSERVE',
      bizStep: 'departing',
      disposition: 'in_transit',
      readPoint: { id: 'urn:epc:id:sgln:4012345.00011.0', 'example:myField1': 'AB-12' },
      bizTransactionList: [{ type: 'po', bizTransaction: 'urn:epc:id:gdti:4012345.11111.123' }],
      sourceList: [{ type: 'owning_party', source: 'urn:epc:id:pgln:4012345.00000' }],
      destinationList: [{ type: 'owning_party', destination: 'urn:epc:id:pgln:0614141.00000' }],
      'example:userExt': 'CD-34',
    };
    assert.equal(
      hashOf(event),
      'ni:///sha-256;a13cbe6c8bb6df3710b3edaeff760a1365ec8fd69ca1f4d7e0c10eb5189a883a?ver=CBV2.0',
    );
  });

  it('does not depend on how identifiers, terms, times and numbers are spelt', () => {
    same({}, { epcList: ['https://id.gs1.org/01/04012345111118/21/9876'] });
    same({}, { epcList: ['https://brand.example/01/4012345111118/10/L1/21/9876?17=301231'] });
    same({}, { bizStep: 'urn:epcglobal:cbv:bizstep:shipping', disposition: 'cbv:Disp-in_transit' });
    same({}, { bizStep: 'https://ref.gs1.org/cbv/BizStep-shipping' });
    same({}, { eventTime: '2026-03-04T10:00:30Z' });
    same({ eventTime: '2026-03-04T10:00:30.1234Z' }, { eventTime: '2026-03-04T10:00:30.123Z' });
    same({ eventTime: '2026-03-04T10:00:30.9995Z' }, { eventTime: '2026-03-04T10:00:31Z' });
    const quantity = (value: number) => ({
      quantityList: [{ epcClass: 'urn:epc:class:lgtin:4012345.012345.1', quantity: value }],
    });
    same(quantity(20), JSON.parse(JSON.stringify(quantity(20)).replace(':20}', ':20.00}')) as object);
    same({ 'example:a': '1.50' }, { 'example:a': '01.5' });
  });

  it('does not depend on order, identity, record time, comments and error declarations', () => {
    const [first, second] = ['urn:epc:id:sgtin:4012345.011111.1', 'urn:epc:id:sgtin:4012345.011111.2'];
    same({ epcList: [first, second] }, { epcList: [second, first] });
    same({}, { eventID: 'urn:uuid:7f3a8b1c-0000-4000-8000-000000000000', recordTime: '2026-03-04T12:00:00Z' });
    same({}, { 'rdfs:comment': 'nothing happened' });
    same({}, { errorDeclaration: { declarationTime: '2026-03-05T12:00:00Z', reason: 'did_not_occur' } });
  });

  it('depends on everything else', () => {
    const changes = [
      { action: 'ADD' },
      { bizStep: 'receiving' },
      { disposition: 'active' },
      { eventTime: '2026-03-04T10:00:30.001Z' },
      { eventTimeZoneOffset: '+02:00' },
      { epcList: ['urn:epc:id:sgtin:4012345.011111.9877'] },
      { readPoint: { id: 'urn:epc:id:sgln:4012345.00011.1' } },
      { bizLocation: { id: 'urn:epc:id:sgln:4012345.00011.0' } },
      { 'example:a': '1' },
      { 'example:b': '1' },
      { persistentDisposition: { set: ['completeness_verified'] } },
      { persistentDisposition: { unset: ['completeness_verified'] } },
      { sensorElementList: [{ sensorReport: [{ type: 'Temperature', value: 26, uom: 'CEL' }] }] },
      { certificationInfo: 'https://certificates.example/1' },
    ];
    const hashes = [objectEvent(), ...changes.map(objectEvent)].map(hashOf);
    assert.equal(new Set(hashes).size, hashes.length);
  });

  it('equals every published vector', function () {
    const folder = sharedOrPending(this, 'data/epcis/event-hash');
    // These name fields to leave out by an extension of one implementation.
    const files = readdirSync(folder).filter((file) => file.endsWith('.jsonld') && !file.includes('IgnoreFields'));
    assert.ok(files.length > 15);
    for (const file of files) {
      const { events } = readDocument(JSON.parse(readFileSync(join(folder, file), 'utf8')));
      const expected: string[] = readFileSync(join(folder, file.replace('.jsonld', '.hashes')), 'utf8')
        .trim()
        .split(/\s+/);
      const made = events.map((each) => eventHash(each.event, each.namespaces));
      assert.deepEqual(made, expected, file);
    }
  });
});
