/** Which of the own patients are patients elsewhere, too: as both custodians said on the ledger, each for itself. */
import type { LinkSide } from '@salus/chaincode/patient/api';

import type { Facts, PatientLookup } from './lookup.js';
import { isSignedWord, type SignedLinkPorts } from './signed-links.js';
import { LINK_SPACE, linkAsked, linkIndex, linkWord, type ProjectedWord } from './project.js';

/** Links in force that are followed from one patient, at most: who has more is asked to end some. */
export const MAX_LINKS = 20;

/** A link as it stands, seen from one of the two patients. */
export interface StandingLink {
  readonly linkId: string;
  readonly own: LinkSide;
  readonly other: LinkSide;
  /** `asked`: the other side said so, this one not yet. */
  readonly state: 'proposed' | 'asked' | 'active' | 'ended';
}

/** Links in the projection of `care`. */
export class PatientLinks {
  constructor(
    private readonly facts: Facts,
    private readonly lookup: PatientLookup,
    private readonly member: string,
    private readonly channel: string,
  ) {}

  /** Every link of an own patient, ended ones too. */
  of(pid: string): readonly StandingLink[] {
    const prefix = linkIndex(pid, '');
    const ids = this.facts.facts(LINK_SPACE, prefix).map(({ key }) => key.slice(prefix.length));
    return ids.flatMap((linkId) => this.#standing(linkId, pid) ?? []);
  }

  /** Those that other custodians proposed and this one has not said anything of, of patients it has. */
  waiting(): readonly StandingLink[] {
    const prefix = linkAsked(this.member, '');
    return this.facts.facts(LINK_SPACE, prefix).flatMap(({ key, value: pid }) => {
      const link = this.#standing(key.slice(prefix.length), pid);
      return link?.state === 'asked' && this.patientIdOf(link.own) !== undefined ? [link] : [];
    });
  }

  /** Those in force, at most MAX_LINKS. */
  inForce(pid: string): readonly StandingLink[] {
    return this.of(pid)
      .filter(({ state }) => state === 'active')
      .slice(0, MAX_LINKS);
  }

  /** FHIR id of the patient on a side, at its custodian; undefined for a side that its custodian does not know. */
  patientIdOf({ pid, custodian }: LinkSide): string | undefined {
    return this.lookup.byPid(pid)?.custodians[custodian]?.patientId;
  }

  get #signing(): SignedLinkPorts {
    return { facts: this.facts, lookup: this.lookup, channel: this.channel };
  }

  #standing(linkId: string, pid: string): StandingLink | undefined {
    const words = this.facts
      .facts(LINK_SPACE, linkWord(linkId, ''))
      .map(({ value }) => JSON.parse(value) as ProjectedWord);
    const sides = words.flatMap((word) => word.sides).filter(({ custodian }) => custodian === this.member);
    const own = sides.find((side) => side.pid === pid);
    const other = words.flatMap((word) => word.sides).find(({ custodian }) => custodian !== this.member);
    if (own === undefined || other === undefined) return undefined;
    const counting = words.filter((word) => word.signed === undefined || isSignedWord(this.#signing, linkId, word));
    return { linkId, own, other, state: stateOf(counting, own, other) };
  }
}

/** What each custodian said of its own side counts, or the patient signed for it; an end counts whoever of the two said it. */
function stateOf(words: readonly ProjectedWord[], own: LinkSide, other: LinkSide): StandingLink['state'] {
  if (words.some(({ state }) => state === 'ended')) return 'ended';
  const said = (by: LinkSide): boolean =>
    words.some(({ member, sides }) => member === by.custodian && isOf(sides, own) && isOf(sides, other));
  if (said(own)) return said(other) ? 'active' : 'proposed';
  return 'asked';
}

function isOf(sides: readonly LinkSide[], { pid, custodian }: LinkSide): boolean {
  return sides.some((side) => side.pid === pid && side.custodian === custodian);
}
