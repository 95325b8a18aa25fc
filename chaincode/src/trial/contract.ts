import { Returns, Transaction } from 'fabric-contract-api';
import { canonical } from '../lib/canonical';
import { SalusContext } from '../lib/context';
import { SalusContract } from '../lib/contract';
import { load, save } from '../lib/record';
import { allowed } from '../lib/refusal';
import { parseText } from '../lib/schema';
import * as acts from './acts';
import * as allocation from './allocation';
import * as api from './api';
import * as data from './data';
import * as facts from './facts';
import * as participation from './participation';
import * as people from './people';
import * as progress from './progress';
import * as reads from './reads';
import * as rules from './rules';
import * as state from './state';
import * as treatment from './treatment';

const { numberPart } = state;

/** Clinical trials. */
export class TrialContract extends SalusContract {
  constructor() {
    super('trial');
  }

  @Transaction()
  async register(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(api.parseRegister, argument);
    const { trial, parties } = request;
    const act = facts.actOf(ctx);
    const first = allowed(rules.register(request, await facts.registrationFacts(ctx, request), act));
    await save(ctx, state.trialKind, [trial], { trial, parties, ...act });
    await save(ctx, state.versionKind, [trial, numberPart(1)], first);
    ctx.emit(api.events.versionRegistered, { trial, version: 1, hash: first.hash });
  }

  @Transaction()
  async 'register-version'(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(api.parseRegisterVersion, argument);
    const { trial, version } = request;
    const standing = await facts.permitted(ctx, trial, 'register-version');
    const near = await facts.neighbours(ctx, standing, version);
    const record = allowed(rules.registerVersion(request, rules.phaseOf(standing), near, facts.actOf(ctx)));
    await save(ctx, state.versionKind, [trial, numberPart(version)], record);
    ctx.emit(api.events.versionRegistered, { trial, version, hash: record.hash, flags: record.flags.length });
  }

  @Transaction()
  async 'sign-version'(ctx: SalusContext, argument: string): Promise<void> {
    await progress.approveVersion(ctx, parseText(api.parseApproveVersion, argument), 'sign-version');
  }

  @Transaction()
  async 'approve-version'(ctx: SalusContext, argument: string): Promise<void> {
    await progress.approveVersion(ctx, parseText(api.parseApproveVersion, argument), 'approve-version');
  }

  @Transaction()
  async 'activate-version'(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(api.parseActivate, argument);
    const standing = await facts.permitted(ctx, request.trial, 'activate-version');
    await progress.activate(ctx, standing, request.version);
  }

  @Transaction()
  async 'commit-list'(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(acts.parseCommitList, argument);
    const { trial, stratum } = request;
    await facts.permitted(ctx, trial, 'commit-list');
    const { protocol } = await facts.firstVersion(ctx, trial);
    const lists = await facts.committedLists(ctx, trial, protocol.allocation.strata);
    const record = allowed(allocation.commitList(request, protocol, lists, facts.actOf(ctx)));
    await save(ctx, state.listKind, [trial, stratum], record);
  }

  @Transaction()
  async 'approve-list'(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(acts.parseApproveList, argument);
    const { trial, stratum } = request;
    await facts.permitted(ctx, trial, 'approve-list');
    const record = await load(ctx, state.listKind, trial, stratum);
    await progress.approve(ctx, request, { subject: `list:${stratum}`, meaning: 'approve-list', record });
  }

  @Transaction()
  async 'keep-arms'(ctx: SalusContext): Promise<void> {
    const request = ctx.request(acts.parseKeepArms);
    await facts.permitted(ctx, request.trial, 'keep-arms');
    await people.keepArms(ctx, request);
  }

  @Transaction()
  async 'publish-document'(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(acts.parsePublishDocument, argument);
    await facts.permitted(ctx, request.trial, 'publish-document');
    await participation.publishDocument(ctx, request);
  }

  @Transaction()
  async 'adopt-document'(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(acts.parseAdoptDocument, argument);
    await facts.permitted(ctx, request.trial, 'adopt-document');
    await participation.adoptDocument(ctx, request);
  }

  @Transaction()
  async delegate(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(acts.parseDelegate, argument);
    await people.delegate(ctx, await facts.permitted(ctx, request.trial, 'delegate'), request);
  }

  @Transaction()
  async 'end-delegation'(ctx: SalusContext, argument: string): Promise<void> {
    const { trial, kid } = parseText(acts.parseEndDelegation, argument);
    await facts.permitted(ctx, trial, 'end-delegation');
    await people.endDelegation(ctx, trial, kid);
  }

  @Transaction()
  async claim(ctx: SalusContext): Promise<void> {
    const request = ctx.request(acts.parseClaim);
    await facts.permitted(ctx, request.trial, 'claim');
    await people.claim(ctx, request);
  }

  @Transaction()
  async 'new-secret'(ctx: SalusContext): Promise<void> {
    const request = ctx.request(acts.parseNewSecret);
    await facts.permitted(ctx, request.trial, 'new-secret');
    await people.newSecret(ctx, request);
  }

  @Transaction(false)
  @Returns('string')
  async secret(ctx: SalusContext): Promise<string> {
    return canonical(await people.secretOf(ctx, ctx.request(acts.parseReadSecret).trial));
  }

  @Transaction()
  async consent(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(acts.parseConsent, argument);
    await facts.permitted(ctx, request.trial, 'consent');
    await participation.consent(ctx, request);
  }

  @Transaction()
  async withdraw(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(acts.parseWithdraw, argument);
    await facts.permitted(ctx, request.trial, 'withdraw');
    await participation.withdraw(ctx, request);
  }

  @Transaction()
  async 'restrict-use'(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(acts.parseRestrictUse, argument);
    await facts.permitted(ctx, request.trial, 'restrict-use');
    await participation.restrictUse(ctx, request);
  }

  @Transaction()
  async 'declare-eligible'(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(acts.parseEligible, argument);
    const standing = await facts.permitted(ctx, request.trial, 'declare-eligible');
    await participation.declareEligible(ctx, standing, request);
  }

  @Transaction()
  async enrol(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(acts.parseEnrol, argument);
    const standing = await facts.permitted(ctx, request.trial, 'enrol');
    await participation.enrol(ctx, standing, request);
    if (standing.firstEnrolment === undefined) await progress.reach(ctx, standing, 'first-enrolment');
  }

  @Transaction()
  async 'unblind-one'(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(acts.parseUnblindOne, argument);
    const { trial, stratum, slot } = request;
    await facts.permitted(ctx, trial, 'unblind-one');
    await people.unblindOne(ctx, request);
    ctx.emit(api.events.unblindingAsked, { trial, stratum, slot, by: ctx.caller.member });
  }

  @Transaction()
  async halt(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(acts.parseBoardAct, argument);
    const { trial } = request;
    await progress.stop(ctx, await facts.permitted(ctx, trial, 'halt'), request, 'halt');
    ctx.emit(api.events.halted, { trial });
  }

  @Transaction()
  async resume(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(acts.parseBoardAct, argument);
    await progress.stop(ctx, await facts.permitted(ctx, request.trial, 'resume'), request, 'resume');
  }

  @Transaction()
  async 'record-look'(ctx: SalusContext, argument: string): Promise<void> {
    const { trial, look, reason } = parseText(api.parseLook, argument);
    const standing = await facts.permitted(ctx, trial, 'record-look');
    await progress.recordLook(ctx, standing, look, reason);
  }

  @Transaction()
  async lock(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(acts.parseLock, argument);
    await data.lock(ctx, await facts.permitted(ctx, request.trial, 'lock'), request);
  }

  @Transaction()
  async unlock(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(acts.parseUnlock, argument);
    await progress.unlock(ctx, await facts.permitted(ctx, request.trial, 'unlock'), request);
  }

  @Transaction()
  async reveal(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(acts.parseReveal, argument);
    const standing = await facts.permitted(ctx, request.trial, 'reveal');
    await progress.reveal(ctx, standing, request);
  }

  @Transaction()
  async 'post-results'(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(api.parsePostResults, argument);
    const standing = await facts.permitted(ctx, request.trial, 'post-results');
    await progress.postResults(ctx, standing, request);
  }

  @Transaction()
  async point(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(acts.parsePoint, argument);
    await data.point(ctx, await facts.permitted(ctx, request.trial, request.act), request);
  }

  @Transaction()
  async kit(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(api.parseKit, argument);
    await treatment.kit(ctx, await facts.permitted(ctx, request.trial, request.act), request);
  }

  @Transaction()
  async 'report-event'(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(acts.parseReportEvent, argument);
    const { trial, event, n } = request;
    await treatment.reportEvent(ctx, await facts.permitted(ctx, trial, 'report-event'), request);
    ctx.emit(api.events.safetyReported, { trial, event, n });
  }

  @Transaction()
  async 'assess-event'(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(acts.parseAssessEvent, argument);
    await treatment.assessEvent(ctx, await facts.permitted(ctx, request.trial, 'assess-event'), request);
  }

  @Transaction()
  async 'submit-event'(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(acts.parseSubmitEvent, argument);
    await facts.permitted(ctx, request.trial, 'submit-event');
    await treatment.submitEvent(ctx, request);
  }

  @Transaction()
  async 'acknowledge-event'(ctx: SalusContext, argument: string): Promise<void> {
    const request = parseText(acts.parseAcknowledgeEvent, argument);
    await treatment.acknowledgeEvent(ctx, await facts.permitted(ctx, request.trial, 'acknowledge-event'), request);
  }

  @Transaction(false)
  @Returns('string')
  async 'tell-arm'(ctx: SalusContext, argument: string): Promise<string> {
    return canonical(await people.tellArm(ctx, parseText(acts.parseTellArm, argument)));
  }

  @Transaction(false)
  @Returns('string')
  async read(ctx: SalusContext, argument: string): Promise<string> {
    return canonical(await reads.viewOf(ctx, parseText(api.parseTrialName, argument).trial));
  }

  @Transaction(false)
  @Returns('string')
  async line(ctx: SalusContext, argument: string): Promise<string> {
    const { trial, participant } = parseText(api.parseLineName, argument);
    return canonical(await reads.participantView(ctx, trial, participant));
  }

  @Transaction(false)
  @Returns('string')
  async kits(ctx: SalusContext, argument: string): Promise<string> {
    return canonical(await treatment.kitsOf(ctx, parseText(api.parseTrialName, argument).trial));
  }
}
