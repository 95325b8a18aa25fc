/** A call as the outbox keeps it. */
import type { LedgerCall } from '../ports.js';

/** One request's part of a shared call, in the order that they have in it. */
export interface Share {
  /** As of its OutboxEntry. */
  readonly key: string;
  readonly digest: string;
  readonly isClients?: true;
  /** How many of the call's versions are its. */
  readonly entries: number;
  /** How many of its conditions. */
  readonly conditions: number;
}

/** A call, and where several requests share it, whose what is. */
export interface KeptCall {
  readonly call: LedgerCall;
  readonly shares?: readonly Share[] | undefined;
}

/** A call that can be divided among its requests. */
export interface SharedCall extends KeptCall {
  readonly shares: readonly Share[];
}

interface Header extends Omit<LedgerCall, 'transient'> {
  readonly shares?: readonly Share[] | undefined;
  readonly parts: readonly (readonly [name: string, length: number])[];
}

/** A line of JSON, then the transient values one after the other as they are. */
export function encodeCall({ call: { transient, ...call }, shares }: KeptCall): Buffer {
  const values = Object.entries(transient ?? {});
  const header: Header = { ...call, shares, parts: values.map(([name, value]) => [name, value.length]) };
  return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), ...values.map(([, value]) => value)]);
}

/** Reads what `encodeCall` made. */
export function decodeCall(bytes: Buffer): KeptCall {
  let at = bytes.indexOf('\n') + 1;
  const { parts, shares, ...call } = JSON.parse(bytes.toString('utf8', 0, at)) as Header;
  if (parts.length === 0) return { call, shares };
  const values = parts.map(([name, length]) => {
    at += length;
    return [name, bytes.subarray(at - length, at)] as const;
  });
  return { call: { ...call, transient: Object.fromEntries(values) }, shares };
}
