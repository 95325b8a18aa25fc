import { strict as assert } from 'node:assert';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { postUntilKnown } from '@salus/gateway/commands/load';

describe('a Bundle that is sent until its outcome is known', () => {
  /** What is known of it at a gateway that answers so, one time after another, and then tells a replay. */
  async function known(...statuses: number[]): Promise<{ wasUnknown: boolean; waits: number; keys: number }> {
    const keys = new Set<unknown>();
    const gateway = createServer((request, response) => {
      keys.add(request.headers['idempotency-key']);
      const status = statuses.shift();
      if (status === 0) request.socket.destroy();
      else response.writeHead(status ?? 200, { 'idempotent-replayed': 'true' }).end('{}');
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => gateway.once('listening', resolve));
    const { port } = gateway.address() as AddressInfo;
    let waits = 0;
    const { response, wasUnknown } = await postUntilKnown(`http://127.0.0.1:${port}`, Buffer.from('{}'), 't', () => {
      waits += 1;
    });
    gateway.close();
    assert.equal(response.status, 200);
    return { wasUnknown, waits, keys: keys.size };
  }

  it('may have been taken by this load where the gateway did not know, or gave no answer', async () => {
    assert.deepEqual(await known(202), { wasUnknown: true, waits: 1, keys: 1 });
    assert.deepEqual(await known(0, 503), { wasUnknown: true, waits: 2, keys: 1 });
  });

  it('was there before where the gateway had done nothing until then', async () => {
    assert.deepEqual(await known(), { wasUnknown: false, waits: 0, keys: 1 });
    assert.deepEqual(await known(503, 429), { wasUnknown: false, waits: 2, keys: 1 });
  });
});
