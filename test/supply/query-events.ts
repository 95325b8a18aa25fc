/** The events that queries of EPCIS are tried on. */
import { objectEvent } from './events.js';

const element = (metadata: object, report: object) => ({
  sensorElementList: [
    {
      sensorMetadata: metadata,
      sensorReport: [{ type: 'Temperature', value: 5, uom: 'CEL', ...report }],
      'example:se': '1',
      'example:beside': { 'example:se2': '4' },
    },
  ],
});
const base: Record<string, unknown> = { ...objectEvent() };
delete base.epcList;

/** Events by name; each query names which of them it finds. */
export const EVENTS: Readonly<Record<string, object>> = {
  plain: objectEvent(),
  added: objectEvent({
    ...{
      epcList: ['https://id.gs1.org/01/04012345111118/21/1'],
      action: 'ADD',
      bizStep: 'commissioning',
      disposition: 'active',
    },
    ...{ ilmd: { 'example:lot': 'L1', 'example:nested': { 'example:count': '7' } }, eventTime: '2026-03-01T00:00:00Z' },
  }),
  sold: objectEvent({
    ...{
      epcList: ['urn:epc:id:sgtin:4012345.011111.2'],
      'example:price': '12.5',
      'example:deep': { 'example:inner': 'x' },
    },
    bizTransactionList: [{ type: 'po', bizTransaction: 'urn:epc:id:gdti:4012345.11111.123' }],
    sourceList: [{ type: 'owning_party', source: 'urn:epc:id:pgln:4012345.00000' }],
    destinationList: [{ type: 'location', destination: 'urn:epc:id:sgln:0614141.00777.0' }],
    bizLocation: { id: 'urn:epc:id:sgln:4012345.00011.7', 'example:dock': 'D4' },
    readPoint: { id: 'urn:epc:id:sgln:4012345.00012.0', 'example:gate': '9' },
    persistentDisposition: { set: ['completeness_verified'], unset: ['completeness_inferred'] },
  }),
  sensed: objectEvent({
    epcList: ['urn:epc:id:sgtin:4012345.011111.3'],
    ...element(
      {
        time: '2026-03-04T09:00:00Z',
        deviceID: 'urn:epc:id:giai:4000001.111',
        startTime: '2026-03-04T08:00:00Z',
        endTime: '2026-03-04T09:00:00Z',
        bizRules: 'https://example.org/rules',
        deviceMetadata: 'https://example.org/device',
        rawData: 'https://example.org/raw',
        dataProcessingMethod: 'https://example.org/method',
        'example:inside': { 'example:sm2': '5' },
        'example:sm': '2',
      },
      {
        ...{ minValue: 4, maxValue: 6, meanValue: 5, sDev: 0.5, percRank: 50, percValue: 5.5, 'example:sr': '3' },
        ...{ exception: 'ALARM_CONDITION', 'example:around': { 'example:sr2': '6' } },
        ...{
          stringValue: 's',
          booleanValue: true,
          hexBinaryValue: 'f0',
          uriValue: 'https://example.org/v',
          chemicalSubstance: 'https://example.org/c',
          microorganism: 'https://example.org/m',
        },
      },
    ),
  }),
  packed: {
    ...base,
    type: 'AggregationEvent',
    action: 'ADD',
    bizStep: 'packing',
    parentID: 'urn:epc:id:sscc:4012345.0000000333',
    childEPCs: ['urn:epc:id:sgtin:4012345.011111.4'],
    childQuantityList: [{ epcClass: 'urn:epc:class:lgtin:4012345.011111.L9', quantity: 10 }],
  },
  made: {
    ...{
      type: 'TransformationEvent',
      eventTime: '2026-03-04T12:00:00Z',
      eventTimeZoneOffset: '+00:00',
      transformationID: 'https://example.org/t/1',
    },
    ...{
      inputEPCList: ['urn:epc:id:sgtin:4012345.022222.1'],
      inputQuantityList: [{ epcClass: 'urn:epc:class:lgtin:4012345.022222.I', quantity: 2, uom: 'KGM' }],
    },
    ...{
      outputEPCList: ['urn:epc:id:sgtin:4012345.033333.1'],
      outputQuantityList: [{ epcClass: 'urn:epc:class:lgtin:4012345.033333.O', quantity: 900, uom: 'GRM' }],
    },
  },
  declared: objectEvent({
    ...{ epcList: ['urn:epc:id:sgtin:4012345.011111.5'], eventID: 'urn:uuid:1' },
    errorDeclaration: {
      declarationTime: '2026-03-05T00:00:00Z',
      reason: 'incorrect_data',
      correctiveEventIDs: ['urn:uuid:2'],
      'example:why': 'typo',
      'example:more': { 'example:count': '8' },
    },
  }),
};
