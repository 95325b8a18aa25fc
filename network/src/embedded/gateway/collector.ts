import type { peer } from '@hyperledger/fabric-protos';
import type { FailureDetail } from '../rpc/failure.js';
import type { Layout, Peer, Plan } from './planner.js';
import type { Answer } from './endorser-answer.js';

/** What a finished plan yields. */
export interface Endorsed {
  readonly responsePayload: Uint8Array;
  readonly endorsements: readonly peer.Endorsement[];
}

/**
 * Gathers the endorsements of a plan: layout after layout, within a layout the groups in parallel, within a group the
 * next peer after each failure. No peer is asked twice.
 */
export class Collector {
  readonly failures: FailureDetail[] = [];
  readonly #tried = new Set<Peer>();
  readonly #endorsements = new Map<Peer, peer.Endorsement>();
  #responsePayload: Uint8Array | undefined;

  constructor(
    private readonly plan: Plan,
    private readonly ask: (asked: Peer) => Promise<Answer>,
  ) {}

  /** Takes an answer got before the plan was made, or one asked for. Returns whether it is of use. */
  take(asked: Peer, answer: Answer): boolean {
    this.#tried.add(asked);
    if (!answer.ok) {
      this.failures.push(answer.detail);
      return false;
    }
    const payload = answer.response.getPayload_asU8();
    this.#responsePayload ??= payload;
    if (!Buffer.from(payload).equals(this.#responsePayload)) {
      const { address, mspId } = asked.endorser;
      this.failures.push({ address, mspId, message: 'ProposalResponsePayloads do not match' });
      return false;
    }
    const endorsement = answer.response.getEndorsement();
    if (endorsement) this.#endorsements.set(asked, endorsement);
    return true;
  }

  /** Works through the layouts. Undefined when none could be satisfied; then failures says why. */
  async collect(): Promise<Endorsed | undefined> {
    for (const layout of this.plan.layouts) {
      if (!this.#feasible(layout)) continue;
      await Promise.all([...layout].map(([group, count]) => this.#fill(group, count)));
      const complete = this.#result(layout);
      if (complete) return complete;
    }
    return undefined;
  }

  #group(group: string): readonly Peer[] {
    return this.plan.groups.get(group) ?? [];
  }

  #endorsed(group: string): Peer[] {
    return this.#group(group).filter((member) => this.#endorsements.has(member));
  }

  #feasible(layout: Layout): boolean {
    return [...layout].every(([group, count]) => {
      const untried = this.#group(group).filter((member) => !this.#tried.has(member));
      return this.#endorsed(group).length + untried.length >= count;
    });
  }

  async #fill(group: string, count: number): Promise<void> {
    const missing = count - this.#endorsed(group).length;
    await Promise.all(Array.from({ length: Math.max(missing, 0) }, () => this.#askNext(group)));
  }

  async #askNext(group: string): Promise<void> {
    for (let next = this.#untried(group); next; next = this.#untried(group)) {
      this.#tried.add(next);
      if (this.take(next, await this.ask(next))) return;
    }
  }

  #untried(group: string): Peer | undefined {
    return this.#group(group).find((member) => !this.#tried.has(member));
  }

  #result(layout: Layout): Endorsed | undefined {
    const complete = [...layout].every(([group, count]) => this.#endorsed(group).length >= count);
    if (!complete || !this.#responsePayload) return undefined;
    const useful = new Set([...layout.keys()].flatMap((group) => this.#endorsed(group)));
    const endorsements = [...this.#endorsements].flatMap(([by, endorsement]) => (useful.has(by) ? [endorsement] : []));
    return { responsePayload: this.#responsePayload, endorsements };
  }
}
