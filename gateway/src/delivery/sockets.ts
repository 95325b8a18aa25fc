/** Deliveries by websocket: one has arrived once its taker answered the ping behind it: a frame alone says nothing. */
import { randomBytes } from 'node:crypto';

import type { WebSocket } from 'ws';

/** Largest message that is taken of a subscriber, bytes. */
export const MAX_SOCKET_BYTES = 1_024;
/** How often it is looked whether a subscriber is there, milliseconds. */
export const BEAT_MS = 15_000;
/** How long an answer to a ping is waited for, milliseconds. */
const PONG_MS = 10_000;
/** How long a goodbye is waited for, milliseconds. */
const GOODBYE_MS = 2_000;
/** Why a websocket is closed (RFC 6455 section 7.4.1). */
export const CLOSE = { normal: 1_000, goingAway: 1_001, policy: 1_008, fault: 1_011 } as const;

/** A websocket, or a part of one, that deliveries go to. */
export interface Line {
  /** Hands a delivery over: whether it arrived. */
  readonly deliver: (text: string) => Promise<boolean>;
}

/** Hands a text over: whether it arrived. */
export async function delivered(socket: WebSocket, text: string): Promise<boolean> {
  if (socket.readyState !== socket.OPEN) return false;
  socket.send(text);
  return await isAnswered(socket);
}

/** Whether the subscriber answers a ping in time; one that does not is away. */
export function isAnswered(socket: WebSocket): Promise<boolean> {
  const mark = randomBytes(8);
  return new Promise((resolve) => {
    const end = (isThere: boolean): void => {
      clearTimeout(late);
      socket.off('pong', answered).off('close', away);
      resolve(isThere);
    };
    const answered = (data: Buffer): void => {
      if (data.equals(mark)) end(true);
    };
    const away = (): void => {
      end(false);
    };
    const late = setTimeout(() => {
      socket.terminate();
    }, PONG_MS);
    socket.on('pong', answered).on('close', away);
    if (socket.readyState === socket.OPEN) socket.ping(mark);
    else end(false);
  });
}

/** Says goodbye, and ends the connection of who does not answer. */
export async function farewell(socket: WebSocket): Promise<void> {
  if (socket.readyState === socket.CLOSED) return;
  const late = setTimeout(() => {
    socket.terminate();
  }, GOODBYE_MS);
  // An error on the way out is followed by the end, too.
  const end = new Promise((resolve) => socket.once('close', resolve));
  socket.close(CLOSE.goingAway);
  await end;
  clearTimeout(late);
}
