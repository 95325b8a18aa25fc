import { randomUUID } from 'node:crypto';
import { peer } from '@hyperledger/fabric-protos';
import { refusal } from './messages.js';

const { QueryResponse, QueryResponseMetadata, QueryResultBytes } = peer;

/** Rows in one message to the chaincode; the row after the last is read before the message is sent. */
const BATCH_SIZE = 100;

/** Rows one query may return; further ones are left out silently, as Fabric does (ledger.state.totalQueryLimit). */
export const TOTAL_QUERY_LIMIT = 100_000;

/** Rows of a query, each as the serialized message the chaincode expects. */
export interface ResultIterator {
  next(): Uint8Array | undefined;
  /** Ends the iteration; returns the bookmark of the next page, empty when there is none. */
  close(): string;
}

interface OpenQuery {
  readonly id: string;
  readonly iterator: ResultIterator;
  readonly paginated: boolean;
  pending: Uint8Array[];
  returned: number;
}

/** A transaction's open queries and their answers in batches (core/chaincode/query_response_generator.go). */
export class Queries {
  readonly #open = new Map<string, OpenQuery>();

  /** Begins a query; an explicitly paginated one is answered whole, with bookmark and count. */
  begin(iterator: ResultIterator, page?: { readonly size: number }): Uint8Array {
    const query = { id: randomUUID(), iterator, paginated: page !== undefined, pending: [], returned: 0 };
    this.#open.set(query.id, query);
    const size = page?.size ?? 0;
    return this.#fill(query, size > 0 ? Math.min(size, TOTAL_QUERY_LIMIT) : TOTAL_QUERY_LIMIT);
  }

  next(id: string): Uint8Array {
    const query = this.#open.get(id);
    if (!query) throw refusal('query iterator not found');
    return this.#fill(query, TOTAL_QUERY_LIMIT);
  }

  close(id: string): Uint8Array {
    this.#open.get(id)?.iterator.close();
    this.#open.delete(id);
    return response(id, [], false).serializeBinary();
  }

  closeAll(): void {
    for (const id of [...this.#open.keys()]) this.close(id);
  }

  #fill(query: OpenQuery, limit: number): Uint8Array {
    while (query.returned < limit) {
      const row = query.iterator.next();
      if (!row) break;
      query.returned++;
      if (!query.paginated && query.pending.length === BATCH_SIZE) {
        const batch = query.pending;
        query.pending = [row];
        return response(query.id, batch, true).serializeBinary();
      }
      query.pending.push(row);
    }
    return this.#last(query);
  }

  #last(query: OpenQuery): Uint8Array {
    this.#open.delete(query.id);
    const bookmark = query.iterator.close();
    const message = response(query.id, query.pending, false);
    if (query.paginated) {
      const metadata = new QueryResponseMetadata();
      metadata.setFetchedRecordsCount(query.returned);
      metadata.setBookmark(bookmark);
      message.setMetadata(metadata.serializeBinary());
    }
    return message.serializeBinary();
  }
}

function response(id: string, rows: readonly Uint8Array[], hasMore: boolean): peer.QueryResponse {
  const message = new QueryResponse();
  message.setId(id);
  message.setHasMore(hasMore);
  message.setResultsList(
    rows.map((row) => {
      const result = new QueryResultBytes();
      result.setResultbytes(row);
      return result;
    }),
  );
  return message;
}
