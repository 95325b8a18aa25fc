import './silence';
import './identity-unread';
import { JSONSerializer } from 'fabric-contract-api';
import { type ChaincodeInterface, type ChaincodeServer, Shim } from 'fabric-shim';
import ChaincodeFromContract from 'fabric-shim/lib/contract-spi/chaincodefromcontract';
import { contracts } from '../index';

/** TLS of the chaincode's server, PEM; peers must show a certificate of `clientCACerts`. */
export interface ServerTls {
  readonly key: Buffer;
  readonly cert: Buffer;
  readonly clientCACerts: Buffer;
}

/** The contracts as the shim runs them. */
export function chaincodeOf(): ChaincodeInterface {
  const serializers = { transaction: 'jsonSerializer', serializers: { jsonSerializer: JSONSerializer } };
  return new ChaincodeFromContract([...contracts], serializers, {}, 'salus', '1');
}

/** A server for the peers that connect; `ccid` is the package id they know, `address` host:port. Call start(). */
export function serverOf(
  chaincode: ChaincodeInterface,
  ccid: string,
  address: string,
  tls: ServerTls | undefined,
): ChaincodeServer {
  return Shim.server(chaincode, {
    ccid,
    address,
    // The shim takes an absent tlsProps for plain text; its types do not know.
    tlsProps: tls as ServerTls,
    // gRPC's default of 4 MB would cut the stream of every peer at the first larger message.
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    // Nobody asks for channelz, which counts every message.
    'grpc.enable_channelz': 0,
  });
}
