/** Around the gateways: a member's own certificates, straight at another member's door or peer. */
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { connectLedger } from '@salus/gateway/ledger/fabric-ledger';
import type { LedgerCall } from '@salus/gateway/ports';

import { gatewaySettings } from '../support/gateway-settings.js';

/** Asks one member's door as another member's gateway. */
export function atDoor(
  stateDir: string,
  [asker, custodian]: readonly [string, string],
  path: string,
  question: object,
): Promise<{ readonly status: number; readonly text: string }> {
  const { door } = gatewaySettings(stateDir, custodian);
  const { cert, key, ca } = gatewaySettings(stateDir, asker).doorTls;
  const identity = { cert: readFileSync(cert), key: readFileSync(key), ca: readFileSync(ca) };
  const options = { ...door, ...identity, method: 'POST', path: `/door/fhir/R4/${path}`, servername: 'localhost' };
  return new Promise((resolve, reject) => {
    const sent = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text });
      });
    });
    sent.on('error', reject).end(JSON.stringify(question));
  });
}

/** Endorses a call at one member's peer with the identity of another's gateway: the answer, or the failure's message. */
export async function atPeer(
  stateDir: string,
  [asker, endorser]: readonly [string, string],
  call: LedgerCall,
): Promise<string> {
  const settings = { ...gatewaySettings(stateDir, asker), peers: gatewaySettings(stateDir, endorser).peers };
  const ledger = connectLedger(settings);
  try {
    return Buffer.from(await ledger.evaluate(call)).toString('utf8');
  } catch (error) {
    return `${(error as { code?: string }).code ?? ''} ${(error as Error).message}`;
  } finally {
    ledger.close();
  }
}

/** Calls at peers, each member's at its own with its own certificate; one connection for each. */
export class PeerCalls {
  readonly #connected = new Map<string, ReturnType<typeof connectLedger>>();

  constructor(private readonly stateDir: string) {}

  /** Has a call endorsed and thrown away: the code of the refusal; empty where it is endorsed. */
  async endorse(member: string, call: LedgerCall): Promise<string> {
    const ledger = this.#connected.get(member) ?? connectLedger(gatewaySettings(this.stateDir, member));
    this.#connected.set(member, ledger);
    try {
      await ledger.evaluate(call);
      return '';
    } catch (error) {
      return (error as { code?: string }).code ?? (error as Error).message;
    }
  }

  close(): void {
    for (const ledger of this.#connected.values()) ledger.close();
  }
}
