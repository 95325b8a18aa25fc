/** The least an Express server can do: the yardstick for reads. Sends its port when it listens. */
import type { AddressInfo } from 'node:net';

import express from 'express';

const resource = { resourceType: 'Observation', id: 'bare', status: 'final', code: { text: 'yardstick' } };

const app = express();
app.get('/fhir/R4/Observation/:id', (request, response) => {
  response.type('application/fhir+json').send(JSON.stringify({ ...resource, id: request.params.id }));
});
const server = app.listen(0, '127.0.0.1', () => {
  process.send?.((server.address() as AddressInfo).port);
});
