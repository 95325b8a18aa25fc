/** The table of settings in docs/fabric.md is what Fabric's nodes and the channel are given. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

import { TUNING } from '@salus/network/config/tuning';

import { projectRoot } from '../support/shared.js';

const template = (name: string): string => readFileSync(join(projectRoot, 'network', 'templates', name), 'utf8');
/** What is rendered is no matter here: only its name is left. */
const read = (text: string): unknown => parse(text.replaceAll(/\$\{(\w+)\}/g, '$1'));

const [core, orderer] = [template('core.yaml'), template('orderer.yaml')];

/** The value under a path of keys. */
function at(text: string, path: string): string {
  let value = read(text);
  for (const key of path.split('.')) value = (value as Readonly<Record<string, unknown>>)[key];
  assert.ok(['string', 'number', 'boolean'].includes(typeof value), `nothing is set at ${path}`);
  return JSON.stringify(value).replaceAll('"', '');
}

const kilobytes = (bytes: number): string => `${bytes / 1024} KB`;
const onOff = (text: string): string => (text === 'true' ? 'on' : 'off');
const gossip = (name: string): string => at(core, `peer.gossip.${name}`);

/** Each row of the table with what is set. */
const SET: Readonly<Record<string, readonly string[]>> = {
  BatchTimeout: [TUNING.batchTimeout],
  PreferredMaxBytes: [kilobytes(TUNING.preferredMaxBytes)],
  AbsoluteMaxBytes: [`${TUNING.absoluteMaxBytes / 1024 / 1024} MB`],
  'Raft tick': [TUNING.raft.tickInterval],
  'orderer cluster RPCTimeout, SendBufferSize': [
    at(orderer, 'General.Cluster.RPCTimeout'),
    at(orderer, 'General.Cluster.SendBufferSize'),
  ],
  'gossip state transfer': [onOff(gossip('state.enabled'))],
  'gossip state info intervals': [gossip('publishStateInfoInterval'), gossip('requestStateInfoInterval')],
  'gossip alive interval, expiration': [gossip('aliveTimeInterval'), gossip('aliveExpirationTimeout')],
  'gossip reconnect interval': [gossip('reconnectInterval')],
  'pvtData pullRetryThreshold': [gossip('pvtData.pullRetryThreshold')],
  'pvtData reconcileSleepInterval': [gossip('pvtData.reconcileSleepInterval')],
  'pvtData skipPullingInvalidTransactionsDuringCommit': [gossip('pvtData.skipPullingInvalidTransactionsDuringCommit')],
  'pvtData transientstoreMaxBlockRetention': [gossip('pvtData.transientstoreMaxBlockRetention')],
  'pvtdataStore purgeInterval': [`${at(core, 'ledger.pvtdataStore.purgeInterval')} block`],
  'peer gateway broadcastTimeout': [at(core, 'peer.gateway.broadcastTimeout')],
  'limits gatewayService': [at(core, 'peer.limits.concurrency.gatewayService')],
};

interface Row {
  readonly setting: string;
  readonly byDefault: string;
  readonly ours: string;
}

const bare = (text: string): string => text.replaceAll(/[\s,]/g, '').replace(/min$/, 'm').toLowerCase();

function rows(): Row[] {
  const text = readFileSync(join(projectRoot, 'docs', 'fabric.md'), 'utf8');
  const section = text.slice(text.indexOf('\n## Settings'), text.indexOf('\n## Tested'));
  return [...section.matchAll(/^\|(.*)\|$/gm)]
    .map(([, line = '']) => line.split('|').map((cell) => cell.trim()))
    .slice(2)
    .map(([setting = '', byDefault = '', ours = '']) => ({ setting, byDefault, ours }));
}

describe('the table of settings', () => {
  it('has a row for each, with the value that is set', () => {
    assert.deepEqual(
      rows()
        .map(({ setting }) => setting)
        .sort(),
      Object.keys(SET).sort(),
    );
    for (const { setting, ours } of rows()) {
      const said = [...new Set((SET[setting] ?? []).map(bare))].join('');
      assert.equal(bare(ours), said, setting);
    }
  });

  it('has every setting of the templates that says what the default is, with that default', () => {
    const defaults = [core, orderer].flatMap((text) =>
      [...text.matchAll(/# .*?[Dd]efaults? (?:for the gateway )?([^.:]*)/g)].flatMap(([, said = '']) => [
        ...said.matchAll(/(\d+)(s|m)?/g),
      ]),
    );
    const known = rows().flatMap(({ byDefault }) => byDefault.split(',').map(bare));
    assert.ok(defaults.length > 10);
    for (const [value] of defaults) {
      assert.ok(
        known.some((each) => each.startsWith(value)),
        `the default ${value} is in no row`,
      );
    }
  });
});
