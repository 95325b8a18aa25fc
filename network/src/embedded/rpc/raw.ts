import type { handleUnaryCall, MethodDefinition, ServiceDefinition, UntypedHandleCall } from '@grpc/grpc-js';

/** What travels is bytes: messages are parsed where they are needed, once, and blocks not at all. */
const bytes = {
  requestSerialize: (value: Buffer) => value,
  requestDeserialize: (value: Buffer) => value,
  responseSerialize: (value: Buffer) => value,
  responseDeserialize: (value: Buffer) => value,
};

/** Which sides of a call are streams. */
export type CallKind = 'unary' | 'serverStream' | 'bidiStream';

/** A gRPC service of methods that take and give bytes, by name such as gateway.Gateway. */
export function rawService(name: string, methods: Readonly<Record<string, CallKind>>): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(methods).map(([method, kind]) => [
      method,
      {
        path: `/${name}/${method}`,
        requestStream: kind === 'bidiStream',
        responseStream: kind !== 'unary',
        originalName: method,
        ...bytes,
      } satisfies MethodDefinition<Buffer, Buffer>,
    ]),
  );
}

/** A handler of a unary method. */
export type RawUnary = handleUnaryCall<Buffer, Buffer>;

/** Handlers by the methods' names. */
export type RawHandlers = Readonly<Record<string, UntypedHandleCall>>;
