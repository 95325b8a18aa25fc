/** The members of a running network as clients know them, from its state folder. */
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { developmentIssuer, fhirBase } from '@salus/gateway/identity/issuer';
import { readSigningKey } from '@salus/gateway/identity/keys';
import { signToken } from '@salus/gateway/identity/tokens';
import type { GatewaySettings } from '@salus/gateway/settings';
import { layout } from '@salus/network/identity/layout';
import { readNetwork } from '@salus/network/prepare';
import { memberOf, type Topology } from '@salus/network/topology';

/** Who asks. */
export interface Bearer {
  readonly subject: string;
  readonly role: string;
  readonly patient?: string;
}

/** The hospitals, whose gateways hold patients' records. */
export const HOSPITALS = ['stmary', 'northside'];

/** Where gateways are, and tokens for them. */
export class Members {
  readonly topology: Topology;

  constructor(readonly stateDir: string) {
    this.topology = readNetwork(stateDir).topology;
  }

  get names(): readonly string[] {
    return this.topology.members.map(({ name }) => name);
  }

  /** Base URLs of a member's gateways. */
  urlsOf(member: string): readonly string[] {
    return memberOf(this.topology, member).gateways.map(({ publicUrl }) => publicUrl);
  }

  /** Folder of the databases of a member's gateways. */
  dataOf(member: string): string {
    return layout.data(layout.member(this.stateDir, member));
  }

  /** A token for one of a member's gateways, by its place in urlsOf: each has an issuer of its own. */
  async token(member: string, gateway: number, { role, ...bearer }: Bearer): Promise<string> {
    const folder = layout.gateway(layout.member(this.stateDir, member), `gateway${gateway}`);
    const settings = JSON.parse(readFileSync(join(folder, 'settings.json'), 'utf8')) as GatewaySettings;
    const { baseUrl, jwk } = settings;
    const claims = { issuer: developmentIssuer(baseUrl), audience: fhirBase(baseUrl), member, purposes: [], role };
    const scope = role === 'patient' ? 'patient/*.cruds' : 'user/*.cruds';
    return await signToken({ ...claims, scope, ...bearer }, readSigningKey(jwk), Date.now());
  }
}
