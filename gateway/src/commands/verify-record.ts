/** `salus verify-record`: checks an exported record against the blocks of a peer of one's own, resource by resource. */
import { existsSync, readFileSync } from 'node:fs';

import { type Command, CommandError } from '@salus/network/command';

import { agrees, evidenceOf } from '../door/evidence.js';
import { parseExactly, type JsonObject } from '../fhir/json.js';
import { recordRoot, signedRecord } from '../patient/record-proof.js';
import type { RecordChain } from './record-chain.js';

/** Exit code 1 with a sentence for each finding when the record is not what the hospital signed, or not on the ledger. */
export const verifyRecord: Command = {
  name: 'verify-record',
  summary: "check a record from $export-record against the blocks of a member's peer",
  arguments: [{ name: 'file', summary: 'the Bundle as JSON', required: true }],
  options: [{ flags: '--member <name>', summary: 'whose peer delivers the blocks', default: 'authority' }],
  async run({ args, options }, io) {
    const bundle = readBundle(args[0] ?? '');
    // Loaded only when asked for: every verb would wait for it otherwise.
    const { readChain } = await import('./record-chain.js');
    const chain = await readChain(io.stateDir, String(options['member']));
    const entries = (bundle.entry ?? []) as readonly JsonObject[];
    const findings = await findingsOf(bundle, entries, chain);
    for (const finding of findings) io.err(finding);
    io.out(findings.length === 0 ? `${entries.length} resources, each as signed and as on the ledger` : 'not verified');
    return findings.length === 0 ? 0 : 1;
  },
};

async function findingsOf(bundle: JsonObject, entries: readonly JsonObject[], chain: RecordChain): Promise<string[]> {
  const { data } = (bundle.signature ?? {}) as { readonly data?: string };
  const jws = Buffer.from(data ?? '', 'base64').toString('utf8');
  const keys = [...chain.members.values()].flatMap((member) => member.keys.map((key) => ({ member, key })));
  const signed = await signedRecord(jws, (kid) => keys.find(({ key }) => key.kid === kid)?.key);
  const signer = keys.find(({ key }) => key.kid === signed?.kid)?.member.name;
  if (signed === undefined || signed.claims.member !== signer) return ['no member in force signed this record'];
  const { claims } = signed;
  const isWhole = claims.count === entries.length && claims.root === recordRoot(entries);
  return [
    ...(isWhole ? [] : [`it is not the record that ${signer} signed: something was changed, added or left out`]),
    ...entries.flatMap((entry) => (isOnLedger(entry, signer, chain) ? [] : [`${nameOf(entry)} is not on the ledger`])),
  ];
}

function isOnLedger(entry: JsonObject, member: string, { transactions }: RecordChain): boolean {
  const evidence = evidenceOf(entry);
  const resource = entry.resource as JsonObject | undefined;
  if (evidence === undefined || resource === undefined) return false;
  return agrees(resource, evidence, member, transactions.get(evidence.txId));
}

function nameOf({ resource }: JsonObject): string {
  const { resourceType, id } = (resource ?? {}) as { readonly resourceType?: string; readonly id?: string };
  return `${resourceType ?? 'a resource'}/${id ?? ''}`;
}

function readBundle(file: string): JsonObject {
  if (!existsSync(file)) throw new CommandError(`there is no file ${file}`, 2);
  const bundle = parseExactly(readFileSync(file, 'utf8')) as JsonObject;
  if (bundle.resourceType === 'Bundle') return bundle;
  throw new CommandError(`${file} holds no Bundle: give it what $export-record answered`, 2);
}
