/** Answers what never became a request: broken HTTP, headers beyond Node's limit, a client too slow. */
import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';

import { operationOutcome } from './fhir/outcome.js';

interface Answer {
  readonly line: string;
  readonly code: string;
  readonly diagnostics: string;
}

const BROKEN: Answer = { line: '400 Bad Request', code: 'structure', diagnostics: 'this is no HTTP request' };

/** By Node's code of the error. */
const ANSWERS: Readonly<Record<string, Answer>> = {
  HPE_HEADER_OVERFLOW: {
    line: '431 Request Header Fields Too Large',
    code: 'too-long',
    diagnostics: 'the headers are too long: send less in them',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    line: '408 Request Timeout',
    code: 'timeout',
    diagnostics: 'the request did not arrive in time: send it again',
  },
};

/** Makes the server answer such errors with an OperationOutcome, and close the connection. */
export function answerClientErrors(server: Server): void {
  server.on('clientError', (error: Error & { code?: string }, socket: Duplex) => {
    if (!socket.writable || error.code === 'ECONNRESET') socket.destroy();
    else socket.end(textOf(ANSWERS[error.code ?? ''] ?? BROKEN));
  });
}

function textOf({ line, code, diagnostics }: Answer): string {
  const body = JSON.stringify(operationOutcome([{ severity: 'error', code, diagnostics }]));
  const headers = [
    'Content-Type: application/fhir+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'Connection: close',
  ];
  return `HTTP/1.1 ${line}\r\n${headers.join('\r\n')}\r\n\r\n${body}`;
}
