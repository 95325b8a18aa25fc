/** The table of rights, cell by cell, straight at a peer: past every gateway, with a member's own certificate. */
import assert from 'node:assert/strict';
import { type Action, partsOf, type Phase, rights, type TrialRole } from '@salus/chaincode/trial/api';
import { kitActs } from '@salus/chaincode/dist/trial/kit-acts.js';
import { pointActs } from '@salus/chaincode/dist/trial/acts.js';
import { SigningKey } from '../support/signing.js';
import type { LedgerCall } from '@salus/gateway/ports';
import { PeerCalls } from './straight.js';
import { outcomes, parties, protocol } from './world.js';

const hash = 'a'.repeat(64);
const at = '2026-01-31T09:30:00.000Z';
const key = new SigningKey('cell');
const { jwk } = key;
const reason = 'a cell of the table';
const statement = key.sign({ cell: true });
const signature = { kid: 'cell', signedAt: at, name: hash, statement };
const place = { participant: 'CELL', visit: 'v1', form: 'vitals', n: 1, delegate: 'cell' };
const event = { event: 'CELL', n: 1, commitment: hash };
const document = { version: 1, translations: [{ language: 'en', hash }], optionalParts: [] };
const person = { participant: 'CELL', jwk, statement };
const report = {
  participant: 'CELL',
  isSerious: true,
  isFatal: false,
  severity: 'mild',
  causality: 'related',
  awareAt: at,
};
const slots = [{ slot: 1, kit: 'CELL', arm: 'A', nonce: hash }];

/** A request of every action that the contracts can read; whether it could be done does not matter. */
const requests: Readonly<Record<string, object>> = {
  register: { parties, protocol: protocol() },
  'register-version': { version: 2, previous: hash, protocol: protocol(), reason },
  'sign-version': { version: 1, hash, signature },
  'approve-version': { version: 1, hash, signature },
  'activate-version': { version: 1 },
  'commit-list': { stratum: 's1', root: hash, kits: ['CELL'] },
  'approve-list': { stratum: 's1', hash, signature },
  'publish-document': document,
  'adopt-document': { version: 1, hash, signature },
  delegate: { role: 'monitor', jwk },
  'end-delegation': { kid: 'cell' },
  consent: { ...person, n: 1, document: 1, language: 'en', parts: [], countersignature: signature },
  withdraw: { participant: 'CELL', n: 2, withdrawn: 'keep-data', statement },
  'restrict-use': { participant: 'CELL', n: 1, isRestricted: true },
  'declare-eligible': { participant: 'CELL', criteria: [] },
  enrol: { participant: 'CELL', stratum: 's1', slot: 1, consent: 1 },
  'unblind-one': { stratum: 's1', slot: 1, reason, delegate: 'cell' },
  halt: { reason, signature },
  resume: { reason, signature },
  'record-look': { look: 1, reason },
  lock: { root: hash, points: 0, acts: 0, reason, signature },
  unlock: { reason, signatures: [signature, signature] },
  reveal: { stratum: 's1', slots },
  'post-results': { publication: hash, published: at, outcomes },
  'report-event': { ...event, ...report },
  'assess-event': { event: 'CELL', n: 1, causality: 'related', isUnexpected: true },
  'submit-event': event,
  'acknowledge-event': event,
};

/** The same of those whose request travels in the transient map. */
const hidden: Readonly<Record<string, object>> = {
  'keep-arms': { stratum: 's1', slots, salt: hash },
  claim: { participant: 'CELL', hmacs: [hash], salt: hash },
  'new-secret': { secret: hash, salt: hash },
};

const members: Readonly<Record<string, string>> = {
  ...{ sponsor: 'acme', allocator: 'tally', board: 'tally', ethics: 'authority', regulator: 'authority' },
  site: 'stmary',
};
const byTable = ['not-your-role', 'not-a-party', 'not-now'];
/** Every role at every member for whose part it acts: a monitor at sponsor and allocator. */
export function actors(): readonly (readonly [role: TrialRole, member: string])[] {
  const roles = Object.keys(partsOf) as TrialRole[];
  return roles.flatMap((role) => partsOf[role].map((part) => [role, members[part] ?? ''] as const));
}

/** Everybody who plays no part. */
const STRANGER = 'meridian';

/** Tries every n-th cell of a trial's state at the peers of those who act, and each action by a stranger. */
export class Cells {
  tried = 0;

  constructor(
    private readonly peers: PeerCalls,
    private readonly every: number,
  ) {}

  async whileIn(trial: string, phase: Phase): Promise<void> {
    for (const action of Object.keys(rights) as Action[]) {
      const right: { readonly roles: readonly string[]; readonly phases: readonly Phase[] } = rights[action];
      for (const [role, member] of actors()) {
        this.tried += 1;
        if (this.tried % this.every !== 0) continue;
        const code = await this.#code(trial, action, member, role);
        const wanted = !right.roles.includes(role) ? 'not-your-role' : right.phases.includes(phase) ? '' : 'not-now';
        const found = byTable.includes(code) ? code : '';
        assert.equal(found, wanted, `${action} by ${role} of ${member} while ${phase}: ${code}`);
      }
      const [role = ''] = right.roles;
      if (this.tried % this.every < actors().length)
        assert.equal(await this.#code(trial, action, STRANGER, role), 'not-a-party');
    }
  }

  /** While nothing of the name is registered, its sponsor alone may register it, and nothing else is there to act on. */
  async whileUnregistered(trial: string): Promise<void> {
    for (const action of Object.keys(rights) as Action[]) {
      for (const [role, member] of actors()) {
        this.tried += 1;
        const wanted = action !== 'register' ? 'unknown-trial' : role === 'sponsor' ? '' : 'not-your-role';
        if (this.tried % this.every !== 0 && wanted === 'unknown-trial') continue;
        const code = await this.#code(trial, action, member, role);
        assert.equal(code, wanted, `${action} by ${role} of ${member} before anything is registered`);
      }
    }
    assert.equal(await this.#code(trial, 'register', STRANGER, 'sponsor'), 'not-a-party');
  }

  async #code(trial: string, action: Action, member: string, role: string): Promise<string> {
    const actor = Buffer.from(JSON.stringify({ user: 'u-1', role, purpose: 'CLINTRCH' }));
    const said = await this.peers.endorse(member, callOf(trial, action, actor));
    assert.ok(!said.includes('invalid-request'), `${action}: ${said}`);
    return said;
  }
}

function callOf(trial: string, action: Action, actor: Uint8Array): LedgerCall {
  const secret = hidden[action];
  if (secret !== undefined) {
    const request = Buffer.from(JSON.stringify({ trial, ...secret }));
    return { transaction: `trial:${action}`, transient: { actor, request } };
  }
  const [verb, open] = openCall(action);
  return { transaction: `trial:${verb}`, argument: JSON.stringify({ trial, ...open }), transient: { actor } };
}

function openCall(action: Action): readonly [verb: string, request: object] {
  if ((pointActs as readonly string[]).includes(action)) return ['point', { ...place, act: action }];
  if ((kitActs as readonly string[]).includes(action)) {
    return ['kit', { kit: 'CELL', n: 1, act: action, delegate: 'cell' }];
  }
  return [action, requests[action] ?? assert.fail(`no request of ${action}`)];
}
