import { Contract } from 'fabric-contract-api';
import { SalusContext } from './context';
import { refuseCall } from './refusal';

/** What every domain's contract shares: its context, and the guard before each transaction. Has no transactions. */
export abstract class SalusContract extends Contract {
  override createContext(): SalusContext {
    return new SalusContext();
  }

  override beforeTransaction(ctx: SalusContext): Promise<void> {
    ctx.admit();
    return Promise.resolve();
  }

  override unknownTransaction(): Promise<void> {
    return Promise.reject(refuseCall('unknown-transaction', 'this domain has no transaction of that name'));
  }
}
