import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { builtCode, type ChaincodeCode } from './code.js';

/** Packages of chaincode as a service, byte for byte the same wherever and whenever they are made. */

const BLOCK = 512;
const FILE_MODE = '0000644';
const ROOT_ID = '0000000';
/** 1970, so that two members' packages have one hash. */
const TIME = '00000000000';
const REGULAR_FILE = '0';
/** Position and length of the header's checksum, which is computed as if it were spaces. */
const CHECKSUM = { start: 148, length: 8 };

/** A package of chaincode as a service: it holds no code; its label says of which code it is. */
export interface ChaincodePackage {
  readonly label: string;
  /** `<label>:<sha256 of the package>`, as Fabric names it. */
  readonly packageId: string;
  readonly bytes: Buffer;
}

/**
 * A ccaas package: connection.json inside code.tar.gz, metadata.json beside it. What differs between members (address,
 * certificates) is filled in by each peer's builder, so that all who run the same code install the same package. The code's
 * digest stands in the label, and so in the package id, which a chaincode process must know to serve a peer.
 */
export function chaincodePackage(name: string, { version, digest }: ChaincodeCode = builtCode()): ChaincodePackage {
  const label = `${name}_${version}-${digest}`;
  const connection = { address: '{{.address}}', dial_timeout: '10s', tls_required: true, client_auth_required: true };
  const metadata = { type: 'ccaas', label };
  const code = tarGz({ 'connection.json': `${JSON.stringify(connection)}\n` });
  const bytes = tarGz({ 'metadata.json': `${JSON.stringify(metadata)}\n`, 'code.tar.gz': code });
  return { label, packageId: `${label}:${createHash('sha256').update(bytes).digest('hex')}`, bytes };
}

function tarGz(files: Readonly<Record<string, string | Uint8Array>>): Buffer {
  const entries = Object.entries(files).map(([name, content]) => tarEntry(name, Buffer.from(content)));
  const packed = gzipSync(Buffer.concat([...entries, Buffer.alloc(2 * BLOCK)]), { level: 0 });
  // Stored, not compressed: zlib's versions differ. The tenth byte names the operating system; 255 is "unknown".
  packed[9] = 255;
  return packed;
}

/** One file in the ustar format. */
function tarEntry(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, 'ascii');
  header.write(FILE_MODE, 100, 'ascii');
  header.write(ROOT_ID, 108, 'ascii');
  header.write(ROOT_ID, 116, 'ascii');
  header.write(content.length.toString(8).padStart(11, '0'), 124, 'ascii');
  header.write(TIME, 136, 'ascii');
  header.fill(' ', CHECKSUM.start, CHECKSUM.start + CHECKSUM.length);
  header.write(REGULAR_FILE, 156, 'ascii');
  header.write('ustar\u000000', 257, 'ascii');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, CHECKSUM.start, 'ascii');
  const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
  return Buffer.concat([header, content, padding]);
}
