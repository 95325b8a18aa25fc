/**
 * A gateway of a member as far as its log of late accesses goes: take-late.js FOLDER. Says `ready`; tries to take each act
 * (Glass) that it is sent as the door does, and says whether it opened.
 */
import { LateLog } from '@salus/gateway/glass/late-log';
import { GlassStore, type Glass } from '@salus/gateway/glass/store';
import { KeyStore } from '@salus/gateway/keys/key-store';

const keys = new KeyStore(process.argv[2] ?? '');
const log = new LateLog(keys, 'stmary');
const store = new GlassStore(keys);

process.on('message', (glass: Glass) => {
  const act = { side: 'opened', request: String(process.pid), awaited: [] } as const;
  process.send?.(log.opens(glass.aid, act, () => store.takeLate(glass)));
});
process.once('disconnect', () => {
  keys.close();
});
process.send?.('ready');
