/** A patient's list of AuditEvents in words: one line for each, and which are disclosures (45 CFR 164.528). Pure. */
/** Years that an accounting reaches back: 45 CFR 164.528 (a) (1). */
export const YEARS = 6;

/** One event in words. */
export interface Line {
  /** FHIR instant. */
  readonly at: string;
  readonly organisation: string;
  /** Where the organisation's gateway is reached: the address that is known of it. */
  readonly address: string;
  /** Who, as the organisation names them, and in which role. */
  readonly person: string;
  readonly why: string;
  readonly what: string;
  readonly permitted: boolean;
  /** On which consent, or on what else it was decided. */
  readonly basis: string;
  /** Given to another organisation: `counted` by 164.528, or `exempt` by its (a) (1). Absent for what was not given out. */
  readonly disclosure?: 'counted' | 'exempt';
}

/** One page of a patient's accounting. */
export interface Account {
  readonly lines: readonly Line[];
  /** Cursor of the next page. */
  readonly next?: string;
}

interface Named {
  /** A member's name as people know it. */
  readonly titleOf: (member: string) => string;
  readonly owner: { readonly member: string };
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** HL7 v3 PurposeOfUse in plain words. */
const PURPOSES: Readonly<Record<string, string>> = {
  TREAT: 'treatment',
  ETREAT: 'emergency treatment',
  BTG: 'emergency, without a consent (break-glass)',
  COC: 'coordination of care',
  HPAYMT: 'payment',
  CLMATTCH: 'payment: attachments to a claim',
  HOPERAT: 'health care operations',
  HQUALIMP: 'quality improvement',
  PATSFTY: 'patient safety',
  HCOMPL: 'checking that rules are kept',
  HLEGAL: 'legal matters',
  FRAUD: 'looking for fraud',
  HSYSADMIN: 'running the system',
  HRESCH: 'research',
  CLINTRCH: 'a clinical trial',
  PUBHLTH: 'public health',
  PATRQT: 'the patient’s own request',
  FAMRQT: 'a request of the family',
};

/** Treatment, payment and operations, and what the individual asked for: 164.528 (a) (1) (i), (ii) and (iii). */
const EXEMPT = ['TREAT', 'ETREAT', 'BTG', 'COC', 'HPAYMT', 'CLMATTCH', 'HOPERAT', 'HQUALIMP', 'PATRQT', 'FAMRQT'];

interface Coded {
  readonly coding?: readonly { readonly code?: string }[];
}

interface Event {
  readonly recorded: string;
  readonly period?: { readonly start: string };
  readonly outcome: string;
  readonly action: string;
  readonly purposeOfEvent: readonly Coded[];
  readonly agent: readonly {
    readonly who: { readonly reference?: string; readonly identifier: { readonly value: string } };
    readonly role?: readonly Coded[];
    readonly network?: { readonly address: string };
  }[];
  readonly entity: readonly {
    readonly what?: { readonly reference: string };
    readonly type?: { readonly system: string; readonly code: string };
    readonly description?: string;
    readonly query?: string;
  }[];
}

/** The answer to `AuditEvent?patient=` in words. Disclosures are those of the last six years. */
export function accountOf(resource: unknown, named: Named): Account {
  const bundle = (typeof resource === 'string' ? JSON.parse(resource) : resource) as {
    readonly entry?: readonly { readonly resource: Event }[];
    readonly link?: readonly { readonly relation: string; readonly url: string }[];
  };
  const url = bundle.link?.find(({ relation }) => relation === 'next')?.url;
  const next = url === undefined ? null : new URL(url).searchParams.get('_cursor');
  const lines = (bundle.entry ?? []).map((entry) => lineOf(entry.resource, named));
  return next === null ? { lines } : { lines, next };
}

function lineOf(event: Event, named: Named): Line {
  const who = whoOf(event);
  const purpose = codeOf(event.purposeOfEvent[0]);
  const permitted = event.outcome === '0';
  const isGiven = permitted && event.action !== 'U' && who.member !== named.owner.member;
  return {
    ...{
      at: event.period?.start ?? event.recorded,
      organisation: named.titleOf(who.member),
      address: who.address,
      person: who.person,
    },
    ...{ why: PURPOSES[purpose] ?? purpose, permitted, what: whatOf(event), basis: basisOf(event) },
    ...(isGiven && isRecent(event, named.now()) ? { disclosure: disclosureFor(purpose) } : {}),
  };
}

function disclosureFor(purpose: string): 'counted' | 'exempt' {
  return EXEMPT.includes(purpose) ? 'exempt' : 'counted';
}

/** The person and the organisation, as the event's first agents name them. */
function whoOf({ agent: [user, client] }: Event): { member: string; person: string; address: string } {
  const { reference, identifier }: Event['agent'][number]['who'] = user?.who ?? { identifier: { value: '' } };
  const [member = '', ...rest] = identifier.value.split('/');
  const person = personOf(reference ?? rest.join('/'), codeOf(user?.role?.[0]));
  return { member, person, address: client?.network?.address ?? '' };
}

function personOf(known: string, role: string): string {
  return role === 'patient' ? 'the patient' : `${known}, ${role}`;
}

function codeOf(concept: Coded | undefined): string {
  return concept?.coding?.[0]?.code ?? '';
}

function isRecent({ recorded }: Event, now: number): boolean {
  const from = new Date(now);
  from.setUTCFullYear(from.getUTCFullYear() - YEARS);
  return Date.parse(recorded) >= from.getTime();
}

const RESOURCE_TYPES = 'http://hl7.org/fhir/resource-types';

/** The kinds of data asked for. */
function whatOf({ entity, action }: Event): string {
  const types = entity.flatMap(({ type, what }) =>
    type?.system === RESOURCE_TYPES && what === undefined ? [type.code] : [],
  );
  const said =
    types.length > 0 ? types : entity.flatMap(({ query, description }) => (query ? [description ?? ''] : []));
  const named = entity.flatMap(({ type, what }) => (type?.code === '2' && what ? [what.reference] : []));
  const kinds = [...named, ...said].map(kindOf).filter((each, index, all) => all.indexOf(each) === index);
  return `${action === 'U' ? 'changed: ' : ''}${kinds.join(', ')}`;
}

/** `GET Patient/1/$everything` -> the whole record, `Observation/7` -> Observation (as words). */
function kindOf(asked: string): string {
  const path = asked.replace(/^[A-Z]+ /, '');
  if (path === '' || path.endsWith('$everything')) return 'the whole record';
  const type = /(?:^|\/)([A-Z][A-Za-z]+)/.exec(path)?.[1];
  const words = type?.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
  if (words === undefined) return path;
  return path.includes('_history') ? `history of ${words}` : words;
}

function basisOf({ entity }: Event): string {
  const consents = entity.flatMap(({ what, type }) =>
    type?.system === RESOURCE_TYPES && type.code === 'Consent' && what
      ? [what.reference.replace('/_history/', ' version ')]
      : [],
  );
  const rules = entity.flatMap(({ description, query }) => (description && !query ? [description] : []));
  if (consents.length === 0 && rules.length === 0) return 'by role, at the custodian';
  return [...(consents.length > 0 ? [`on ${consents.join(', ')}`] : []), ...rules].join('; ');
}
