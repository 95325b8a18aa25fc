import { dirname, resolve } from 'node:path';
import type { FabricCaServer } from './model.js';
import { fabricCaNode, type Place } from './nodes.js';
import type { Section, TopologyReader } from './reader.js';

const KEYS = ['url', 'name', 'ordererName', 'tlsRoot', 'registrar', 'tlsCert', 'tlsKey'] as const;
const URL_RULE = {
  pattern: /^https:\/\/[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:\d{1,5})?$/,
  expect: 'an address such as https://ca.stmary.example:7054',
};
const CA_NAME = { pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, expect: "an authority's name on the server" };
const FILE = { pattern: /^\S(.{0,1022}\S)?$/, expect: 'the path of a file' };

/**
 * Reads `fabricCa` of a member: with a `url`, the server that serves it, and the files of its TLS root, of its registrar's
 * credentials and of the certificate that it is shown, relative to the topology file; without, one that the native network starts.
 */
export function parseFabricCa(
  reader: TopologyReader,
  member: Section,
  place: Place,
  name: string,
): { readonly fabricCa?: FabricCaServer } {
  const section = reader.child(member, 'fabricCa', `fabricCa of ${member.title}`, KEYS);
  if (!section) return {};
  if (!section.node.has('url')) {
    const given = KEYS.filter((key) => section.node.has(key));
    if (given.length === 0) return { fabricCa: fabricCaNode(place, name) };
    reader.fail(section, `${section.title} has no url`, `give it, or leave out ${given.join(', ')}`);
  }
  const file = (key: string) => resolve(dirname(reader.file), reader.text(section, key, FILE));
  // One without the other is missed by whoever reads the second.
  const shows = section.node.has('tlsCert') || section.node.has('tlsKey');
  return {
    fabricCa: {
      url: reader.text(section, 'url', URL_RULE),
      name: reader.text(section, 'name', { ...CA_NAME, fallback: '' }),
      ...(section.node.has('ordererName') && { ordererName: reader.text(section, 'ordererName', CA_NAME) }),
      files: {
        tlsRoot: file('tlsRoot'),
        registrar: file('registrar'),
        ...(shows && { client: { cert: file('tlsCert'), key: file('tlsKey') } }),
      },
    },
  };
}
