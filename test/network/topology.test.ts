import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import {
  DEFAULT_TOPOLOGY_FILE,
  loadTopology,
  memberOf,
  membersWithRole,
  ordererMembers,
  TopologyError,
} from '@salus/network/topology';
import { parseTopology } from '@salus/network/topology/parse';

const text = readFileSync(DEFAULT_TOPOLOGY_FILE, 'utf8');

function mistake(changed: string): TopologyError {
  try {
    parseTopology(changed, 'net.yaml');
  } catch (error) {
    assert.ok(error instanceof TopologyError, String(error));
    return error;
  }
  return assert.fail('the mistake was not noticed');
}

/** The file with one passage replaced, and the line on which the passage began. */
function edited(passage: string, replacement: string): { error: TopologyError; line: number } {
  assert.ok(text.includes(passage), passage);
  const line = text.slice(0, text.indexOf(passage)).split('\n').length;
  return { error: mistake(text.replace(passage, replacement)), line };
}

function consortium(members: number): string {
  const one = (index: number) =>
    `  - { name: m${index}, mspId: M${index}MSP, roles: [hospital], orderer: ${String(index === 0)} }`;
  const list = Array.from({ length: members }, (_, index) => one(index));
  return `channel: c\nchaincode: { name: cc, version: 1.0.0 }\nmembers:\n${list.join('\n')}\n`;
}

describe('a member’s Fabric CA', () => {
  const served = (fabricCa: string) => text.replace('  - name: acme\n', `  - name: acme\n    fabricCa: ${fabricCa}\n`);
  const parsed = (fabricCa: string) =>
    memberOf(parseTopology(served(fabricCa), '/etc/salus/net.yaml'), 'acme').fabricCa;

  it('is started by the native network where no address is given', () => {
    assert.deepEqual(parsed('{}'), {
      url: 'https://127.0.0.1:7056',
      name: 'ca-acme',
      ordererName: 'ca-acme-orderer',
      listens: { host: '127.0.0.1', port: 7056 },
    });
  });

  it('is at an address otherwise, with files beside the topology file', () => {
    const given = '{ url: https://ca.acme.example:7054, tlsRoot: ca/root.pem, registrar: /run/secrets/acme.json }';
    assert.deepEqual(parsed(given), {
      url: 'https://ca.acme.example:7054',
      name: '',
      files: { tlsRoot: '/etc/salus/ca/root.pem', registrar: '/run/secrets/acme.json' },
    });
    const client = parsed(given.replace('}', ', tlsCert: ca/client.pem, tlsKey: ca/client.key }'))?.files?.client;
    assert.deepEqual(client, { cert: '/etc/salus/ca/client.pem', key: '/etc/salus/ca/client.key' });
  });

  it('is refused without TLS, without its files, and with files but no address', () => {
    const url = 'https://ca.acme.example:7054';
    assert.match(
      mistake(served(`{ url: 'http://ca.acme.example', tlsRoot: a, registrar: b }`)).message,
      /url of fabricCa/,
    );
    assert.match(mistake(served(`{ url: '${url}', tlsRoot: a }`)).message, /registrar of fabricCa.*give the path/);
    const halves = ['tlsCert', 'tlsKey'] as const;
    for (const [index, half] of halves.entries()) {
      const { message } = mistake(served(`{ url: '${url}', tlsRoot: a, registrar: b, ${half}: c }`));
      assert.match(message, new RegExp(`${halves[1 - index]!} of fabricCa.*give the path`));
    }
    assert.match(mistake(served('{ tlsRoot: a }')).message, /has no url; give it, or leave out tlsRoot/);
    assert.match(mistake(served(`{ secret: hush }`)).message, /unknown key secret/);
  });
});

describe('the default consortium', () => {
  const topology = loadTopology();

  it('has the seven members of the design in their order', () => {
    const names = topology.members.map((member) => member.name);
    assert.deepEqual(names, ['stmary', 'northside', 'acme', 'meridian', 'medisure', 'authority', 'tally']);
    assert.deepEqual(
      topology.members.map((member) => member.mspId),
      ['StmaryMSP', 'NorthsideMSP', 'AcmeMSP', 'MeridianMSP', 'MedisureMSP', 'AuthorityMSP', 'TallyMSP'],
    );
    assert.equal(topology.channel, 'health');
    assert.equal(topology.production, false);
  });

  it('gives each node its port', () => {
    const northside = memberOf(topology, 'northside');
    assert.equal(northside.gateways[0]?.port, 8102);
    assert.equal(northside.gateways[0].doorPort, 8202);
    assert.equal(northside.peers[0]?.port, 7111);
    assert.equal(memberOf(topology, 'acme').orderer?.port, 7503);
    assert.equal(northside.chaincodePort, 7602);
    assert.equal(topology.sharedChaincodePort, 7600);
  });

  it('runs orderers at stmary, acme and authority, each under an MSP of its own', () => {
    assert.deepEqual(
      ordererMembers(topology).map((member) => member.orderer.mspId),
      ['StmaryOrdererMSP', 'AcmeOrdererMSP', 'AuthorityOrdererMSP'],
    );
  });

  it('finds members by role', () => {
    const care = membersWithRole(topology, ['hospital', 'witness']).map((member) => member.name);
    assert.deepEqual(care, ['stmary', 'northside', 'authority']);
  });

  it('can be run with more peers and on other ports', () => {
    const other = loadTopology(DEFAULT_TOPOLOGY_FILE, { portBase: 20_000, peers: { stmary: 2 } });
    assert.deepEqual(
      memberOf(other, 'stmary').peers.map((peer) => peer.port),
      [20_201, 20_202],
    );
    assert.equal(memberOf(other, 'stmary').gateways[0]?.port, 20_001);
  });
});

describe('a proxy with TLS before a member’s gateways', () => {
  const way = (name: string) => `\n    listen: 127.0.0.1\n    publicUrl: https://records.${name}.example`;
  const proxied = (entries: RegExp, replaced = text) =>
    replaced.replace(entries, (entry, name: string) => `${entry}${way(name)}`);

  it('is where people come in: the gateway listens for it alone, its door for the other members', () => {
    const parsed = parseTopology(proxied(/ {2}- name: (stmary)$/m), 'net.yaml', { gateways: { stmary: 2 } });
    for (const { httpHost, listenHost, publicUrl } of memberOf(parsed, 'stmary').gateways) {
      assert.deepEqual([httpHost, publicUrl], ['127.0.0.1', 'https://records.stmary.example']);
      assert.equal(listenHost, memberOf(parsed, 'stmary').host);
    }
    assert.equal(memberOf(parsed, 'acme').gateways[0]!.publicUrl, 'http://127.0.0.1:8103');
  });

  it('stands before all where production is true', () => {
    const earnest = text.replace('production: false', 'production: true');
    assert.match(mistake(earnest).message, /member stmary would be served in plain HTTP.*give listen, .*publicUrl/);
    const parsed = parseTopology(proxied(/ {2}- name: (\w+)$/gm, earnest), 'net.yaml');
    assert.ok(parsed.members.every(({ gateways }) => gateways[0]!.publicUrl.startsWith('https://')));
  });

  it('has both keys or none, and its address is https without a path', () => {
    const given = (lines: string) => mistake(text.replace(/( {2}- name: stmary)$/m, `$1\n${lines}`)).message;
    assert.match(given('    listen: 127.0.0.1'), /publicUrl of member stmary is .*give an https URL/);
    assert.match(given('    publicUrl: https://a.example'), /listen of member stmary is .*give a lower-case host/);
    for (const url of ['http://a.example', 'https://a.example/fhir', 'https://a.example?x']) {
      assert.match(
        given(`    listen: 127.0.0.1\n    publicUrl: ${url}`),
        /publicUrl of member stmary is .*give an https URL/,
      );
    }
  });
});

describe('a mistake in the topology file', () => {
  it('is reported with file, line, what is wrong and what would be right', () => {
    const { error, line } = edited('    peers: 1\n', '    peers: 0\n');
    assert.equal(error.message, `net.yaml:${line}: peers of member stmary is 0; give a whole number from 1 to 9`);
  });

  const lineOf = (passage: string): number => text.slice(0, text.indexOf(passage)).split('\n').length;
  /** Ports that meet are reported where the members begin. */
  const toMembers = lineOf('  - name: stmary') - lineOf('doors: 8201');
  /** `off` is how far the line reported lies from the one changed. */
  const mistakes: [title: string, passage: string, replacement: string, problem: RegExp, off?: number][] = [
    ['an unknown key of the file', 'production: false', 'prodution: false', /unknown key prodution; use channel/],
    ['an unknown key of a member', 'title: Acme', 'titel: Acme', /member 3 has the unknown key titel/],
    ['an unknown role', 'roles: [payer]', 'roles: [pyer]', /is "pyer"; give hospital, pharmacy/],
    ['a missing MSP id', '    mspId: TallyMSP\n', '', /mspId of member tally is missing; give a name such as/, -1],
    ['a name with a hyphen', 'name: northside', 'name: north-side', /name of member 2 is "north-side"; give 2 to 20/],
    ['an MSP id that orderers would clash with', 'mspId: AcmeMSP', 'mspId: AcmeOrdererMSP', /mspId of member acme/],
    ['a repeated name', 'name: tally', 'name: acme', /name acme of member acme is already member acme's/],
    [
      'a repeated MSP id',
      'mspId: TallyMSP',
      'mspId: AcmeMSP',
      /mspId AcmeMSP of member tally is already member acme's/,
      -1,
    ],
    ['a company prefix that is a number', "['9521001']", '[9521001]', /is 9521001; give 6 to 12 digits in quotes/],
    [
      'premises of somebody else',
      'sgln:9521001.00001.0',
      'sgln:9521002.00001.0',
      /under no company prefix of member st/,
    ],
    ['a PGLN too short', 'pgln:9521003.00000', 'pgln:9521003.0', /give a PGLN such as/],
    ['a port without privileges', 'gateways: 8101', 'gateways: 80', /gateways of ports is 80; .* 1024 to 65535/],
    ['ports that meet', 'doors: 8201', 'doors: 8101', /both get 127.0.0.1:8101; move ports apart/, toMembers],
    ['an unknown rule', 'endorsement: MAJORITY', 'endorsement: MOST', /is "MOST"; give ANY, ALL or MAJORITY/],
    ['a flag in words', 'production: false', 'production: never', /production of the file is "never"; give true or/],
    ['a version without dots', 'version: 0.1.0', 'version: one', /version of chaincode is "one"; give a version/],
    ['broken YAML', 'roles: [payer]', 'roles: [payer', /not valid YAML/, 1],
    ['a key given twice', 'channel: health', 'channel: health\nchannel: other', /not valid YAML: Map keys must be/, 1],
  ];
  for (const [title, passage, replacement, problem, off = 0] of mistakes) {
    it(`${title} is refused at its line`, () => {
      const { error, line } = edited(passage, replacement);
      assert.match(error.message, problem);
      // What is missing, or wrong about a member as a whole, is reported at the member's first line.
      assert.equal(error.line, line + off);
      assert.ok(error.message.startsWith(`net.yaml:${error.line}: `));
    });
  }

  it('a file that is not there is said to be missing, and what to do', () => {
    assert.throws(() => loadTopology('/nowhere/net.yaml'), /net\.yaml:1: .*ENOENT.*; name another in SALUS_TOPOLOGY/);
  });

  it('an even number of orderers is refused', () => {
    const { error } = edited('    orderer: true\n', '');
    assert.match(error.message, /2 members run an orderer; set orderer: true at 1, 3, 4, 5, 6 or 7 members/);
  });

  it('two orderers are taken while the third is replaced, one with none of them, and two replaced at once, are refused', () => {
    const flags = (...values: string[]) =>
      values.reduce((all, value) => all.replace('orderer: true', `orderer: ${value}`), text);
    const { members } = parseTopology(flags('replaced'), 'net.yaml');
    assert.equal(members.filter(({ orderer }) => orderer).length, 2);
    assert.match(mistake(flags('replaced', 'replaced')).message, /2 orderers are replaced; replace one at a time/);
    assert.match(mistake(flags('replaced', 'false', 'false')).message, /0 members run an orderer/);
    assert.match(mistake(flags('gone')).message, /orderer of member stmary is "gone"; give true, false or replaced/);
  });

  it('fewer than two members of care are refused', () => {
    const lone = text.replace('[regulator, witness]', '[regulator]').replace('[hospital, pharmacy]', '[pharmacy]');
    assert.match(mistake(lone).message, /1 members are hospital or witness; name at least 2/);
  });
});

describe('limits of a topology', () => {
  it('16 members are taken, 17 refused', () => {
    assert.equal(parseTopology(consortium(16), 'net.yaml').members.length, 16);
    assert.match(mistake(consortium(17)).message, /the file has 17 members; give at most 16/);
  });

  it('two members are taken, one refused', () => {
    assert.equal(parseTopology(consortium(2), 'net.yaml').members.length, 2);
    assert.match(mistake(consortium(1)).message, /the consortium has 1 members; name at least 2/);
  });

  const counts: [key: string, most: number][] = [
    ['peers', 9],
    ['gateways', 6],
  ];
  for (const [key, most] of counts) {
    it(`${most} ${key} a member are taken, ${most + 1} refused`, () => {
      const member = (count: number) => text.replace(`    ${key}: 1\n`, `    ${key}: ${count}\n`);
      assert.doesNotThrow(() => parseTopology(member(most), 'net.yaml'));
      assert.match(
        mistake(member(most + 1)).message,
        new RegExp(`${key} of member stmary is ${most + 1}; give a whole`),
      );
    });
  }

  it('a title of 80 characters is taken, one of 81 refused', () => {
    const titled = (length: number) => text.replace('Meridian Wholesale', 'x'.repeat(length));
    assert.doesNotThrow(() => parseTopology(titled(80), 'net.yaml'));
    assert.match(mistake(titled(81)).message, /title of member meridian/);
  });

  it('20 company prefixes are taken, 21 refused', () => {
    const list = (count: number) =>
      text.replace(
        "['9521004']",
        `['9521004'${Array.from({ length: count - 1 }, (_, i) => `, '${700_000 + i}'`).join('')}]`,
      );
    assert.doesNotThrow(() => parseTopology(list(20), 'net.yaml'));
    assert.match(mistake(list(21)).message, /has 21 companyPrefixes; give at most 20/);
  });

  it('200 premises are taken, 201 refused', () => {
    const urn = (number: number) => `urn:epc:id:sgln:9521004.${String(number).padStart(5, '0')}.0`;
    const list = (count: number) =>
      text.replace(`[${urn(1)}]`, `[${Array.from({ length: count }, (_, i) => urn(i)).join(', ')}]`);
    assert.doesNotThrow(() => parseTopology(list(200), 'net.yaml'));
    assert.match(mistake(list(201)).message, /has 201 premises; give at most 200/);
  });
});
