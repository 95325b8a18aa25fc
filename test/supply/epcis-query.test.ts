import assert from 'node:assert/strict';

import { EpcisServer } from './epcis-server.js';
import { documentOf } from './events.js';
import { EVENTS } from './query-events.js';

/** Each parameter with a value, and the events it finds. */
const QUERIES: Readonly<Record<string, string>> = {
  'eventType=AggregationEvent|TransformationEvent': 'packed made',
  'GE_eventTime=2026-03-04T11:00:00Z': 'made',
  'LT_eventTime=2026-03-02T00:00:00Z': 'added',
  'GE_recordTime=2999-01-01T00:00:00Z': '',
  'LT_recordTime=2999-01-01T00:00:00Z': 'plain added sold sensed packed made declared',
  'EQ_action=ADD': 'added packed',
  'EQ_bizStep=commissioning|packing': 'added packed',
  'EQ_bizStep=https://ref.gs1.org/cbv/BizStep-packing': 'packed',
  'EQ_disposition=active': 'added',
  'EQ_persistentDisposition_set=completeness_verified': 'sold',
  'EQ_persistentDisposition_unset=completeness_inferred': 'sold',
  'EQ_readPoint=https://id.gs1.org/414/4012345000122': 'sold',
  'WD_readPoint=urn:epc:id:sgln:4012345.00012.0': 'sold',
  'EQ_bizLocation=urn:epc:id:sgln:4012345.00011.7': 'sold',
  'EQ_bizLocation=urn:epc:id:sgln:4012345.00011.0': '',
  'WD_bizLocation=urn:epc:id:sgln:4012345.00011.0': 'sold',
  'EQ_bizTransaction_po=urn:epc:id:gdti:4012345.11111.123': 'sold',
  'EQ_bizTransaction_inv=urn:epc:id:gdti:4012345.11111.123': '',
  'EQ_source_owning_party=https://id.gs1.org/417/4012345000009': 'sold',
  'EQ_destination_location=urn:epc:id:sgln:0614141.00777.0': 'sold',
  'EQ_transformationID=https://example.org/t/1': 'made',
  'MATCH_epc=https://id.gs1.org/01/04012345111118/21/9876': 'plain',
  'MATCH_epc=urn:epc:id:sgtin:4012345.011111.1|urn:epc:id:sgtin:4012345.011111.4': 'added packed',
  'MATCH_epc=urn:epc:idpat:sgtin:4012345.011111.*': 'plain added sold sensed packed declared',
  'MATCH_parentID=https://id.gs1.org/00/040123450000003338': 'packed',
  'MATCH_inputEPC=urn:epc:idpat:sgtin:4012345.*.*': 'made',
  'MATCH_outputEPC=urn:epc:id:sgtin:4012345.033333.1': 'made',
  'MATCH_anyEPC=urn:epc:id:sscc:4012345.0000000333': 'packed',
  'MATCH_epcClass=urn:epc:class:lgtin:4012345.011111.L9': 'packed',
  'MATCH_inputEPCClass=urn:epc:class:lgtin:4012345.022222.I': 'made',
  'MATCH_outputEPCClass=urn:epc:class:lgtin:4012345.033333.O': 'made',
  'MATCH_anyEPCClass=urn:epc:idpat:lgtin:4012345.*.*': 'packed made',
  'EQ_quantity=10': 'packed',
  'GE_quantity_GRM=2000': 'made',
  'GT_quantity_GRM=2000': '',
  'LT_quantity_KGM=1': 'made',
  'LE_quantity_KGM=0.9': 'made',
  'EQ_eventID=urn:uuid:1': 'declared',
  'EXISTS_errorDeclaration=': 'declared',
  'GE_errorDeclarationTime=2026-03-05T00:00:00Z': 'declared',
  'LT_errorDeclarationTime=2026-03-05T00:00:00Z': '',
  'EQ_errorReason=incorrect_data': 'declared',
  'EQ_correctiveEventID=urn:uuid:2': 'declared',
  'EQ_ERROR_DECLARATION_example:why=typo': 'declared',
  'EXISTS_ERROR_DECLARATION_example:why=': 'declared',
  'EQ_INNER_ERROR_DECLARATION_example:count=8': 'declared',
  'LT_INNER_ERROR_DECLARATION_example:count=8': '',
  'EXISTS_INNER_ERROR_DECLARATION_example:count=': 'declared',
  'EQ_readPoint_example:gate=9': 'sold',
  'EXISTS_readPoint_example:gate=': 'sold',
  'GE_example:price=12.5': 'sold',
  'LT_example:price=12.5': '',
  'EXISTS_INNER_example:inner=': 'sold',
  'EQ_example:price=12.50': 'sold',
  'GT_example:price=12': 'sold',
  'LE_example:price=12': '',
  'EXISTS_example:price=': 'sold',
  'EQ_INNER_example:inner=x': 'sold',
  'EQ_example:inner=x': '',
  'EQ_ILMD_example:lot=L1': 'added',
  'GE_INNER_ILMD_example:count=7': 'added',
  'EXISTS_ILMD_example:lot=': 'added',
  'EQ_INNER_ILMD_example:count=7': 'added',
  'GT_INNER_ILMD_example:count=7': '',
  'LE_INNER_ILMD_example:count=7': 'added',
  'EXISTS_INNER_ILMD_example:count=': 'added',
  'EQ_bizLocation_example:dock=D4': 'sold',
  'EXISTS_sensorElementList=': 'sensed',
  'EQ_type=gs1:Temperature': 'sensed',
  'EQ_deviceID=https://id.gs1.org/8004/4000001111': 'sensed',
  'EQ_bizRules=https://example.org/rules': 'sensed',
  'GE_time=2026-03-04T09:00:00Z': 'sensed',
  'LT_startTime=2026-03-04T08:00:01Z': 'sensed',
  'GE_endTime=2026-03-04T09:00:01Z': '',
  'EQ_value_KEL=278.15': 'sensed',
  'GE_value_KEL=279': '',
  'LT_value_FAH=41.1': 'sensed',
  'GE_minValue_CEL=4': 'sensed',
  'LT_maxValue_CEL=6': '',
  'LE_meanValue_CEL=5': 'sensed',
  'GT_sDev_CEL=0.4': 'sensed',
  'EQ_percRank=50': 'sensed',
  'GE_percValue_CEL=5.5': 'sensed',
  'EQ_stringValue=s': 'sensed',
  'EQ_booleanValue=true': 'sensed',
  'EQ_hexBinaryValue=f0': 'sensed',
  'EQ_uriValue=https://example.org/v': 'sensed',
  'EQ_chemicalSubstance=https://example.org/c': 'sensed',
  'EQ_microorganism=https://example.org/m': 'sensed',
  'EQ_deviceMetadata=https://example.org/device': 'sensed',
  'EQ_rawData=https://example.org/raw': 'sensed',
  'EQ_dataProcessingMethod=https://example.org/method': 'sensed',
  'EQ_exception=ALARM_CONDITION': 'sensed',
  'EQ_exception=ERROR_CONDITION': '',
  'EXISTS_SENSORELEMENT_example:se=': 'sensed',
  'EXISTS_SENSORMETADATA_example:sm=': 'sensed',
  'EXISTS_SENSORREPORT_example:sr=': 'sensed',
  'EQ_INNER_SENSORELEMENT_example:se2=4': 'sensed',
  'GE_INNER_SENSORMETADATA_example:sm2=5': 'sensed',
  'LT_INNER_SENSORREPORT_example:sr2=6': '',
  'EXISTS_INNER_SENSORREPORT_example:sr2=': 'sensed',
  'GT_SENSORREPORT_example:sr=2': 'sensed',
  'EQ_SENSORELEMENT_example:se=1': 'sensed',
  'EQ_SENSORMETADATA_example:sm=2': 'sensed',
  'EQ_SENSORREPORT_example:sr=3': 'sensed',
  'EQ_action=ADD&EQ_bizStep=packing': 'packed',
  'orderBy=eventTime&eventCountLimit=1': 'added',
  'orderBy=eventTime&orderDirection=DESC&eventCountLimit=1': 'made',
};

const WRONG = [
  'EQ_nothing=1',
  'GE_eventTime=yesterday',
  'EQ_action=MOVE',
  'orderBy=size',
  'maxEventCount=0',
  'GE_value_CEL=warm',
  'GE_time=now',
];

describe('EPCIS queries', () => {
  let server: EpcisServer;
  const names = new Map<unknown, string>();
  before(async () => {
    server = await EpcisServer.start();
    for (const [name, event] of Object.entries(EVENTS)) {
      await server.capture(documentOf(event));
      const newest = (await server.events('?orderDirection=DESC&eventCountLimit=1'))[0];
      names.set(newest?.eventID, name);
    }
  });
  after(async () => {
    await server.close();
    assert.deepEqual(server.faults, []);
  });

  const encoded = (query: string): string =>
    query
      .split('&')
      .map((pair) => pair.split('=').map(encodeURIComponent).join('='))
      .join('&');

  for (const [query, expected] of Object.entries(QUERIES)) {
    it(`find ${expected === '' ? 'nothing' : expected} by ${query}`, async () => {
      const found = await server.events(`?${encoded(query)}`);
      assert.equal(found.map((each) => names.get(each.eventID)).join(' '), expected);
    });
  }

  for (const query of WRONG) {
    it(`are refused: ${query}`, async () => {
      const { status, json } = await server.ask(`/events?${encoded(query)}`);
      assert.equal(status, 400);
      assert.equal(json.type, 'epcisException:QueryParameterException');
    });
  }

  it('are refused where more match than maxEventCount', async () => {
    const { status, json } = await server.ask('/events?maxEventCount=2');
    assert.equal(status, 413);
    assert.equal(json.type, 'epcisException:QueryTooLargeException');
    assert.equal((await server.ask('/events?maxEventCount=2&eventCountLimit=2')).status, 400);
  });

  it('list what occurs, and find the events of one value', async () => {
    const member = async (path: string): Promise<string[]> => (await server.ask(path)).json.member as string[];
    assert.deepEqual(await member('/eventTypes'), ['AggregationEvent', 'ObjectEvent', 'TransformationEvent']);
    assert.deepEqual(await member('/bizSteps'), ['commissioning', 'packing', 'shipping']);
    assert.deepEqual(await member('/dispositions'), ['active', 'in_transit']);
    assert.ok((await member('/epcs')).includes('urn:epc:id:sscc:4012345.0000000333'));
    assert.equal((await member('/readPoints')).length, 2);
    assert.equal((await member('/bizLocations')).length, 1);
    const epc = encodeURIComponent('https://id.gs1.org/00/040123450000003338');
    const { json } = await server.ask(`/epcs/${epc}/events`);
    assert.equal(json.epcisBody.queryResults.resultsBody.eventList.length, 1);
    assert.equal((await server.ask('/bizSteps/packing')).status, 200);
    assert.equal((await server.ask('/bizSteps/loading')).status, 404);
  });

  it('are kept under a name, and deleted', async () => {
    const query = { eventType: ['AggregationEvent'], EQ_bizStep: ['packing'] };
    assert.equal((await server.post('/queries', { name: 'packing', query })).status, 201);
    assert.equal((await server.post('/queries', { name: 'packing', query })).status, 409);
    assert.equal((await server.post('/queries', { name: 'wrong', query: { EQ_nothing: 1 } })).status, 400);
    assert.equal((await server.post('/queries', { name: 'no name', query })).status, 400);
    assert.equal((await server.ask('/queries')).json.length, 1);
    assert.deepEqual((await server.ask('/queries/packing')).json.query, query);
    const { json } = await server.ask('/queries/packing/events');
    assert.equal(json.epcisBody.queryResults.queryName, 'packing');
    assert.equal(json.epcisBody.queryResults.resultsBody.eventList.length, 1);
    assert.equal((await server.ask('/queries/packing', { method: 'DELETE' })).status, 204);
    const gone = await server.ask('/queries/packing/events');
    assert.equal(gone.json.type, 'epcisException:NoSuchNameException');
  });

  it('answer with identifiers as asked for', async () => {
    const spelt = async (format: string): Promise<unknown> => {
      const path = `/events?EQ_bizStep=${encodeURIComponent('packing')}`;
      const { json } = await server.ask(path, { headers: { 'GS1-EPC-Format': format } });
      return json.epcisBody.queryResults.resultsBody.eventList[0].parentID;
    };
    assert.equal(await spelt('Always_GS1_Digital_Link'), 'https://id.gs1.org/00/040123450000003338');
    assert.equal(await spelt('Always_EPC_URN'), 'urn:epc:id:sscc:4012345.0000000333');
    assert.equal(await spelt('Never_Translates'), 'urn:epc:id:sscc:4012345.0000000333');
  });
});
