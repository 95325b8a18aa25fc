/**
 * A gateway of a member as far as its log of late accesses goes: take-late.js FOLDER ACTS. Says `ready`, and once it hears
 * anything tries to take each act, a JSON list of Glass, as the door does; then says under which ids it opened.
 */
import { setTimeout } from 'node:timers/promises';

import { LateLog } from '@salus/gateway/glass/late-log';
import { GlassStore, type Glass } from '@salus/gateway/glass/store';
import { KeyStore } from '@salus/gateway/keys/key-store';

const [folder = '', acts = '[]'] = process.argv.slice(2);
const keys = new KeyStore(folder);
const log = new LateLog(keys, 'stmary');
const store = new GlassStore(keys);

/** Takes them one after the other, the other process between. */
async function race(): Promise<void> {
  const opened: string[] = [];
  for (const glass of JSON.parse(acts) as Glass[]) {
    const act = { side: 'opened', request: String(process.pid), awaited: [] } as const;
    if (log.opens(glass.aid, act, () => store.takeLate(glass))) opened.push(glass.aid);
    await setTimeout(Math.random() * 4);
  }
  keys.close();
  process.send?.(opened, () => {
    process.disconnect();
  });
}

process.once('message', () => void race());
process.send?.('ready');
