/** The ledgers on which a trial's world can be opened: the contracts' double, and the peers of a running network. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Tick, transactions as clock } from '@salus/chaincode/clock/api';
import { type ConnectedLedger, connectLedger } from '@salus/gateway/ledger/fabric-ledger';
import { Refusal } from '@salus/gateway/ledger/refusal';
import type { LedgerCall } from '@salus/gateway/ports';

import type { Call } from '../support/contract-world.js';
import { gatewaySettings } from '../support/gateway-settings.js';

/** What an endorser said; the message of a refusal is its JSON. */
export interface Said {
  readonly status: number;
  readonly message: string;
  readonly payload: string;
}

/** A ledger as members' gateways see it. */
export interface TrialLedger {
  /** What people's clocks show, ms since 1970. */
  readonly clockMs: number;
  /** Endorses and commits; fails the test when refused. */
  submit(member: string, name: string, call?: Call): Promise<Said>;
  /** Endorses only. */
  evaluate(member: string, name: string, call?: Call): Promise<Said>;
  /** Endorses and expects this refusal. */
  refused(code: string, member: string, name: string, call?: Call): Promise<void>;
  /** Lets the ledger's clock come past an instant, ms since 1970. */
  comePast(instant: number): Promise<void>;
}

const STEP_MS = 500;

/** The peers of a running network, each asked with its own member's certificate, past every gateway. */
export class PeerLedger implements TrialLedger {
  readonly #connected = new Map<string, ConnectedLedger>();
  /** The newest block in which something of this world was committed. */
  #block = 0;

  constructor(private readonly stateDir: string) {}

  get clockMs(): number {
    return Date.now();
  }

  async submit(member: string, name: string, call: Call = {}): Promise<Said> {
    const { block } = await (await this.#ledger(member)).submit(asLedgerCall(name, call));
    this.#block = Math.max(this.#block, block);
    return { status: 200, message: '', payload: '' };
  }

  async evaluate(member: string, name: string, call: Call = {}): Promise<Said> {
    try {
      const bytes = await (await this.#ledger(member)).evaluate(asLedgerCall(name, call));
      return { status: 200, message: '', payload: Buffer.from(bytes).toString('utf8') };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { category, code, message: detail } = error;
      return { status: 500, message: JSON.stringify({ category, code, detail }), payload: '' };
    }
  }

  async refused(code: string, member: string, name: string, call: Call = {}): Promise<void> {
    const { status, message } = await this.evaluate(member, name, call);
    assert.ok(status === 500 && message.includes(`"code":"${code}"`), `${name}: ${message} instead of ${code}`);
  }

  async comePast(instant: number): Promise<void> {
    let time = 0;
    while (time <= instant) {
      await sleep(STEP_MS);
      const { payload } = await this.evaluate('stmary', clock.read);
      time = Date.parse((JSON.parse(payload) as Tick).time);
    }
  }

  close(): void {
    for (const ledger of this.#connected.values()) ledger.close();
  }

  /** A member's peer, once it has seen what was done here. */
  async #ledger(member: string): Promise<ConnectedLedger> {
    const ledger = this.#connected.get(member) ?? connectLedger(gatewaySettings(this.stateDir, member));
    this.#connected.set(member, ledger);
    while ((await ledger.tip()) < this.#block) await sleep(STEP_MS / 10);
    return ledger;
  }
}

function asLedgerCall(transaction: string, { args: [argument] = [], request, actor }: Call): LedgerCall {
  const secret = Object.entries({ request, actor }).filter(([, value]) => value !== undefined);
  const transient = secret.map(([name, value]) => [name, Buffer.from(JSON.stringify(value))] as const);
  return { transaction, ...(argument !== undefined && { argument }), transient: Object.fromEntries(transient) };
}
