/** The least that Node's own HTTP server does: what no gateway can beat. Sends its port when it listens. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const resource = { resourceType: 'Observation', id: 'bare', status: 'final', code: { text: 'yardstick' } };

const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'application/fhir+json' });
  response.end(JSON.stringify(resource));
});
server.listen(0, '127.0.0.1', () => {
  process.send?.((server.address() as AddressInfo).port);
});
