import { peer } from '@hyperledger/fabric-protos';
import { Type, typeName } from '../chaincode/messages.js';
import { OpenTransactions, type Answer, type ChaincodeStream } from '../chaincode/stream.js';

/** One message between a peer and a chaincode as it was recorded. */
export interface RecordedMessage {
  readonly from: 'peer' | 'chaincode';
  /** The chaincode package whose stream carried it. */
  readonly stream: string;
  readonly bytes: Buffer;
}

/** What the recorded chaincode saw differs from what is said now. */
export class Difference extends Error {
  override readonly name = 'Difference';
}

/** Plays the chaincode's part of one recorded simulation and holds the peer to what the recorded one said. */
export class Recording {
  #next = 0;
  /** Iterator ids are random: ours by the recorded ones. */
  readonly #iterators = new Map<string, string>();
  readonly #open = new Map<string, OpenTransactions<true>>();

  constructor(private readonly messages: readonly RecordedMessage[]) {}

  /** How many messages were played. */
  get played(): number {
    return this.#next;
  }

  get complete(): boolean {
    return this.#next === this.messages.length;
  }

  stream(name: string): ChaincodeStream {
    return { execute: (transaction, answer) => this.#execute(name, transaction, answer) };
  }

  async #execute(stream: string, transaction: peer.ChaincodeMessage, answer: Answer): Promise<peer.ChaincodeMessage> {
    const open = this.#open.get(stream) ?? new OpenTransactions<true>();
    this.#open.set(stream, open);
    open.add(transaction, true);
    this.#expect(stream, transaction);
    for (;;) {
      const said = this.#take('chaincode', stream);
      if (said.getType() === Type.COMPLETED || said.getType() === Type.ERROR) {
        open.delete(transaction);
        return said;
      }
      const reply = await answer(this.#withOurIterator(said));
      this.#expect(stream, reply, said.getType());
    }
  }

  #expect(stream: string, message: peer.ChaincodeMessage, request?: number): void {
    const recorded = this.#take('peer', stream);
    const iterates = request !== undefined && ITERATING.has(request) && recorded.getType() === Type.RESPONSE;
    if (iterates) this.#learnIterator(recorded, message);
    const [theirs, ours] = [recorded, message].map((one) => comparable(one, iterates));
    if (theirs?.equals(ours ?? Buffer.alloc(0))) return;
    const what = request === undefined ? 'TRANSACTION' : `answer to ${typeName(request)}`;
    throw new Difference(`${what}: recorded ${describe(recorded)}, now ${describe(message)}`);
  }

  #learnIterator(recorded: peer.ChaincodeMessage, message: peer.ChaincodeMessage): void {
    const theirs = peer.QueryResponse.deserializeBinary(recorded.getPayload_asU8()).getId();
    const ours = peer.QueryResponse.deserializeBinary(message.getPayload_asU8()).getId();
    this.#iterators.set(theirs, ours);
  }

  #withOurIterator(request: peer.ChaincodeMessage): peer.ChaincodeMessage {
    if (request.getType() !== Type.QUERY_STATE_NEXT && request.getType() !== Type.QUERY_STATE_CLOSE) return request;
    // QueryStateNext and QueryStateClose have the same one field.
    const query = peer.QueryStateNext.deserializeBinary(request.getPayload_asU8());
    query.setId(this.#iterators.get(query.getId()) ?? query.getId());
    request.setPayload(query.serializeBinary());
    return request;
  }

  #take(from: RecordedMessage['from'], stream: string): peer.ChaincodeMessage {
    const message = this.messages[this.#next];
    if (message?.from !== from || message.stream !== stream) {
      throw new Difference(`message ${this.#next}: the recording has none of ${from} on stream ${stream} here`);
    }
    this.#next++;
    return peer.ChaincodeMessage.deserializeBinary(message.bytes);
  }
}

const ITERATING = new Set<number>([
  Type.GET_STATE_BY_RANGE,
  Type.GET_HISTORY_FOR_KEY,
  Type.QUERY_STATE_NEXT,
  Type.QUERY_STATE_CLOSE,
]);

/** The message without what is random: its time, an iterator's id, Go's way of spacing an error text. */
function comparable(message: peer.ChaincodeMessage, iterates: boolean): Buffer {
  const copy = message.clone();
  copy.clearTimestamp();
  if (iterates) {
    const response = peer.QueryResponse.deserializeBinary(copy.getPayload_asU8());
    response.setId('');
    copy.setPayload(response.serializeBinary());
  } else if (copy.getType() === Type.ERROR) {
    copy.setPayload(Buffer.from(Buffer.from(copy.getPayload_asU8()).toString().replaceAll('\u00a0', ' ')));
  }
  return Buffer.from(copy.serializeBinary());
}

function describe(message: peer.ChaincodeMessage): string {
  const payload = Buffer.from(message.getPayload_asU8());
  return `${typeName(message.getType())} ${message.getType() === Type.ERROR ? payload.toString() : payload.toString('hex')}`;
}
