/** What IHE BALP 1.1 requires of an AuditEvent (input/fsh of IHE/ITI.BasicAudit), as a list of what is wrong with one. */
export interface Event {
  readonly id?: string;
  readonly meta?: { readonly profile?: readonly string[] };
  readonly type?: Coding;
  readonly subtype?: readonly Coding[];
  readonly action?: string;
  readonly recorded?: string;
  readonly outcome?: string;
  readonly agent?: readonly Agent[];
  readonly source?: { readonly observer?: object };
  readonly entity?: readonly Entity[];
}

interface Coding {
  readonly system?: string;
  readonly code?: string;
}

interface Agent {
  readonly type?: { readonly coding?: readonly Coding[] };
  readonly who?: object;
  readonly requestor?: boolean;
  readonly network?: { readonly address?: string; readonly type?: string };
  readonly media?: object;
}

interface Entity {
  readonly type?: Coding;
  readonly role?: Coding;
  readonly what?: { readonly reference?: string };
  readonly query?: string;
  readonly detail?: unknown;
  readonly lifecycle?: unknown;
}

const PROFILE = /^https:\/\/profiles\.ihe\.net\/ITI\/BALP\/StructureDefinition\/IHE\.BasicAudit\.(Patient)?(\w+)$/;
const DCM = 'http://dicom.nema.org/resources/ontology/DCM';
const CLIENT_IS_SOURCE = { client: '110153', server: '110152' };

/** By pattern: subtypes that its slices name, action, and who is source and who destination. */
const PATTERNS: Readonly<
  Record<string, { readonly subtypes: readonly string[]; readonly action: string; client: string; server: string }>
> = {
  Read: { subtypes: ['read', 'vread'], action: 'R', client: '110152', server: '110153' },
  // The slices of Query are open: a question that is no search keeps its own interaction.
  Query: {
    subtypes: ['search', 'search-type', 'search-system', 'history-instance', 'history-type', 'operation'],
    action: 'E',
    ...CLIENT_IS_SOURCE,
  },
  Update: { subtypes: ['update', 'patch'], action: 'U', ...CLIENT_IS_SOURCE },
};

/** What of the pattern that the event claims, or with `as` would claim had it succeeded, it does not keep. */
export function broken(event: Event, as?: string): string[] {
  const [, forPatient, name = ''] = PROFILE.exec(as ?? String(event.meta?.profile?.[0])) ?? [];
  const pattern = PATTERNS[name];
  if (pattern === undefined) return [`claims no pattern: ${JSON.stringify(event.meta)}`];
  const rules = { ...headRules(event, pattern), ...peopleRules(event, name, forPatient !== undefined) };
  return Object.entries(rules).flatMap(([rule, holds]) => (holds ? [] : [rule]));
}

type Pattern = (typeof PATTERNS)[string];

function headRules(event: Event, pattern: Pattern): Record<string, boolean> {
  return {
    'type is rest': isCoded(event.type, 'http://terminology.hl7.org/CodeSystem/audit-event-type', ['rest']),
    'subtype 1.. of http://hl7.org/fhir/restful-interaction': (event.subtype ?? []).some((each) =>
      isCoded(each, 'http://hl7.org/fhir/restful-interaction', pattern.subtypes),
    ),
    'action is the pattern’s': event.action === pattern.action,
    'recorded 1..1': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(String(event.recorded)),
    'outcome 0 where a profile is claimed': event.meta === undefined || event.outcome === '0',
    'source.observer 1..1': event.source?.observer !== undefined,
  };
}

function peopleRules(event: Event, name: string, forPatient: boolean): Record<string, boolean> {
  const { client, server } = PATTERNS[name]!;
  const entities = event.entity ?? [];
  return {
    'agent client 1..1': isMachine(event, client),
    'agent server 1..1': isMachine(event, server),
    'agent user 0..1 with who, requestor, no media and no network': usersAreRight(event, name),
    'entity patient 1..1': !forPatient || isPatientNamed(entities),
    'entity data or query 1..1': isObjectNamed(entities, name),
  };
}

const isCoded = (coding: Coding | undefined, system: string, codes: readonly string[]): boolean =>
  coding?.system === system && codes.includes(String(coding.code));

const typed = (agents: readonly Agent[] = [], system: string, codes: readonly string[]): Agent[] =>
  agents.filter((each) => each.type?.coding?.some((one) => one.system === system && codes.includes(one.code!)));

function isMachine({ agent }: Event, code: string): boolean {
  const found = typed(agent, DCM, [code]);
  const [only] = found;
  return found.length === 1 && only?.who !== undefined && only.network?.address !== undefined && !only.media;
}

function usersAreRight({ agent }: Event, pattern: string): boolean {
  const participation = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType';
  const users = typed(agent, participation, pattern === 'Update' ? ['AUT', 'INF', 'CST'] : ['IRCP']);
  return users.length === 1 && users.every((user) => user.who && user.requestor && !user.network && !user.media);
}

const ofType = (entities: readonly Entity[], code: string): Entity[] =>
  entities.filter(
    ({ type }) => type?.system === 'http://terminology.hl7.org/CodeSystem/audit-entity-type' && type.code === code,
  );

function isPatientNamed(entities: readonly Entity[]): boolean {
  const [only, ...more] = ofType(entities, '1');
  return more.length === 0 && only?.role?.code === '1' && /^Patient\//.test(only.what?.reference ?? '');
}

function isObjectNamed(entities: readonly Entity[], pattern: string): boolean {
  const [only, ...more] = ofType(entities, '2');
  if (more.length > 0 || only === undefined) return false;
  if (pattern !== 'Query') return ['3', '4', '20'].includes(only.role?.code ?? '') && only.what !== undefined;
  const { role, query, what, detail, lifecycle } = only;
  return role?.code === '24' && query !== undefined && [what, detail, lifecycle].every((each) => each === undefined);
}
