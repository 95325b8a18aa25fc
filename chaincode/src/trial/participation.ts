/** What participants agree to, and whether they may take part: documents, consents, withdrawal, eligibility. */
import type { SalusContext } from '../lib/context';
import { load, save } from '../lib/record';
import { allowed } from '../lib/refusal';
import type {
  AdoptDocument,
  ConsentRequest,
  EligibleRequest,
  EnrolRequest,
  PublishDocument,
  RestrictUse,
  WithdrawRequest,
} from './acts';
import * as allocation from './allocation';
import * as consents from './consents';
import { consentFacts, demandNewestConsent, DOCUMENT, lineOf } from './consent-facts';
import { actOf, enrolmentFacts, takingPart, versionInForce } from './facts';
import type { Standing } from './rules';
import { demandSignature } from './signing';
import {
  consentKind,
  documentKind,
  eligibleKind,
  inForceKind,
  numberPart,
  participantKind,
  slotKind,
  useKind,
} from './state';

/** Publishes a version of the consent document. */
export async function publishDocument(ctx: SalusContext, request: PublishDocument): Promise<void> {
  const { trial, version } = request;
  const before = await load(ctx, documentKind, trial, numberPart(version - 1));
  const there = await load(ctx, documentKind, trial, numberPart(version));
  const record = allowed(consents.publishDocument(request, before, there, actOf(ctx)));
  await save(ctx, documentKind, [trial, numberPart(version)], record);
}

/** Puts a version of it in force. */
export async function adoptDocument(ctx: SalusContext, request: AdoptDocument): Promise<void> {
  const { trial, version, hash } = request;
  const record = await load(ctx, documentKind, trial, numberPart(version));
  const inForce = await load(ctx, inForceKind, trial, DOCUMENT);
  const adopted = allowed(consents.adoptDocument(hash, record, inForce, actOf(ctx)));
  const signature = await demandSignature(ctx, request, { meaning: 'adopt-document', version, hash });
  await save(ctx, inForceKind, [trial, DOCUMENT], { ...adopted, ...signature });
}

/** Records a participant's consent. */
export async function consent(ctx: SalusContext, request: ConsentRequest): Promise<void> {
  const { trial, participant, n } = request;
  const record = allowed(consents.consent(request, await consentFacts(ctx, request), actOf(ctx)));
  await save(ctx, consentKind, [trial, participant, numberPart(n)], record);
}

/** Records its withdrawal. */
export async function withdraw(ctx: SalusContext, request: WithdrawRequest): Promise<void> {
  const { trial, participant, n } = request;
  const record = allowed(consents.withdraw(request, await lineOf(ctx, request), actOf(ctx)));
  await save(ctx, consentKind, [trial, participant, numberPart(n)], record);
}

/** Records whether the participant's consents deny the sponsor's people the contents. */
export async function restrictUse(ctx: SalusContext, request: RestrictUse): Promise<void> {
  const { trial, participant, n } = request;
  const key = [trial, participant] as const;
  const facts = {
    site: (await takingPart(ctx, trial, participant))?.site,
    before: n === 1 ? undefined : await load(ctx, useKind, ...key, numberPart(n - 1)),
    there: await load(ctx, useKind, ...key, numberPart(n)),
  };
  await save(ctx, useKind, [...key, numberPart(n)], allowed(consents.restrictUse(request, facts, actOf(ctx))));
}

/** Takes the next slot of a stratum for a participant. */
export async function enrol(ctx: SalusContext, standing: Standing, request: EnrolRequest): Promise<void> {
  const { trial, participant, stratum, slot } = request;
  const known = await enrolmentFacts(ctx, request, standing.inForce?.version ?? 0);
  const record = allowed(allocation.enrol(request, known, actOf(ctx)));
  await save(ctx, participantKind, [trial, participant], record);
  await save(ctx, slotKind, [trial, stratum, numberPart(slot)], allocation.slotOf(participant, record));
}

/** Records the site's word on the criteria of the version in force, once for each version, under a consent that holds. */
export async function declareEligible(ctx: SalusContext, standing: Standing, request: EligibleRequest): Promise<void> {
  const { trial, participant } = request;
  const { version, protocol } = await versionInForce(ctx, standing);
  const key = [trial, participant, numberPart(version)] as const;
  const known = await load(ctx, eligibleKind, ...key);
  const site = (await takingPart(ctx, trial, participant))?.site;
  const facts = { version, criteria: protocol.criteria, known, site };
  const record = allowed(consents.declareEligible(request, facts, actOf(ctx)));
  await demandNewestConsent(ctx, request);
  await save(ctx, eligibleKind, key, record);
}
