/** Of which code this is: for others to compare, and written nowhere. The process that hosts the contracts sets it. */
let own = '';

/** Sets the digest that `registry:code` answers. */
export function setOwnCode(digest: string): void {
  own = digest;
}

/** SHA-256 of the code that runs, lower-case hex; empty where no process has said it. */
export function ownCode(): string {
  return own;
}
