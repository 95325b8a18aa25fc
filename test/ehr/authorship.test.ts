import { strict as assert } from 'node:assert';

import { versionKey } from '@salus/chaincode/ehr/api';
import { provenanceId, provenanceOfId } from '@salus/gateway/ehr/provenance-id';
import { authorshipOf, contentOf, openStored, storedBytes, toEntry } from '@salus/gateway/ehr/translate';
import { derivedProvenance } from '@salus/gateway/fhir/derived-provenance';
import { validationIssues } from '@salus/gateway/fhir/validate';
import { freshSecrets } from '@salus/gateway/keys/content';
import type { Actor, StoredVersion } from '@salus/gateway/ports';

import { FhirServer } from '../support/fhir-server.js';

const code = 'ab'.repeat(32);
const staff: Actor = { member: 'stmary', user: 'dr-adams', role: 'physician', purpose: 'TREAT', scopes: [] };

interface Derived {
  readonly agent: readonly {
    readonly role?: readonly { readonly coding: readonly { readonly code: string }[] }[];
    readonly who: { readonly reference?: string; readonly identifier?: { readonly value: string } };
    readonly onBehalfOf?: { readonly reference?: string };
  }[];
  readonly reason?: unknown;
}

function derivedOf(by: Actor | undefined, version = 1): Derived {
  const stored: StoredVersion = {
    ...{ type: 'Observation', id: 'o', version, lastUpdated: '2026-01-01T00:00:00.000Z', deleted: false, text: '{}' },
    ...{ txId: 'aa', block: 7, ledgerKey: versionKey(code, version) },
    ...(by === undefined ? {} : { by: JSON.stringify(authorshipOf(by, undefined)) }),
  };
  const { text } = derivedProvenance(stored, 'stmary')!;
  const resource = JSON.parse(text) as Derived & Record<string, unknown>;
  assert.deepEqual(validationIssues(resource), []);
  return resource;
}

const keptAlone = (key: Buffer) => ({ versionKey: () => key, isErasedKey: () => false });

describe('who wrote a version', () => {
  it('is part of what is encrypted and committed to, and read again', () => {
    const by = authorshipOf({ ...staff, launch: 'p', scopes: ['user/*.*'] }, [{ text: 'why' }]);
    const [secrets] = freshSecrets(1);
    const content = { type: 'Observation', id: 'o', patient: 'p', by, text: '{"a":1.50}' };
    const { entry } = toEntry(content, 1, code, secrets!);
    const opened = openStored('k', storedBytes(entry.value), { keys: keptAlone(secrets!.key) });
    assert.deepEqual(contentOf(opened!), content);
    const another = toEntry({ ...content, by: { ...by, user: 'dr-baker' } }, 1, code, secrets!);
    assert.notEqual(another.entry.value.commitment, entry.value.commitment);
    assert.ok(!JSON.stringify(entry).includes('dr-adams'));
  });

  it('is nobody in versions of a time when it was not kept: then the member alone is named', () => {
    const secrets = freshSecrets(1)[0]!;
    const { entry } = toEntry({ type: 'Observation', id: 'o', text: '{}' }, 1, code, secrets);
    const opened = openStored('k', storedBytes(entry.value), { keys: keptAlone(secrets.key) });
    assert.deepEqual(contentOf(opened!), { type: 'Observation', id: 'o', text: '{}' });
    const { agent, reason } = derivedOf(undefined);
    assert.deepEqual(agent, [{ who: { identifier: { system: 'urn:salus:member', value: 'stmary' } } }]);
    assert.equal(reason, undefined);
  });

  it('is a patient, or a guardian or delegate for one', () => {
    const person = (kind: 'guardian' | 'delegate'): Actor => ({
      ...{ ...staff, user: 'mum', role: 'guardian', patient: 'ann' },
      mandate: { kind, person: 'rp' },
    });
    const [patient] = derivedOf({ ...staff, user: 'ann-1', role: 'patient', patient: 'ann' }).agent;
    assert.equal(patient!.who.reference, 'Patient/ann');
    const [guardian] = derivedOf(person('guardian')).agent;
    assert.deepEqual([guardian!.who.reference, guardian!.onBehalfOf?.reference], ['RelatedPerson/rp', 'Patient/ann']);
    assert.equal(guardian!.role![0]!.coding[0]!.code, 'guardian');
    assert.equal(derivedOf(person('delegate')).agent[0]!.role![0]!.coding[0]!.code, 'delegate');
  });

  it('has an id that leads back to the key of the version alone', () => {
    const named = (ledgerKey: string, type = 'Observation') => ({ type, id: 'o', version: 12, ledgerKey });
    const id = provenanceId(named(versionKey(code, 12)))!;
    assert.match(id, /^v12-[0-9a-f]{48}$/);
    const of = provenanceOfId(id);
    assert.ok(of?.kind === 'clinical' && versionKey(code, 12).startsWith(of.keyStart));
    for (const other of ['v0-x', `v12-${code}`, `${id}0`, id.toUpperCase(), 'consent-v0-a', 'consents-v1-a']) {
      assert.equal(provenanceOfId(other), undefined, other);
    }
    assert.equal(provenanceId(named('no key')), undefined);
  });

  it('has for a consent an id that leads back to the consent and says nothing of the patient’s number', () => {
    const ledgerKey = versionKey(code, 12).replace('resource', 'consent');
    const idOf = (id: string): string => provenanceId({ type: 'Consent', id, version: 12, ledgerKey })!;
    assert.equal(idOf('c1'), 'consent-v12-c1');
    assert.deepEqual(provenanceOfId('consent-v12-c1'), { kind: 'consent', version: 12, id: 'c1' });
    const long = idOf('c'.repeat(64));
    assert.deepEqual(provenanceOfId(long), { kind: 'some-consent', version: 12 });
    assert.notEqual(long, idOf('d'.repeat(64)));
    for (const id of [idOf('c1'), long]) assert.ok(id.length <= 64 && !id.includes('abab'), id);
    assert.equal(provenanceId({ type: 'Observation', id: 'c1', version: 12, ledgerKey }), undefined);
  });

  it('is looked for among so many versions and not one more', async () => {
    const limits = { examined: 3, chainWidth: 5, counted: 60, record: 2 };
    const server = new FhirServer({ member: 'test' }, limits);
    try {
      for (let at = 0; at < 3; at += 1) {
        await server.ask(`PUT Basic/b`, { body: { resourceType: 'Basic', id: 'b', code: { text: `${at}` } } });
      }
      assert.equal((await server.ask('GET Provenance?recorded=ge2020')).status, 200);
      await server.ask('PUT Basic/c', { body: { resourceType: 'Basic', id: 'c', code: { text: 'c' } } });
      const refused = await server.ask('GET Provenance?recorded=ge2020');
      assert.deepEqual([refused.status, /too-costly/.test(JSON.stringify(refused.json))], [413, true]);
    } finally {
      await server.close();
    }
  });
});
