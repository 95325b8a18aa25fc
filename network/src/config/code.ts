import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What the chaincode's build says of its code. */
const CODE_FILE = fileURLToPath(new URL('../../../chaincode/dist/code.json', import.meta.url));

/** The code that a package is for. */
export interface ChaincodeCode {
  /** Of the chaincode's sources, such as 0.1.0. */
  readonly version: string;
  /** SHA-256 of the built code and its lockfile, lower-case hex. */
  readonly digest: string;
}

/** The chaincode that was built here. */
export function builtCode(): ChaincodeCode {
  return JSON.parse(readFileSync(CODE_FILE, 'utf8')) as ChaincodeCode;
}
