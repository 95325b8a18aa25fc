/** Figures that Fabric's nodes publish. */
import { readFileSync } from 'node:fs';
import { Agent, get, type RequestOptions } from 'node:https';
import { tlsFiles } from '@salus/network/identity/layout';
import { memberOf } from '@salus/network/topology';
import type { FaultyConsortium } from './consortium.js';

/** An orderer's figure, its series that have the label added up. Rejects when it does not answer. */
export type Figure = (metric: string, label?: string) => Promise<number>;

/** Reads the figures of orderer.<member> with its own certificate: it answers nobody else's organisation. */
export function ordererFigures({ prepared }: FaultyConsortium, orderer: string): Figure {
  const member = orderer.split('.')[1] ?? '';
  const node = memberOf(prepared.topology, member).orderer!;
  const own = prepared.material.members.find(({ name }) => name === member)!.orderer!;
  const { ca, cert, key } = tlsFiles(own.tlsDir);
  const agent = new Agent({
    keepAlive: true,
    ca: readFileSync(ca),
    cert: readFileSync(cert),
    key: readFileSync(key),
  });
  const options = {
    host: node.host,
    port: node.operationsPort,
    path: '/metrics',
    agent,
    timeout: 1_000,
    servername: '',
  };
  return async (metric, label = '') => {
    const text = await textOf(options);
    const lines = text.split('\n').filter((line) => line.startsWith(metric) && line.includes(label));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  };
}

function textOf(options: RequestOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.once('end', () => {
        resolve(text);
      });
      response.once('error', reject);
    });
    request.once('timeout', () => request.destroy(new Error('no answer')));
    request.once('error', reject);
  });
}
