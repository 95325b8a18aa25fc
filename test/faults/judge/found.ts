/** What is there of what clients wrote, asked of the gateways: for each mark the ids of whatever has it. */
import type { Members } from '../members.js';
import type { AskedLine, PatientLine } from './history.js';
import { ISSUER, markOf, OTHER_PARTY, packOf, SERIES } from '../load/marks.js';
import { searched } from './searched.js';

/** Ids by mark: the same id again for every version more than the write it is the mark of made. */
export type Found = Record<string, string[]>;

/** Asks for every Observation and Consent of the patients, every capture, and every pack. */
export async function foundOf(
  members: Members,
  patients: readonly PatientLine[],
  asked: readonly AskedLine[],
): Promise<Found> {
  const found: Found = {};
  const add = (mark: string, id: string): void => {
    (found[mark] ??= []).push(id);
  };
  for (const line of patients) {
    await observations(members, line, add);
    await consents(members, line, add);
  }
  await events(members, add);
  const packs = asked.filter(({ kind }) => kind === 'capture').flatMap(({ marks }) => marks.slice(1));
  for (const mark of packs) if (await isGenuine(members, mark)) add(mark, mark);
  return found;
}

type Add = (mark: string, id: string) => void;

async function observations(members: Members, { member, patient }: PatientLine, add: Add): Promise<void> {
  const [base = ''] = members.urlsOf(member);
  const token = await members.token(member, 0, { subject: 'dr-judge', role: 'physician' });
  const query = `${base}/fhir/R4/Observation?patient=${patient}`;
  for (const { id, meta, valueQuantity } of await searched<Observation>(query, token)) {
    const mark = markOf.observation(valueQuantity.value);
    for (let version = 1; version <= Number(meta.versionId); version++) add(mark, id);
  }
}

interface Versioned {
  readonly id: string;
  readonly meta: { readonly versionId: string };
}

interface Observation extends Versioned {
  readonly valueQuantity: { readonly value: number };
}

interface Consent extends Versioned {
  readonly status: string;
  readonly identifier?: readonly { readonly system?: string; readonly value: string }[];
}

async function consents(members: Members, { member, patient }: PatientLine, add: Add): Promise<void> {
  const [base = ''] = members.urlsOf(member);
  const token = await members.token(member, 0, { subject: 'pat', role: 'patient', patient });
  for (const consent of await searched<Consent>(`${base}/fhir/R4/Consent?patient=${patient}`, token)) {
    const number = consent.identifier?.find(({ system }) => system === SERIES)?.value;
    if (number === undefined) continue;
    add(markOf.consent(number), consent.id);
    // Whoever withdraws makes the second version; nobody makes another.
    const changed = consent.status === 'inactive' ? markOf.withdrawal(number) : `changed/${consent.id}`;
    for (let version = 2; version <= Number(consent.meta.versionId); version++) add(changed, consent.id);
  }
}

/** Every event of the issuer's repository, page after page. */
async function events(members: Members, add: Add): Promise<void> {
  const [base = ''] = members.urlsOf(ISSUER);
  const token = await members.token(ISSUER, 0, { subject: 'judge', role: 'supply-operator' });
  const headers = { authorization: `Bearer ${token}`, accept: 'application/json' };
  for (let next: string | undefined = `${base}/epcis/events?perPage=1000`; next !== undefined;) {
    const answer: Response = await fetch(next, { headers });
    if (answer.status !== 200) throw new Error(`${next}: ${answer.status} ${await answer.text()}`);
    const page = (await answer.json()) as {
      epcisBody: { queryResults: { resultsBody: { eventList: CapturedEvent[] } } };
    };
    for (const { eventID } of page.epcisBody.queryResults.resultsBody.eventList) add(markOf.event(eventID), eventID);
    const url: string | undefined = /<([^>]*)>[^,]*rel="?next/.exec(answer.headers.get('link') ?? '')?.[1];
    next = url === undefined ? undefined : new URL(url, next).href;
  }
}

interface CapturedEvent {
  readonly eventID: string;
}

/** Whether another member's gateway, asked about the scanned pack, finds its lot on the ledger. */
async function isGenuine(members: Members, mark: string): Promise<boolean> {
  const [base = ''] = members.urlsOf(OTHER_PARTY);
  const token = await members.token(OTHER_PARTY, 0, { subject: 'judge', role: 'pharmacist' });
  const { gtin, lot, serial } = packOf(mark);
  const url = `${base}/verify/gtin/${gtin}/lot/${lot}/ser/${serial}?exp=991231`;
  const answer = await fetch(url, { headers: { authorization: `Bearer ${token}`, accept: 'application/json' } });
  if (answer.status !== 200) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { data: { verified: boolean } }).data.verified;
}
