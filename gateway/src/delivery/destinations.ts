/**
 * Where subscribers may be told: a client says the address, so that it must lead to nothing that only this machine
 * reaches (OWASP, server-side request forgery).
 */
import { lookup as resolve, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** By plain HTTP while it is no production. */
const HERE = ['127.0.0.1', '[::1]', 'localhost'];

/** What is no address of the public internet (RFC 6890, RFC 4193, RFC 6052). */
const PRIVATE: readonly (readonly [network: string, prefix: number, family: 'ipv4' | 'ipv6'])[] = [
  ['0.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['127.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.0.0.0', 24, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['198.18.0.0', 15, 'ipv4'],
  ['224.0.0.0', 3, 'ipv4'],
  ['::', 96, 'ipv6'],
  ['64:ff9b::', 96, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
  ['ff00::', 8, 'ipv6'],
];

const blocked = new BlockList();
for (const each of PRIVATE) blocked.addSubnet(...each);

/** Whether an IP address is none of the public internet; one of IPv4 written in IPv6 is looked at as such. */
export function isPrivate(address: string): boolean {
  const mapped = /^::ffff:(?:([\d.]+)|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/i.exec(address);
  if (mapped === null) return blocked.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  const [, dotted, high = '', low = ''] = mapped;
  const bytes = [high, low].flatMap((each) => [parseInt(each, 16) >> 8, parseInt(each, 16) & 255]);
  return isPrivate(dotted ?? bytes.join('.'));
}

function isPublic({ protocol, hostname }: URL): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  return protocol === 'https:' && host !== 'localhost' && !(isIP(host) > 0 && isPrivate(host));
}

/** The addresses that one gateway sends to. */
export class Destinations {
  /** `origins`: those that the operator named, which are the only ones then; none = any https address of the public internet. */
  constructor(
    private readonly isProduction: boolean,
    private readonly origins: readonly string[] = [],
  ) {}

  /** The address as it is kept; undefined where nothing may be sent there. */
  allowed(value: unknown): string | undefined {
    const url = typeof value === 'string' ? URL.parse(value) : null;
    if (url === null || url.username !== '' || url.password !== '') return undefined;
    const isOpen = this.origins.length === 0 && (this.#isHere(url) || isPublic(url));
    return isOpen || this.#isNamed(url) ? url.href : undefined;
  }

  /** Finds the host of an allowed address anew for each connection, and fails where that has become a private one. */
  lookup(address: string): LookupFunction {
    const url = new URL(address);
    const mayBePrivate = this.#isNamed(url) || this.#isHere(url);
    return (host, options, callback) => {
      resolve(host, { ...options, all: true }, (error, found: LookupAddress[]) => {
        // Where it failed there is no list.
        const [first] = error === null ? found : [];
        const isRefused = !mayBePrivate && error === null && found.some((each) => isPrivate(each.address));
        if (error !== null || first === undefined || isRefused) {
          callback(error ?? new Error('the address leads to no host of the public internet'), '', 0);
        } else if (options.all === true) callback(null, found);
        else callback(null, first.address, first.family);
      });
    };
  }

  #isNamed(url: URL): boolean {
    return this.origins.includes(url.origin);
  }

  #isHere({ protocol, hostname }: URL): boolean {
    return protocol === 'http:' && HERE.includes(hostname) && !this.isProduction;
  }
}
