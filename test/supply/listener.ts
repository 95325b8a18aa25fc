/** A subscriber to EPCIS events over a websocket. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import { type ClientOptions, WebSocket } from 'ws';

interface Delivered {
  readonly ids: readonly string[];
  readonly subscriptionID: string;
}

/** A subscriber at the other end of a websocket. */
export class Listener {
  readonly heard: Delivered[] = [];
  readonly closed: Promise<number>;

  private constructor(
    readonly socket: WebSocket,
    readonly location: string,
  ) {
    this.closed = once(socket, 'close').then(([code]) => code as number);
    socket.on('message', (data: Buffer) => {
      const { epcisBody } = JSON.parse(data.toString('utf8')) as {
        epcisBody: { queryResults: { subscriptionID: string; resultsBody: { eventList: { eventID: string }[] } } };
      };
      const { subscriptionID, resultsBody } = epcisBody.queryResults;
      this.heard.push({ subscriptionID, ids: resultsBody.eventList.map(({ eventID }) => eventID.slice(9)) });
    });
  }

  static async open(url: string, options: ClientOptions = {}): Promise<Listener> {
    const socket = new WebSocket(url, { headers: { authorization: 'Bearer good' }, ...options });
    const upgraded = once(socket, 'upgrade') as Promise<[{ headers: { location?: string } }]>;
    const opened = once(socket, 'open');
    // Where it is refused both fail: the first is told.
    opened.catch(() => undefined);
    const [{ headers }] = await upgraded;
    const made = new Listener(socket, headers.location ?? '');
    await opened;
    return made;
  }

  get ids(): readonly string[] {
    return this.heard.flatMap(({ ids }) => ids);
  }

  async until(count: number): Promise<void> {
    while (this.ids.length < count) await sleep(20);
  }
}
