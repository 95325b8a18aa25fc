/** Parts of the shim that it has no types for. */
declare module 'fabric-shim/lib/contract-spi/chaincodefromcontract' {
  import type { ChaincodeInterface, ChaincodeStub } from 'fabric-shim';

  /** Routes invocations to contract classes; appends the shim's own system contract to the list it is given. */
  class ChaincodeFromContract implements ChaincodeInterface {
    constructor(contracts: unknown[], serializers: unknown, metadata: object, title: string, version: string);
    Init(stub: ChaincodeStub): ReturnType<ChaincodeInterface['Init']>;
    Invoke(stub: ChaincodeStub): ReturnType<ChaincodeInterface['Invoke']>;
  }
  export = ChaincodeFromContract;
}

declare module 'fabric-shim/lib/chaincode' {
  const chaincode: { ClientIdentity: new () => object };
  export = chaincode;
}

declare module 'fabric-shim/lib/logger' {
  const loggers: { getLogger: (name?: string) => unknown };
  export = loggers;
}

declare module 'fabric-contract-api/lib/logger' {
  const loggers: { getLogger: (name?: string) => unknown };
  export = loggers;
}
