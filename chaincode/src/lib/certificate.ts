import { X509Certificate } from 'node:crypto';

/** What of a caller's certificate is asked for. */
export interface Certificate {
  /** Organisational units of the subject. */
  readonly units: readonly string[];
  /** Milliseconds since 1970, both included. */
  readonly validFrom: number;
  readonly validTo: number;
}

/** Gateways are few and taking a certificate apart is dear, so that many are remembered. */
const MAX_REMEMBERED = 1000;
const remembered = new Map<string, Certificate>();

/** Takes a PEM certificate apart. Throws on anything else; the peer has checked it before. */
export function certificateOf(pem: string): Certificate {
  const known = remembered.get(pem);
  if (known !== undefined) return known;
  const parsed = new X509Certificate(pem);
  const unit = parsed.toLegacyObject().subject.OU as string | readonly string[] | undefined;
  const certificate: Certificate = {
    units: [unit ?? []].flat(),
    validFrom: Date.parse(parsed.validFrom),
    validTo: Date.parse(parsed.validTo),
  };
  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  remembered.set(pem, certificate);
  return certificate;
}
