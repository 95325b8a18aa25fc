/** Every way to read at a gateway, as questions about one record; the attack test asks them all as whoever must not. */

/** What a question names: of the victim, or of somebody who does not exist. */
export interface Target {
  readonly patient: string;
  readonly observation: string;
  readonly family: string;
  /** Idempotency-Key of a write of the custodian's staff. */
  readonly key: string;
}

export interface Question {
  readonly method?: string;
  /** Below the FHIR base, or from the origin when it starts with `/`. */
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ReadRoute {
  /** As the router's table has it: method and pattern. */
  readonly route: string;
  readonly ask: (target: Target) => readonly Question[];
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const get = (...paths: string[]): Question[] => paths.map((path) => ({ path }));
const form = (path: string, body: string): Question[] => [{ method: 'POST', path, body, headers: FORM }];

const bundle = (type: string, urls: readonly string[]): Question => ({
  path: '',
  body: { resourceType: 'Bundle', type, entry: urls.map((url) => ({ request: { method: 'GET', url } })) },
});

const tagged = { resourceType: 'Parameters', parameter: [{ name: 'meta', valueMeta: { tag: [{ code: 'seen' }] } }] };

/** What includes, chains and reverse chains could bring along. */
const searches = ({ patient, family }: Target): string[] => [
  `Observation?patient=${patient}`,
  `Observation?patient=${patient}&_summary=count`,
  `Observation?subject=Patient/${patient}&_include=Observation:subject`,
  `Observation?patient.family=${family}`,
  `Condition?patient=${patient}&_include=*`,
  `Patient?_id=${patient}`,
  `Patient?_id=${patient}&_revinclude=Observation:subject`,
  `Patient?family=${family}`,
  `Patient?_has:Observation:patient:code=2339-0&family=${family}`,
  `Patient?_id=${patient}&_revinclude=Provenance:target`,
  `Provenance?target=Patient/${patient}`,
  `Provenance?patient=${patient}`,
  `Consent?patient=${patient}`,
  `AuditEvent?patient=${patient}`,
];

const terminology = [
  ...['ValueSet/$expand', 'ValueSet/:id/$expand', 'ValueSet/$validate-code', 'ValueSet/:id/$validate-code'],
  ...['CodeSystem/$lookup', 'CodeSystem/$subsumes', 'CodeSystem/:id/$subsumes'],
  ...['CodeSystem/$validate-code', 'CodeSystem/:id/$validate-code'],
  ...['ConceptMap/$translate', 'ConceptMap/:id/$translate'],
];

/** The list. */
export const readRoutes: readonly ReadRoute[] = [
  {
    route: 'GET Patient/:id/$everything',
    ask: ({ patient }) =>
      get(`Patient/${patient}/$everything`, `Patient/${patient}/$everything?_type=Patient,Provenance`),
  },
  ...['GET', 'POST'].map((method) => ({
    route: `${method} Encounter/:id/$everything`,
    ask: ({ patient }: Target) => [{ method, path: `Encounter/${patient}/$everything` }],
  })),
  ...['Patient', 'Encounter', 'RelatedPerson', 'Practitioner', 'Device'].flatMap((name): ReadRoute[] => [
    { route: `GET ${name}/:id/*`, ask: ({ patient }) => get(`${name}/${patient}/*`) },
    { route: `POST ${name}/:id/*/_search`, ask: ({ patient }) => form(`${name}/${patient}/*/_search`, '_count=5') },
  ]),
  {
    route: 'POST Patient/$match',
    ask: ({ family }) => [
      { path: 'Patient/$match', body: { resourceType: 'Patient', name: [{ family }] } },
      { path: 'Patient/$match', body: { resourceType: 'Patient', name: [{ family }], birthDate: '1971-03-14' } },
    ],
  },
  {
    route: 'POST Patient/:id/$everything',
    ask: ({ patient }) => [{ path: `Patient/${patient}/$everything`, body: { resourceType: 'Parameters' } }],
  },
  {
    route: 'POST Observation/$lastn',
    ask: ({ patient }) => [
      {
        path: 'Observation/$lastn',
        body: { resourceType: 'Parameters', parameter: [{ name: 'patient', valueString: patient }] },
      },
    ],
  },
  ...['GET', 'POST'].flatMap((method): ReadRoute[] => {
    const body = method === 'POST' ? { body: { resourceType: 'Parameters' } } : {};
    const headers = { prefer: 'respond-async' };
    return [
      { route: `${method} $export`, ask: () => [{ method, path: '$export', headers, ...body }] },
      { route: `${method} Patient/$export`, ask: () => [{ method, path: 'Patient/$export', headers, ...body }] },
      {
        route: `${method} Group/:id/$export`,
        ask: () => [{ method, path: 'Group/any/$export', headers, ...body }],
      },
    ];
  }),
  { route: 'GET $export-status/:job', ask: () => get('$export-status/any') },
  { route: 'DELETE $export-status/:job', ask: () => [{ method: 'DELETE', path: '$export-status/any' }] },
  { route: 'GET $export-file/:job/:file', ask: () => get('$export-file/any/Patient') },
  { route: 'GET $import-status', ask: () => get('$import-status') },
  { route: 'GET $import-status/:job', ask: () => get('$import-status/any') },
  { route: 'DELETE $import-status/:job', ask: () => [{ method: 'DELETE', path: '$import-status/any' }] },
  { route: 'GET $import-file/:job/:file', ask: () => get('$import-file/any/0') },
  ...['GET', 'POST'].flatMap((method): ReadRoute[] =>
    terminology.map((path) => ({
      route: `${method} ${path}`,
      ask: ({ patient }) => [{ method, path: path.replace(':id', patient) }],
    })),
  ),
  ...['GET', 'POST'].flatMap((method): ReadRoute[] => [
    { route: `${method} $meta`, ask: () => [{ method, path: '$meta' }] },
    { route: `${method} :type/$meta`, ask: () => [{ method, path: 'Patient/$meta' }] },
    {
      route: `${method} :type/:id/_history/:vid/$meta`,
      ask: ({ patient }) => [{ method, path: `Patient/${patient}/_history/1/$meta` }],
    },
    { route: `${method} :type/:id/$meta`, ask: ({ patient }) => [{ method, path: `Patient/${patient}/$meta` }] },
  ]),
  ...['GET', 'POST'].flatMap((method): ReadRoute[] =>
    [
      ...['Subscription/$status', 'Subscription/:id/$status', 'Subscription/:id/$events'],
      ...['Subscription/$get-ws-binding-token', 'Subscription/:id/$get-ws-binding-token'],
    ].map((path) => ({
      route: `${method} ${path}`,
      ask: ({ patient }) => [{ method, path: path.replace(':id', patient) }],
    })),
  ),
  { route: 'GET DocumentReference/$docref', ask: ({ patient }) => get(`DocumentReference/$docref?patient=${patient}`) },
  {
    route: 'POST DocumentReference/$docref',
    ask: ({ patient }) => [
      {
        path: 'DocumentReference/$docref',
        body: { resourceType: 'Parameters', parameter: [{ name: 'patient', valueId: patient }] },
      },
    ],
  },
  { route: 'GET Observation/$lastn', ask: ({ patient }) => get(`Observation/$lastn?patient=${patient}`) },
  { route: 'GET :type/:id/$validate', ask: ({ observation }) => get(`Observation/${observation}/$validate`) },
  {
    route: 'POST :type/:id/$validate',
    ask: ({ patient }) => [{ path: `Patient/${patient}/$validate`, body: { resourceType: 'Patient', id: patient } }],
  },
  { route: 'POST :type/$validate', ask: () => [{ path: 'Patient/$validate', body: { resourceType: 'Patient' } }] },
  { route: 'POST $validate', ask: () => [{ path: '$validate', body: { resourceType: 'Patient' } }] },
  {
    route: 'POST :type/:id/$meta-add',
    ask: ({ patient }) => [{ path: `Patient/${patient}/$meta-add`, body: tagged }],
  },
  {
    route: 'POST :type/:id/$meta-delete',
    ask: ({ patient }) => [{ path: `Patient/${patient}/$meta-delete`, body: tagged }],
  },
  { route: 'GET Patient/:id/:member', ask: ({ patient }) => get(`Patient/${patient}/Observation`) },
  {
    route: 'POST Patient/:id/:member/_search',
    ask: ({ patient }) => form(`Patient/${patient}/Observation/_search`, 'code=2339-0'),
  },
  ...['Encounter', 'Practitioner', 'RelatedPerson', 'Device'].flatMap((compartment): ReadRoute[] => [
    {
      route: `GET ${compartment}/:id/:member`,
      ask: ({ patient }) => get(`${compartment}/any/Observation?patient=${patient}`),
    },
    {
      route: `POST ${compartment}/:id/:member/_search`,
      ask: ({ patient }) => form(`${compartment}/any/Observation/_search`, `patient=${patient}`),
    },
  ]),
  { route: 'GET ', ask: ({ patient }) => get(`?_type=Patient,Observation&_id=${patient}`) },
  { route: 'POST _search', ask: ({ patient }) => form('_search', `_type=Patient,Observation&_id=${patient}`) },
  { route: 'GET _history', ask: () => get('_history') },
  { route: 'GET :type', ask: (target) => get(...searches(target)) },
  { route: 'POST :type/_search', ask: ({ patient }) => form('Observation/_search', `patient=${patient}`) },
  { route: 'GET :type/_history', ask: () => get('Patient/_history', 'Observation/_history') },
  {
    route: 'GET :type/:id',
    ask: ({ patient, observation }) => get(`Patient/${patient}`, `Observation/${observation}`),
  },
  {
    route: 'GET :type/:id/_history',
    ask: ({ patient, observation }) => get(`Patient/${patient}/_history`, `Observation/${observation}/_history`),
  },
  {
    route: 'GET :type/:id/_history/:vid',
    ask: ({ patient, observation }) => get(`Patient/${patient}/_history/1`, `Observation/${observation}/_history/1`),
  },
  // Served beside the router's table.
  {
    route: 'POST ',
    ask: (target) => [
      bundle('batch', [`Patient/${target.patient}`, ...searches(target)]),
      bundle('transaction', [`Patient/${target.patient}`, `Observation?patient=${target.patient}`]),
    ],
  },
  { route: 'GET Patient/:id/$export-record', ask: ({ patient }) => get(`Patient/${patient}/$export-record`) },
  { route: 'GET Patient/$waiting-links', ask: () => get('Patient/$waiting-links') },
  { route: 'GET Patient/:id/$links', ask: ({ patient }) => get(`Patient/${patient}/$links`) },
  {
    route: 'POST /record',
    ask: ({ patient }) => [
      ...form('/record', `patient=${patient}`),
      ...form('/record', `patient=${patient}&view=accounting`),
    ],
  },
  { route: 'GET $write-status/:key', ask: ({ key }) => get(`$write-status/${key}`) },
  {
    route: 'GET /ledger/history/:type/:id',
    ask: ({ patient, observation }) =>
      get(`/ledger/history/Patient/${patient}`, `/ledger/history/Observation/${observation}`),
  },
];

/** Paths of the gateway that are open to all: what every member may know, and nothing of any record. */
export const openPaths: readonly string[] = [
  ...['/livez', '/readyz', '/metrics', '/', '/record', '/ledger', '/ledger/blocks', '/ledger/events', '/ledger/find'],
  ...['/ledger/blocks/:number', '/ledger/transactions/:txId', '/trials/:trial'],
  '/fhir/R4/.well-known/smart-configuration',
];
