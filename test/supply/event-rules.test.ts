import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { readDocument } from '@salus/gateway/supply/event/document';
import { compareReadings } from '@salus/gateway/supply/event/units';
import { eventProblems } from '@salus/gateway/supply/event/validate';

import { sharedOrPending } from '../support/shared.js';
import { documentOf, objectEvent } from './events.js';

const epc = 'urn:epc:id:sgtin:4012345.011111.9876';
const parentID = 'urn:epc:id:sscc:4012345.0000000333';
const lot = 'urn:epc:class:lgtin:4012345.012345.L1';
const order = [{ type: 'po', bizTransaction: 'https://example.org/orders/1' }];
const element = (metadata: object, report: object = {}) => ({
  sensorElementList: [
    { sensorMetadata: metadata, sensorReport: [{ type: 'Temperature', value: 5, uom: 'CEL', ...report }] },
  ],
});
const aggregation = (more: object): object => {
  const { epcList, ...rest } = objectEvent();
  assert.ok(epcList);
  return { ...rest, type: 'AggregationEvent', action: 'ADD', ...more };
};
const transformation = (more: object): object => {
  const { epcList, action, ...rest } = objectEvent();
  assert.ok(epcList && action);
  return { ...rest, type: 'TransformationEvent', ...more };
};

/** What is right, by what is special about it. */
const RIGHT: Readonly<Record<string, object>> = {
  'an object event': objectEvent(),
  'lots by quantity': objectEvent({ epcList: [], quantityList: [{ epcClass: lot, quantity: 5, uom: 'KGM' }] }),
  'readings at a read point, of no object': objectEvent({ epcList: [], ...element({ time: '2026-03-04T10:00:00Z' }) }),
  'ILMD at commissioning': objectEvent({ action: 'ADD', ilmd: { 'example:lot': 'L1' } }),
  'a term of its own': objectEvent({ bizStep: 'https://example.org/steps/blistering' }),
  'what it unpacks whole': aggregation({ action: 'DELETE', parentID }),
  'an association': { ...aggregation({ parentID, childEPCs: [epc] }), type: 'AssociationEvent' },
  'a transaction': { ...objectEvent(), type: 'TransactionEvent', bizTransactionList: order },
  'a transformation of one step': transformation({ inputEPCList: [epc], outputQuantityList: [{ epcClass: lot }] }),
  'a transformation of many': transformation({ inputEPCList: [epc], transformationID: 'https://example.org/t/1' }),
  'an event of its own type': { ...transformation({}), type: 'example:OwnEvent', 'example:x': 1 },
  'an error declaration': objectEvent({
    errorDeclaration: {
      declarationTime: '2026-03-05T00:00:00Z',
      reason: 'incorrect_data',
      correctiveEventIDs: ['urn:uuid:1'],
    },
  }),
};

/** What is wrong, and what of it must be said. */
const WRONG: Readonly<Record<string, readonly [object, RegExp]>> = {
  'no type': [objectEvent({ type: undefined }), /type is missing/],
  'no time': [objectEvent({ eventTime: undefined }), /eventTime is missing/],
  'a time without offset': [objectEvent({ eventTime: '2026-03-04T10:00:00' }), /offset from UTC/],
  'a day that does not exist': [objectEvent({ eventTime: '2026-02-30T10:00:00Z' }), /eventTime/],
  'an impossible zone': [objectEvent({ eventTimeZoneOffset: '+15:00' }), /eventTimeZoneOffset/],
  'no action': [objectEvent({ action: undefined }), /action is missing/],
  'an unknown action': [objectEvent({ action: 'CHANGE' }), /ADD, OBSERVE or DELETE/],
  'an unknown bare step': [objectEvent({ bizStep: 'shipped' }), /bizStep/],
  'an unknown bare disposition': [objectEvent({ disposition: 'lost' }), /disposition/],
  'a member without namespace': [objectEvent({ note: 'x' }), /namespace prefix/],
  'ILMD without namespace': [objectEvent({ action: 'ADD', ilmd: { lot: 'L1' } }), /ilmd/],
  'ILMD at observing': [objectEvent({ ilmd: { 'example:lot': 'L1' } }), /action ADD only/],
  'a wrong check digit': [objectEvent({ epcList: ['https://id.gs1.org/01/04012345111119/21/1'] }), /check digit/],
  'a wrong prefix length': [objectEvent({ epcList: ['urn:epc:id:sgtin:40123456.011111.1'] }), /company prefix/],
  'an EPC twice': [objectEvent({ epcList: [epc, epc] }), /twice/],
  'no URI as EPC': [objectEvent({ epcList: ['4012345'] }), /must be a URI/],
  'no object': [objectEvent({ epcList: [] }), /names objects/],
  'readings of no object at no read point': [
    objectEvent({ epcList: [], readPoint: undefined, ...element({}) }),
    /at a readPoint/,
  ],
  'a quantity as text': [objectEvent({ quantityList: [{ epcClass: lot, quantity: '5' }] }), /must be a number/],
  'an unknown member of a quantity': [objectEvent({ quantityList: [{ epcClass: lot, weight: 5 }] }), /weight/],
  'adding no child': [aggregation({ parentID }), /children/],
  'adding to no parent': [aggregation({ childEPCs: [epc] }), /parentID/],
  'its own child': [aggregation({ parentID, childEPCs: [parentID] }), /its own child/],
  'an association without parent': [
    { ...aggregation({ childEPCs: [epc] }), type: 'AssociationEvent' },
    /parentID is missing/,
  ],
  'an association of no child': [{ ...aggregation({ parentID }), type: 'AssociationEvent' }, /children/],
  'a transaction without one': [
    { ...objectEvent(), type: 'TransactionEvent', bizTransactionList: [] },
    /bizTransaction/,
  ],
  'a transaction of no object': [
    { ...objectEvent(), type: 'TransactionEvent', bizTransactionList: order, epcList: [] },
    /epcList or quantityList/,
  ],
  'a transformation of nothing': [transformation({ outputEPCList: [epc] }), /inputs and outputs/],
  'a transformation with an id and no side': [transformation({ transformationID: 'urn:uuid:1' }), /inputs or outputs/],
  'a disposition set and unset': [
    objectEvent({ persistentDisposition: { set: ['recalled'], unset: ['recalled'] } }),
    /both set and unset/,
  ],
  'an empty persistent disposition': [objectEvent({ persistentDisposition: {} }), /at least one/],
  'a reading without type': [objectEvent(element({}, { type: undefined })), /type is missing/],
  'a period that ends before it starts': [
    objectEvent(element({ startTime: '2026-03-04T10:00:00Z', endTime: '2026-03-04T09:00:00Z' })),
    /ends before/,
  ],
  ...Object.fromEntries(
    [
      ['time', '2026-03-04T10:00:00Z'],
      ...['deviceID', 'deviceMetadata', 'rawData', 'dataProcessingMethod'].map(
        (name) => [name, 'https://example.org/1'] as const,
      ),
    ].map(([name = '', value = '']) => [
      `${name} in metadata and report`,
      [
        objectEvent(element({ [name]: value }, { [name]: value })),
        new RegExp(`${name} is given in sensorMetadata`),
      ] as const,
    ]),
  ),
};

describe('an EPCIS event', () => {
  for (const [name, event] of Object.entries(RIGHT)) {
    it(`is right: ${name}`, () => {
      assert.deepEqual(eventProblems(event), []);
    });
  }

  for (const [name, [event, said]] of Object.entries(WRONG)) {
    it(`is wrong: ${name}`, () => {
      assert.match(eventProblems(JSON.parse(JSON.stringify(event))).join('; '), said);
    });
  }

  it('is no text, list or nothing', () => {
    for (const value of ['x', [], null, 5]) assert.match(eventProblems(value).join(), /must be an object/);
  });
});

describe('an EPCIS document', () => {
  const problems = (document: unknown): string => readDocument(document).problems.join('; ');

  it('brings its events, each with what is wrong with it', () => {
    const { events, problems: around } = readDocument(documentOf(objectEvent(), objectEvent({ action: 'X' })));
    assert.deepEqual(around, []);
    assert.deepEqual(
      events.map((each) => each.problems.length),
      [0, 1],
    );
  });

  it('is refused without context, version, date or list of events', () => {
    assert.match(problems({ ...documentOf(), '@context': [] }), /@context/);
    assert.match(problems({ ...documentOf(), schemaVersion: '1.2' }), /schemaVersion/);
    assert.match(problems({ ...documentOf(), creationDate: 'yesterday' }), /creationDate/);
    assert.match(problems({ ...documentOf(), epcisBody: {} }), /no list of events/);
    assert.match(problems({ ...documentOf(), type: 'Bundle' }), /EPCISDocument/);
    assert.match(problems('x'), /JSON object/);
  });

  it('of a public set is taken when valid and refused when not', function () {
    const folder = sharedOrPending(this, 'data/epcis/documents');
    for (const [below, isValid] of [
      ['valid', true],
      ['invalid', false],
    ] as const) {
      const files: string[] = readdirSync(join(folder, below));
      assert.ok(files.length > 5);
      for (const file of files) {
        const { problems: around, events } = readDocument(JSON.parse(readFileSync(join(folder, below, file), 'utf8')));
        const all = [...around, ...events.flatMap((each) => each.problems)];
        assert.equal(all.length === 0, isValid, `${below}/${file}: ${all.join('; ')}`);
      }
    }
  });
});

describe('units of measurement', () => {
  it('compare across codes', () => {
    assert.equal(compareReadings([5, 'CEL'], [278.15, 'KEL']), 0);
    assert.equal(compareReadings([8.1, 'CEL'], [46.4, 'FAH']), 1);
    assert.equal(compareReadings([46.4, 'FAH'], [8, 'CEL']), 0);
    assert.equal(compareReadings([1, 'KGM'], [1001, 'GRM']), -1);
    assert.equal(compareReadings([1, 'XYZ'], [1, 'XYZ']), 0);
  });

  it('do not compare what measures something else', () => {
    assert.equal(compareReadings([1, 'KGM'], [1, 'MTR']), undefined);
    assert.equal(compareReadings([1, 'XYZ'], [1, 'KGM']), undefined);
  });
});
