import type { ServerDuplexStream, ServerWritableStream } from '@grpc/grpc-js';
import { statusOf } from './failure.js';
import type { Limiter } from './limiter.js';
import type { RawUnary } from './raw.js';

/** What every handler needs besides its work. */
export interface HandlerContext {
  readonly limiter: Limiter;
  readonly log: (line: string) => void;
}

/** A call as its work sees it. */
export interface CallEnd {
  /** Aborted when the client cancels, its deadline passes or its connection breaks. */
  readonly signal: AbortSignal;
}

/** A unary method: bytes in, bytes out; a thrown FabricError becomes the call's status. */
export function unary(context: HandlerContext, work: (request: Buffer, call: CallEnd) => Promise<Buffer>): RawUnary {
  return (call, callback) => {
    let signal: AbortSignal | undefined;
    const end: CallEnd = {
      // Made only for those few methods that wait.
      get signal() {
        return (signal ??= cancellation(call));
      },
    };
    context.limiter
      .run(() => work(call.request, end))
      .then(
        (response) => {
          callback(null, response);
        },
        (error: unknown) => {
          if (!call.cancelled) callback(statusOf(error, context.log));
        },
      );
  };
}

/** A client's end of a stream of messages. */
export interface Outlet extends CallEnd {
  /** Resolves when the client can take more. */
  send(message: Buffer): Promise<void>;
}

/** A method that answers one request with a stream. */
export function serverStream(context: HandlerContext, work: (request: Buffer, outlet: Outlet) => Promise<void>) {
  return (call: ServerWritableStream<Buffer, Buffer>): void => {
    const outlet = outletOf(call);
    finish(call, outlet, context, () => work(call.request, outlet));
  };
}

/** A method that answers each message of the client's stream before it looks at the next; false ends the stream. */
export function bidiStream(
  context: HandlerContext,
  work: (request: Buffer, outlet: Outlet, call: ServerDuplexStream<Buffer, Buffer>) => Promise<boolean>,
) {
  return (call: ServerDuplexStream<Buffer, Buffer>): void => {
    const outlet = outletOf(call);
    finish(call, outlet, context, async () => {
      // A client that half-closes after its request still gets the whole answer.
      for await (const request of call) {
        if (!(await work(request as Buffer, outlet, call))) return;
      }
    });
  };
}

type Writable = ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;

function finish(call: Writable, outlet: Outlet, context: HandlerContext, work: () => Promise<void>): void {
  context.limiter.run(work).then(
    () => {
      call.end();
    },
    (error: unknown) => {
      if (!outlet.signal.aborted) call.emit('error', statusOf(error, context.log));
    },
  );
}

function outletOf(call: Writable): Outlet {
  const signal = cancellation(call);
  return {
    signal,
    send: (message) => {
      if (signal.aborted || call.write(message)) return Promise.resolve();
      return drained(call, signal);
    },
  };
}

/** A slow reader holds its own stream back instead of filling memory. */
function drained(call: Writable, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      call.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    call.once('drain', done);
    signal.addEventListener('abort', done, { once: true });
  });
}

function cancellation(call: { on(event: 'cancelled' | 'error', listener: () => void): unknown }): AbortSignal {
  const controller = new AbortController();
  const abort = (): void => {
    controller.abort();
  };
  call.on('cancelled', abort);
  return controller.signal;
}
