import { status } from '@grpc/grpc-js';
import * as grpc from '@grpc/grpc-js';
import { peer } from '@hyperledger/fabric-protos';
import { FabricError } from '../ports.js';
import { refusal, transactionMessage, Type, typeName } from './messages.js';
import { OpenTransactions, type Answer, type ChaincodeStream } from './stream.js';

/** Time a peer waits for a chaincode's answer to a transaction unless told otherwise (chaincode.executetimeout). */
const EXECUTE_TIMEOUT_MS = 30_000;

/** Time a peer tries to reach a chaincode's process (dial_timeout of connection.json). */
const DIAL_TIMEOUT_MS = 3_000;

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 1_000;

/** Where a chaincode's process serves and how to trust it. */
export interface ChaincodeAddress {
  /** The package id the chaincode registers under. */
  readonly packageId: string;
  /** host:port. */
  readonly address: string;
  /** PEM texts; without it the connection is in clear. */
  readonly tls?: { readonly ca: string; readonly cert?: string; readonly key?: string; readonly serverName?: string };
  readonly executeTimeoutMs?: number;
  readonly dialTimeoutMs?: number;
}

interface Open {
  readonly answer: Answer;
  readonly settle: (outcome: peer.ChaincodeMessage | FabricError) => void;
}

type Call = grpc.ClientDuplexStream<peer.ChaincodeMessage, peer.ChaincodeMessage>;

/** One peer's connection to a chaincode-as-a-service process: dialled when first needed and after it was lost. */
export class ChaincodeConnection {
  #stream: Promise<RegisteredStream> | undefined;

  constructor(private readonly target: ChaincodeAddress) {}

  /** The registered stream. Rejects with FabricError when the process cannot be reached; the next call tries again. */
  open(): Promise<ChaincodeStream> {
    const opening = (this.#stream ??= RegisteredStream.open(this.target, () => {
      if (this.#stream === opening) this.#stream = undefined;
    }));
    return opening;
  }

  async close(): Promise<void> {
    const stream = await this.#stream?.catch(() => undefined);
    stream?.close();
  }
}

/** A stream on which the chaincode has registered and been told it is ready. */
class RegisteredStream implements ChaincodeStream {
  readonly #open = new OpenTransactions<Open>();
  #ended = false;

  private constructor(
    private readonly client: peer.ChaincodeClient,
    private readonly call: Call,
    private readonly timeoutMs: number,
    private readonly onEnd: () => void,
  ) {
    call.on('data', (message: peer.ChaincodeMessage) => {
      this.#receive(message);
    });
    for (const event of ['end', 'error', 'close']) {
      call.on(event, () => {
        this.close();
      });
    }
  }

  static async open(target: ChaincodeAddress, onEnd: () => void): Promise<RegisteredStream> {
    const client = connect(target);
    const timeoutMs = target.dialTimeoutMs ?? DIAL_TIMEOUT_MS;
    try {
      await ready(client, timeoutMs);
      const call = client.connect();
      await registered(call, target.packageId, timeoutMs);
      for (const type of [Type.REGISTERED, Type.READY])
        call.write(transactionMessage(type, { channelId: '', txId: '' }, new Uint8Array()));
      return new RegisteredStream(client, call, target.executeTimeoutMs ?? EXECUTE_TIMEOUT_MS, onEnd);
    } catch (error) {
      client.close();
      onEnd();
      throw launchFailure(target, error);
    }
  }

  execute(transaction: peer.ChaincodeMessage, answer: Answer): Promise<peer.ChaincodeMessage> {
    return new Promise((resolve, reject) => {
      if (this.#ended) throw refusal('chaincode stream terminated');
      const timer = setTimeout(() => {
        settle(refusal('timeout expired while executing transaction'));
      }, this.timeoutMs);
      const settle = (outcome: peer.ChaincodeMessage | FabricError) => {
        clearTimeout(timer);
        this.#open.delete(transaction);
        if (outcome instanceof FabricError) reject(outcome);
        else resolve(outcome);
      };
      try {
        this.#open.add(transaction, { answer, settle });
      } catch (error) {
        clearTimeout(timer);
        throw error;
      }
      this.call.write(transaction);
    });
  }

  /** Ends the stream; what is under way fails as when the process dies. */
  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.onEnd();
    for (const { settle } of this.#open.drain()) settle(refusal('chaincode stream terminated'));
    this.call.cancel();
    this.client.close();
  }

  #receive(message: peer.ChaincodeMessage): void {
    const type = message.getType();
    if (type === Type.KEEPALIVE) return;
    const transaction = this.#open.get(message);
    if (type === Type.COMPLETED || type === Type.ERROR) {
      // Of a transaction that timed out the answer is ignored.
      transaction?.settle(message);
    } else if (transaction) {
      void this.#answer(transaction, message);
    } else {
      this.call.write(noContext(message));
    }
  }

  async #answer({ answer, settle }: Open, request: peer.ChaincodeMessage): Promise<void> {
    try {
      const reply = await answer(request);
      if (!this.#ended) this.call.write(reply);
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      settle(new FabricError(status.INTERNAL, `the ledger failed to answer ${typeName(request.getType())}: ${cause}`));
    }
  }
}

function connect(target: ChaincodeAddress): peer.ChaincodeClient {
  const { tls } = target;
  const credentials = tls
    ? grpc.credentials.createSsl(Buffer.from(tls.ca), buffer(tls.key), buffer(tls.cert))
    : grpc.credentials.createInsecure();
  return new peer.ChaincodeClient(target.address, credentials, {
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    // Nobody asks for channelz, which counts every message.
    'grpc.enable_channelz': 0,
    'grpc.initial_reconnect_backoff_ms': FIRST_RETRY_MS,
    'grpc.max_reconnect_backoff_ms': LAST_RETRY_MS,
    // Each connection is its own, so that members sharing one process still have a stream each.
    'grpc.use_local_subchannel_pool': 1,
    ...(tls?.serverName === undefined ? {} : { 'grpc.ssl_target_name_override': tls.serverName }),
  });
}

function buffer(pem: string | undefined): Buffer | null {
  return pem === undefined ? null : Buffer.from(pem);
}

function ready(client: peer.ChaincodeClient, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    client.waitForReady(Date.now() + timeoutMs, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/** Waits for the chaincode's REGISTER and checks that it is the one expected. */
function registered(call: Call, packageId: string, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      call.cancel();
      reject(new Error('the process did not register in time'));
    }, timeoutMs);
    const stop = (error: Error) => {
      clearTimeout(timer);
      reject(error);
    };
    call.once('error', stop);
    call.once('data', (message: peer.ChaincodeMessage) => {
      clearTimeout(timer);
      const name = peer.ChaincodeID.deserializeBinary(message.getPayload_asU8()).getName();
      if (message.getType() === Type.REGISTER && name === packageId) {
        resolve();
        return;
      }
      call.cancel();
      reject(new Error(`the process registered as ${name || typeName(message.getType())}`));
    });
  });
}

function launchFailure({ packageId, address }: ChaincodeAddress, error: unknown): FabricError {
  const cause = error instanceof Error ? error.message : String(error);
  return refusal(
    `could not launch chaincode ${packageId}: connection to ${packageId} failed: error cannot create connection for ` +
      `${packageId}: error creating grpc connection to ${address}: failed to create new connection: ${cause}`,
  );
}

function noContext(request: peer.ChaincodeMessage): peer.ChaincodeMessage {
  const transaction = { channelId: request.getChannelId(), txId: request.getTxid() };
  const text = `${typeName(request.getType())} failed: transaction ID: ${transaction.txId}: no ledger context`;
  return transactionMessage(Type.ERROR, transaction, Buffer.from(text));
}
