import type { AccessRequest, CareConsent, ConsentInForce, Period, Provision } from '@salus/chaincode/consent/decide';

/**
 * The decision once more, by brute force and from the specification alone: every chain of provisions from a root to a
 * rule is written out and held against the raw resource. It shares no code with what it judges.
 */

export interface RawResource {
  readonly resourceType: string;
  readonly id: string;
  readonly meta: { readonly security: readonly { readonly system: string; readonly code: string }[] };
  readonly category?: readonly { readonly coding: readonly { readonly system: string; readonly code: string }[] }[];
  readonly code?: { readonly coding: readonly { readonly system: string; readonly code: string }[] };
  readonly effectiveDateTime?: string;
  readonly encounter?: { readonly reference: string };
  readonly performer?: readonly { readonly reference: string }[];
}

/** What else the custodian's record holds: lists and teams, by their JSON. */
export interface RawRecord {
  readonly 'List/l': object;
  readonly 'CareTeam/t': { readonly participant: readonly string[] };
  readonly isRestricted: boolean;
  /** Who treats the patient. */
  readonly treating: readonly string[];
}

type Answer = 'permit' | 'deny';
interface Chain {
  readonly rules: readonly Provision[];
  readonly effects: readonly (Answer | undefined)[];
}
interface World {
  readonly request: AccessRequest;
  readonly resource: RawResource;
  readonly record: RawRecord;
  readonly now: string;
}

const NARROW: Record<string, string[]> = { TREAT: ['ETREAT'], HRESCH: ['CLINTRCH'] };
const LEVELS = 'ULMNRV';
const GOVERNED = ['TREAT', 'ETREAT', 'HPAYMT', 'HOPERAT', 'BTG'];

/** What the specification says of this request. */
export function judge(world: World, consents: readonly ConsentInForce[]): Answer {
  const voices = consents.flatMap(({ care }) => voiceOf(care, world));
  const inside = world.request.member === world.request.custodian;
  const implicit = inside ? role(world) && isClose(world) : isEmergency(world);
  if (voices.some(({ answer, weak }) => answer === 'deny' && !weak)) return 'deny';
  const mayAdd = !(inside && GOVERNED.includes(world.request.purpose));
  if (mayAdd && voices.some(({ answer }) => answer === 'permit')) return 'permit';
  return implicit && !voices.some(({ weak }) => weak) ? 'permit' : 'deny';
}

/**
 * Whether what is permitted to another member may not be passed on: it is of substance use, or one of the rules that permit
 * it, or one around those, says so. Of consents that permit alone.
 */
export function binds(world: World, consents: readonly ConsentInForce[]): boolean {
  const permitting = consents.filter(({ care }) => voiceOf(care, world).some(({ answer }) => answer === 'permit'));
  if (world.request.member === world.request.custodian || permitting.length === 0) return false;
  if (world.resource.meta.security.some(({ code }) => ['ETH', 'ETHUD', 'OPIOIDUD'].includes(code))) return true;
  const chains = permitting.flatMap(({ care }) => chainsFrom(care.provision ?? {}, policyOf(care)));
  const said = chains.filter((chain) => chain.effects.at(-1) === 'permit' && matches(chain, world));
  return said.some(({ rules }) => rules.some((rule) => labels(rule).includes(BINDING)));
}

const BINDING = 'NORDSCLCD';
const labels = ({ securityLabel = [] }: Provision): string[] => securityLabel.map(({ code = '' }) => code);
/** Labels that class data. */
const classes = (rule: Provision): string[] => labels(rule).filter((code) => code !== BINDING);

const isEmergency = ({ request }: World): boolean => request.purpose === 'BTG' && request.role === 'physician';

/** A restricted patient's record is for those who treat or are in the team, and for emergencies. */
function isClose({ request, record }: World): boolean {
  const close = [...record.treating, ...record['CareTeam/t'].participant];
  return !record.isRestricted || request.purpose === 'BTG' || close.includes(`${request.member}/${request.user}`);
}

/** The role table, as far as the generated roles go. */
function role({ request, resource }: World): boolean {
  const { role: who, purpose } = request;
  if (who === 'physician') return ['TREAT', 'ETREAT', 'BTG', 'HOPERAT'].includes(purpose);
  return who === 'biller' && purpose === 'HPAYMT' && resource.resourceType !== 'DocumentReference';
}

function voiceOf(care: CareConsent, world: World): { answer: Answer; weak: boolean }[] {
  if (care.status !== 'active') return [];
  const chains = chainsFrom(care.provision ?? {}, policyOf(care)).filter((chain) => matches(chain, world));
  const depth = Math.max(...chains.map(({ rules }) => rules.length));
  const deepest = chains.filter(({ rules }) => rules.length === depth).map(({ effects }) => effects.at(-1));
  if (deepest.length === 0) return [];
  const answer = deepest.includes('deny') ? 'deny' : 'permit';
  return [{ answer, weak: answer === 'deny' && depth === 1 && JSON.stringify(inner(care)).includes('"permit"') }];
}

const inner = (care: CareConsent): readonly Provision[] => care.provision?.provision ?? [];

function policyOf(care: CareConsent): Answer | undefined {
  const type = care.provision?.type;
  if (type === 'permit' || type === 'deny') return type;
  const code = care.policyRule?.coding?.[0]?.code;
  return code === 'OPTIN' ? 'permit' : code === 'OPTOUT' ? 'deny' : undefined;
}

function chainsFrom(root: Provision, base: Answer | undefined): Chain[] {
  const chains: Chain[] = [{ rules: [root], effects: [base] }];
  for (const chain of chains) {
    for (const next of chain.rules.at(-1)?.provision ?? []) {
      chains.push({ rules: [...chain.rules, next], effects: [...chain.effects, next.type as Answer] });
    }
  }
  return chains;
}

function matches({ rules, effects }: Chain, world: World): boolean {
  const own = effects.at(-1);
  if (own === undefined || isUnnamedBreakGlass(rules, world)) return false;
  if (own === 'deny' && optsOut(rules, world)) return false;
  const readAs = own === 'permit' ? [...effects.map(() => own), ...effects] : effects;
  return [
    rules.every((rule) => party(rule, world)),
    own === 'deny' || rules.every((rule, index) => isBound(rule, rules.slice(0, index), world)),
    readAs.every((effect, index) => about(rules[index % rules.length]!, effect ?? 'permit', world)),
    labelled(rules, effects, own, world),
  ].every(Boolean);
}

function isUnnamedBreakGlass(rules: readonly Provision[], { request }: World): boolean {
  return request.purpose === 'BTG' && !JSON.stringify(rules.at(-1)?.purpose ?? []).includes('"BTG"');
}

function optsOut(rules: readonly Provision[], { request }: World): boolean {
  const naming = ['actor', 'class', 'code', 'data', 'dataPeriod'];
  const isNaming = (rule: Provision): boolean => naming.some((name) => name in rule) || classes(rule).length > 0;
  return request.member === request.custodian && !rules.some(isNaming);
}

function party(rule: Provision, { request, record, now }: World): boolean {
  const purposes = request.purpose === 'BTG' ? undefined : rule.purpose;
  return [
    rule.period === undefined || contains(rule.period, now.slice(0, 10)),
    rule.actor?.some((actor) => isInTeam(actor, request, record) || isNamed(actor.reference?.identifier, request)) ??
      true,
    rule.action?.some((action) => action.coding?.[0]?.code === 'access') ?? true,
    purposes?.some(({ code }) => named(code, request.purpose)) ?? true,
  ].every(Boolean);
}

type Actor = NonNullable<Provision['actor']>[number];

function isInTeam({ reference }: Actor, { member, user }: AccessRequest, record: RawRecord): boolean {
  return reference?.reference === 'CareTeam/t' && record['CareTeam/t'].participant.includes(`${member}/${user}`);
}

function contains({ start = '0', end = '9' }: Period, day: string): boolean {
  return start <= day && day <= end;
}

function named(code = '', purpose: string): boolean {
  return code === purpose || (NARROW[code] ?? []).includes(purpose);
}

/** A bare user id permits the custodian's own person, or one of a member that a rule above names. */
function isBound(rule: Provision, above: readonly Provision[], { request, record }: World): boolean {
  if (request.member === request.custodian || rule.actor === undefined) return true;
  const bare = ({ reference }: Actor): boolean =>
    reference?.identifier?.system === 'urn:salus:user' && !reference.identifier.value?.includes('/');
  const members = above.flatMap(({ actor }) => actor ?? []).map(({ reference }) => reference?.identifier);
  const isIn = members.some(
    (each) => [undefined, 'urn:salus:member'].includes(each?.system) && each?.value === request.member,
  );
  const isTeam = rule.actor.some((actor) => isInTeam(actor, request, record));
  return isIn || isTeam || rule.actor.some((each) => !bare(each) && isNamed(each.reference?.identifier, request));
}

function isNamed(identifier: { system?: string; value?: string } | undefined, request: AccessRequest): boolean {
  switch (identifier?.system) {
    case undefined:
    case 'urn:salus:member':
      return identifier !== undefined && identifier.value === request.member;
    case 'urn:salus:user':
      return [request.user, `${request.member}/${request.user}`].includes(identifier.value ?? '');
    case 'urn:salus:role':
      return identifier.value === request.role;
    default:
      return false;
  }
}

function about(rule: Provision, effect: Answer, { resource, record }: World): boolean {
  const concepts = [...(resource.category ?? []), ...(resource.code ? [resource.code] : [])];
  const codes = concepts.flatMap(({ coding }) => coding).map(({ code }) => code);
  return [
    rule.class?.some(({ code }) => code === resource.resourceType) ?? true,
    rule.code?.some(({ coding }) => codes.includes(coding?.[0]?.code ?? '')) ?? true,
    rule.data?.some((data) => refers(data.meaning, data.reference?.reference, resource, record)) ?? true,
    rule.dataPeriod === undefined || during(rule.dataPeriod, effect, resource),
  ].every(Boolean);
}

function during(period: Period, effect: Answer, resource: RawResource): boolean {
  const day = resource.effectiveDateTime;
  if (day === undefined) return effect === 'deny' && resource.resourceType !== 'Patient';
  return contains(period, day);
}

function refers(
  meaning: string | undefined,
  target: string | undefined,
  resource: RawResource,
  record: RawRecord,
): boolean {
  const self = `${resource.resourceType}/${resource.id}` === target;
  if (meaning === 'authoredby') return resource.performer?.some(({ reference }) => reference === target) ?? false;
  if (meaning === 'related') {
    const named = target === 'List/l' ? JSON.stringify(record['List/l']) : '';
    return self || named.includes(`"${resource.resourceType}/${resource.id}"`);
  }
  if (meaning === 'dependents') return self || JSON.stringify(resource).includes(`"${target ?? ''}"`);
  return self;
}

function labelled(rules: readonly Provision[], effects: Chain['effects'], own: Answer, { resource }: World): boolean {
  const at = rules.findLastIndex((rule) => classes(rule).length > 0);
  const list = at < 0 ? [] : classes(rules[at]!);
  if (at < 0) return true;
  const carried = resource.meta.security.map(({ code }) => code);
  const kinds = carried.filter((code) => code.length > 1);
  const levels = carried.filter((code) => code.length === 1);
  const marks = kinds.length > 0 || levels.length === 0 ? [...levels, 'R'] : levels;
  const level = Math.max(...marks.map((code) => LEVELS.indexOf(code)));
  const reads = { permit: ceiling(list, level, kinds), deny: floor(list, level, kinds) };
  return reads[effects[at] ?? 'permit'] && (own === 'deny' || reads.permit);
}

function ceiling(list: readonly string[], level: number, kinds: readonly string[]): boolean {
  const named = list.filter((code) => code.length > 1);
  const levels = list.filter((code) => code.length === 1).map((code) => LEVELS.indexOf(code));
  if (levels.length > 0 && levels.every((most) => most < level)) return false;
  if (named.length > 0 && levels.length === 0 && kinds.length === 0) return false;
  return named.length === 0 || kinds.every((kind) => named.some((code) => wider(code, kind)));
}

function floor(list: readonly string[], level: number, kinds: readonly string[]): boolean {
  return list.some((code) =>
    code.length === 1 ? LEVELS.indexOf(code) <= level : kinds.some((kind) => wider(code, kind)),
  );
}

const wider = (named: string, kind: string): boolean => named === kind || (named === 'ETH' && kind === 'OPIOIDUD');
