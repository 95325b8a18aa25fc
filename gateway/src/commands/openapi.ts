/** `salus openapi`: the FHIR interface as an OpenAPI document, for tools that read nothing else. */
import type { Command } from '@salus/network/command';

/** Writes JSON to the standard output. */
export const openApiCommand: Command = {
  name: 'openapi',
  summary: 'write the FHIR interface as an OpenAPI document',
  options: [{ flags: '--url <base>', summary: 'its FHIR base', default: 'http://127.0.0.1:8101/fhir/R4' }],
  async run({ options }, io) {
    // Loaded only when asked for: every verb would wait for it otherwise.
    const { openApiDocument } = await import('../fhir/openapi.js');
    io.out(JSON.stringify(openApiDocument(String(options['url']))));
    return 0;
  },
};
