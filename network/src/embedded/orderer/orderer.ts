import { common } from '@hyperledger/fabric-protos';
import type { Chain, Channel, Committer, Orderer, Signer } from '../ports.js';
import { BlockWriter, chainTip } from './block-writer.js';
import { envelopeSize, filter, type Verdict } from './broadcast.js';
import { Cutter, type CutRules, type Sized } from './cutter.js';

/** Envelopes that may wait for a block; further ones wait to be accepted. */
const MAX_WAITING = 5_000;

/** What one ordering service is made of. */
export interface OrdererOptions {
  readonly channel: Channel;
  readonly chain: Chain;
  readonly committer: Committer;
  /** An orderer's identity and key: signs every block. */
  readonly signer: Signer;
  readonly rules: CutRules;
  /** AbsoluteMaxBytes of the channel's configuration. */
  readonly maxBytes: number;
  readonly now: () => Date;
  /** Called once when a block could not be committed: nothing can be ordered from then on. */
  readonly failed: (error: unknown) => void;
}

/** The ordering service of the embedded ledger: one node, so its order is the order of arrival. */
export class SoloOrderer implements Orderer {
  readonly #cutter: Cutter;
  readonly #writer: BlockWriter;
  readonly #batches: Buffer[][] = [];
  #room: (() => void)[] = [];
  #timer: NodeJS.Timeout | NodeJS.Immediate | undefined;
  #working: Promise<void> | undefined;
  #stopped = false;

  constructor(private readonly options: OrdererOptions) {
    const { channel, chain, signer, rules } = options;
    this.#cutter = new Cutter(rules);
    this.#writer = new BlockWriter(chainTip(chain), signer, () => channel.configBlock);
  }

  async broadcast(bytes: Buffer): Promise<Verdict> {
    const envelope = parse(bytes);
    if (!envelope)
      return { status: common.Status.BAD_REQUEST, info: 'could not determine channel ID: not an envelope' };
    const verdict = filter(envelope, this.options);
    if (verdict.status !== common.Status.SUCCESS) return verdict;
    await this.#untilRoom();
    if (this.#stopped) return { status: common.Status.SERVICE_UNAVAILABLE, info: 'the orderer is stopping' };
    this.#enqueue({ envelope: bytes, size: envelopeSize(envelope) });
    return verdict;
  }

  /** Orders what was accepted, then takes nothing more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cutNow();
    await this.#working;
  }

  #enqueue(message: Sized): void {
    this.#batches.push(...this.#cutter.add(message));
    if (this.#batches.length > 0) this.#work();
    if (this.#cutter.pending > 0) this.#schedule();
  }

  /** In adaptive mode an envelope waits for the running commit, or for the other envelopes of this turn of the loop. */
  #schedule(): void {
    const { timeoutMs } = this.options.rules;
    if (this.#timer !== undefined || (timeoutMs === 0 && this.#working)) return;
    const cut = (): void => {
      this.#cutNow();
    };
    this.#timer = timeoutMs === 0 ? setImmediate(cut) : setTimeout(cut, timeoutMs);
  }

  #cutNow(): void {
    this.#clearTimer();
    if (this.#cutter.pending > 0) this.#batches.push(this.#cutter.cut());
    if (this.#batches.length > 0) this.#work();
  }

  #clearTimer(): void {
    if (this.options.rules.timeoutMs === 0) clearImmediate(this.#timer as NodeJS.Immediate);
    else clearTimeout(this.#timer as NodeJS.Timeout);
    this.#timer = undefined;
  }

  #work(): void {
    this.#working ??= this.#commitAll().then(
      () => {
        this.#working = undefined;
        if (this.#cutter.pending > 0) this.#schedule();
      },
      (error: unknown) => {
        this.#stopped = true;
        this.options.failed(error);
      },
    );
  }

  async #commitAll(): Promise<void> {
    for (let batch = this.#batches.shift(); batch; batch = this.#batches.shift()) {
      await this.options.committer.commit(this.#writer.write(batch));
      this.#admit();
    }
  }

  get #waiting(): number {
    return this.#cutter.pending + this.#batches.reduce((total, batch) => total + batch.length, 0);
  }

  async #untilRoom(): Promise<void> {
    while (this.#waiting >= MAX_WAITING && !this.#stopped) {
      await new Promise<void>((resolve) => this.#room.push(resolve));
    }
  }

  #admit(): void {
    const waiting = this.#room;
    this.#room = [];
    for (const resolve of waiting) resolve();
  }
}

function parse(bytes: Buffer): common.Envelope | undefined {
  try {
    return common.Envelope.deserializeBinary(bytes);
  } catch {
    return undefined;
  }
}
