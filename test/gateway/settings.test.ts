import assert from 'node:assert/strict';

import { acceptedIssuer } from '@salus/gateway/identity/issuer';
import { parseSettings } from '@salus/gateway/settings';

import { exampleSettings } from '../support/example-settings.js';

function parsed(changes: Record<string, unknown>) {
  return parseSettings(JSON.stringify({ ...exampleSettings(), ...changes }), 'settings.json');
}

describe("a gateway's settings", () => {
  it('are read as they are', () => {
    assert.deepEqual(parsed({}), exampleSettings());
  });

  it('are refused with the place and what would be right', () => {
    assert.throws(() => parseSettings('{', 'a.json'), /a\.json: is not JSON/);
    assert.throws(() => parsed({ surprise: 1 }), /settings\.json: surprise is not known; known are member/);
    assert.throws(() => parsed({ listen: { host: 'x', port: 70_000 } }), /listen\.port must be a port/);
    assert.throws(() => parsed({ baseUrl: 'stmary' }), /baseUrl must be an http or https URL/);
    assert.throws(() => parsed({ peers: [] }), /peers needs at least one/);
    assert.throws(() => parsed({ members: [] }), /members must list stmary/);
    assert.throws(() => parsed({ mspId: 5 }), /mspId must be a text/);
  });

  it('shift no clock in production', () => {
    assert.equal(parsed({ clockOffsetMs: 1000 }).clockOffsetMs, 1000);
    assert.throws(() => parsed({ clockOffsetMs: 1000, production: true }), /clockOffsetMs must be 0 in production/);
  });

  it('let the development issuer serve loopback only, and never production', () => {
    assert.equal(acceptedIssuer(parsed({}), undefined).development, true);
    assert.throws(() => acceptedIssuer(parsed({ production: true }), undefined), /SALUS_TOKEN_ISSUER/);
    assert.throws(() => acceptedIssuer(parsed({ listen: { host: '0.0.0.0', port: 1 } }), undefined), /loopback only/);
    const proxied = parsed({ baseUrl: 'https://records.stmary.example' });
    assert.throws(() => acceptedIssuer(proxied, undefined), /loopback only/);
    const external = { issuer: 'https://id.example.org', jwks: 'https://id.example.org/keys' };
    assert.equal(acceptedIssuer(parsed({ production: true }), external).issuer, 'https://id.example.org');
  });
});
