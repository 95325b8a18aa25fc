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

  /** An error of the language may quote what it stumbled over; it leaves as a refusal that does not. */
  override aroundTransaction(...call: Parameters<Contract['aroundTransaction']>): Promise<void> {
    // What the promise holds is the transaction's answer, although the API's types say nothing.
    return super.aroundTransaction(...call).catch((error: unknown) => {
      if (!(error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError)) throw error;
      throw refuseCall('not-understood', `the request holds something this transaction cannot take: ${error.name}`);
    });
  }

  override unknownTransaction(): Promise<void> {
    return Promise.reject(refuseCall('unknown-transaction', 'this domain has no transaction of that name'));
  }
}
