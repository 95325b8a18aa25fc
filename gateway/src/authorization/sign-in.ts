/** The two questions of a sign-in: who is it (login), and what may the app have (consent). */
import { purposesOf, type Role } from '@salus/chaincode/access/api';
import { Router, urlencoded, type Request, type RequestHandler, type Response } from 'express';
import type { InteractionResults } from 'oidc-provider';
import type Provider from 'oidc-provider';

import { AUTHORIZATION_PATH, fhirBase } from '../identity/issuer.js';
import { isClinicalScope, isWithin } from '../identity/scopes.js';
import type { Actor } from '../ports.js';
import { fieldsOf } from './form.js';
import type { LaunchContext } from './launches.js';
import { LockOut } from './lock-out.js';
import { GRANT_S, IDENTITY_SCOPES } from './offered.js';
import { consentPage, faultPage, loginPage, signInPolicy, type ConsentQuestion } from './pages.js';
import { isPassword } from './passwords.js';
import { SIGN_IN_BODY_LIMIT, type AuthorizationPorts } from './ports.js';
import type { Person } from './register.js';
import { grantable, needsPatient, scopesFor } from './rights.js';

/** What is known of a sign-in under way. */
interface SignIn {
  readonly provider: Provider;
  readonly request: Request;
  readonly response: Response;
  readonly uid: string;
  readonly step: string;
  readonly appId: string;
  readonly appName: string;
  /** Of the authorization request. */
  readonly asked: (name: string) => string | undefined;
  /** Who signed in, once somebody did. */
  readonly user: string | undefined;
}

/** Routes below `/sign-in/:uid`. */
export function signInRoutes(ports: AuthorizationPorts): Router {
  const router = Router();
  const lockOut = new LockOut();
  const form = urlencoded({ extended: false, limit: SIGN_IN_BODY_LIMIT });
  router.get(
    '/sign-in/:uid',
    during(ports, (signIn) => {
      ask(ports, signIn);
    }),
  );
  router.post(
    '/sign-in/:uid/login',
    form,
    during(ports, (signIn) => login(ports, lockOut, signIn)),
  );
  router.post(
    '/sign-in/:uid/consent',
    form,
    during(ports, (signIn) => consent(ports, signIn)),
  );
  return router;
}

/** Finds the sign-in that the browser's cookie and the path name, or says that there is none. */
function during(ports: AuthorizationPorts, work: (signIn: SignIn) => Promise<void> | void): RequestHandler {
  return async (request, response) => {
    const provider = await ports.provider();
    const found = await provider.interactionDetails(request, response).catch(() => undefined);
    if (found === undefined || found.uid !== request.params.uid) {
      const text = faultPage(
        ports.settings,
        'unknown_sign_in',
        'This sign-in is over, or was begun in another browser.',
      );
      show(response, text, 400);
      return;
    }
    const { uid, params, prompt, lastSubmission, session } = found;
    const appId = String(params.client_id);
    await work({
      ...{ provider, request, response, uid, appId, step: prompt.name },
      appName: ports.register.app(appId)?.name ?? appId,
      asked: (name) => (typeof params[name] === 'string' ? params[name] : undefined),
      user: lastSubmission?.login?.accountId ?? session?.accountId,
    });
  };
}

function ask(ports: AuthorizationPorts, signIn: SignIn): void {
  if (signIn.step === 'login') {
    show(signIn.response, loginPage(ports.settings, actionOf(signIn, 'login'), signIn.appName));
    return;
  }
  const question = questionOf(ports, signIn);
  if (question === undefined) show(signIn.response, faultPage(ports.settings, 'unknown_user'), 400);
  else askConsent(ports, signIn, question);
}

function askConsent(ports: AuthorizationPorts, signIn: SignIn, question: ConsentQuestion, problem?: string): void {
  const text = consentPage(ports.settings, question, problem);
  show(signIn.response, text, problem === undefined ? 200 : 422, signIn.asked('redirect_uri'));
}

async function login(ports: AuthorizationPorts, lockOut: LockOut, signIn: SignIn): Promise<void> {
  const { request, response, appName } = signIn;
  const given = fieldsOf(request);
  const name = given.get('user') ?? '';
  const refuse = (problem: string, status: number): void => {
    show(response, loginPage(ports.settings, actionOf(signIn, 'login'), appName, problem), status);
  };
  const wait = lockOut.attempt(name, Date.now());
  if (wait > 0) {
    response.set('Retry-After', String(wait));
    refuse(`Too many attempts. Try again in ${Math.ceil(wait / 60)} minutes.`, 429);
    return;
  }
  if (!(await isPassword(given.get('password') ?? '', ports.register.person(name)?.password))) {
    refuse('Name and password do not go together.', 401);
    return;
  }
  lockOut.succeeded(name);
  await finish(signIn, { login: { accountId: name, remember: false } });
}

async function consent(ports: AuthorizationPorts, signIn: SignIn): Promise<void> {
  const question = signIn.step === 'consent' ? questionOf(ports, signIn) : undefined;
  const person = ports.register.person(signIn.user ?? '');
  if (question === undefined || person === undefined) {
    show(signIn.response, faultPage(ports.settings, 'unknown_user'), 400);
    return;
  }
  const given = fieldsOf(signIn.request);
  if (given.get('decision') !== 'allow') {
    await finish(signIn, { error: 'access_denied', error_description: 'the person did not allow it' });
    return;
  }
  const found = await contextOf(ports, signIn, person, given.get('patient')?.trim());
  if ('problem' in found) askConsent(ports, signIn, question, found.problem);
  else if ('error' in found) await finish(signIn, { error: 'invalid_request', error_description: found.error });
  else await allow(ports, signIn, person, { context: found.context, left: given.getAll('scope') });
}

type FoundContext =
  { readonly context: LaunchContext | undefined } | { readonly problem: string } | { readonly error: string };

/** Whose record the app is opened for: as the EHR said, the person's own, or the one named on the page. */
async function contextOf(
  { launches, maySee, settings }: AuthorizationPorts,
  { asked }: SignIn,
  person: Person,
  named: string | undefined,
): Promise<FoundContext> {
  const scopes = scopesOf(asked);
  if (scopes.includes('launch')) {
    const launch = launches.take(asked('launch') ?? '', person.user);
    if (launch === undefined) return { error: 'the launch is over, or was not begun by this person' };
    return { context: { patient: launch.patient, needsBanner: false } };
  }
  if (!needsPatient(scopes)) return { context: undefined };
  if (person.patient !== undefined) return { context: { patient: person.patient, needsBanner: true } };
  const actor = actorOf(settings.member, person);
  if (named === undefined || named === '' || !(await maySee(actor, named))) {
    return { problem: 'There is no such patient here that you may see.' };
  }
  return { context: { patient: named, needsBanner: true } };
}

interface Allowed {
  readonly context: LaunchContext | undefined;
  /** Scopes that the person left ticked. */
  readonly left: readonly string[];
}

/** A grant of its own for every launch: its context is nobody else's. */
async function allow(
  { settings, launches }: AuthorizationPorts,
  signIn: SignIn,
  { user, ...person }: Person,
  { context, left }: Allowed,
): Promise<void> {
  const { provider, appId, asked } = signIn;
  const requested = scopesOf(asked);
  const granted = scopesFor({ user, ...person }, requested).filter(
    (scope) => !isClinicalScope(scope) || left.includes(scope),
  );
  const refused = requested.filter((scope) => !granted.includes(scope));
  const base = fhirBase(settings.baseUrl);
  const grant = new provider.Grant({ accountId: user, clientId: appId });
  grant.addOIDCScope(identityScopes(granted).join(' '));
  grant.addResourceScope(base, granted.join(' '));
  grant.rejectOIDCScope(identityScopes(refused).join(' '));
  grant.rejectResourceScope(base, refused.join(' '));
  const grantId = await grant.save();
  if (context !== undefined) launches.keep(grantId, context, GRANT_S);
  await finish(signIn, { consent: { grantId } });
}

function identityScopes(scopes: readonly string[]): readonly string[] {
  return scopes.filter((scope) => (IDENTITY_SCOPES as readonly string[]).includes(scope));
}

function questionOf({ register }: AuthorizationPorts, signIn: SignIn): ConsentQuestion | undefined {
  const person = register.person(signIn.user ?? '');
  if (person === undefined) return undefined;
  const requested = scopesOf(signIn.asked);
  const allowed = register.app(signIn.appId)?.scope?.split(' ');
  const scopes = requested.filter(
    (scope) => isClinicalScope(scope) && (allowed === undefined || isWithin(scope, allowed)),
  );
  const patient = patientOf(person, requested);
  return {
    ...{ action: actionOf(signIn, 'consent'), appName: signIn.appName, user: person.user, role: person.role, scopes },
    isLasting: requested.includes('offline_access'),
    ...(patient === undefined ? {} : { patient }),
  };
}

/** The patient as the page shows it; of an EHR's launch nothing before it is taken. */
function patientOf(person: Person, requested: readonly string[]): ConsentQuestion['patient'] {
  if (requested.includes('launch') || !needsPatient(requested)) return undefined;
  return person.patient === undefined ? 'asked' : { id: person.patient };
}

function scopesOf(asked: SignIn['asked']): readonly string[] {
  return (asked('scope') ?? '').split(' ').filter((scope) => grantable(scope, false));
}

/** The person as the gateway's own questions are asked. */
function actorOf(member: string, { user, role }: Person): Actor {
  const [purpose = ''] = purposesOf[role as Role];
  return { member, user, role, purpose, scopes: ['user/Patient.r'] };
}

async function finish({ provider, request, response }: SignIn, result: InteractionResults): Promise<void> {
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
}

function actionOf({ uid }: SignIn, step: string): string {
  return `${AUTHORIZATION_PATH}/sign-in/${uid}/${step}`;
}

function show(response: Response, text: string, status = 200, leadsTo?: string): void {
  response.status(status).set('Content-Security-Policy', signInPolicy(leadsTo)).type('html').send(text);
}
