import { hex256, integer, list, object, type Parser } from '../lib/schema';

/** What members anchor of what they showed: deliveries under accesses, and slices of their own read logs. */

/** Most manifests that one transaction anchors. */
export const MAX_MANIFESTS = 100;

/** access:disclose. */
export interface DiscloseAccess {
  /** 1 to MAX_MANIFESTS. */
  readonly manifests: readonly Manifest[];
}

/** What a custodian delivered under an access, at once or within a second. */
export interface Manifest {
  readonly aid: string;
  /** 256 random bits: one for each manifest. */
  readonly manifestId: string;
  /** Merkle root over the delivered resources in their order, each behind the salt, lower-case hex. */
  readonly root: string;
  /** How many resources. */
  readonly count: number;
  readonly salt: string;
}

/** access:anchor. */
export interface AnchorReads {
  /** 256 random bits. */
  readonly anchorId: string;
  /** Merkle root over the salted log entries first to last, lower-case hex. */
  readonly root: string;
  readonly first: number;
  readonly last: number;
  readonly salt: string;
}

/** Stored under disclosure/<aid>/<manifestId>. */
export interface Disclosure {
  readonly aid: string;
  readonly manifestId: string;
  readonly custodian: string;
  readonly root: string;
  readonly count: number;
  /** FHIR instant of the transaction. */
  readonly disclosed: string;
}

/** Stored under read-anchor/<anchorId> in the member's own collection. */
export interface ReadAnchor {
  readonly anchorId: string;
  readonly root: string;
  readonly first: number;
  readonly last: number;
  /** FHIR instant of the transaction. */
  readonly anchored: string;
}

const count = integer(0, Number.MAX_SAFE_INTEGER);

const manifest: Parser<Manifest> = object<Manifest>({
  aid: hex256,
  manifestId: hex256,
  root: hex256,
  count,
  salt: hex256,
});

/** Parser of DiscloseAccess. */
export const parseDisclose: Parser<DiscloseAccess> = object<DiscloseAccess>({
  manifests: list(manifest, 1, MAX_MANIFESTS),
});

/** Parser of AnchorReads. */
export const parseAnchor: Parser<AnchorReads> = object<AnchorReads>({
  anchorId: hex256,
  root: hex256,
  first: count,
  last: count,
  salt: hex256,
});
