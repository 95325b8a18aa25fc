/** The token that a start shows to whoever looks at it, made by the verb that makes all others. */
import type { CommandIo } from '../command.js';
import { gatewayCommands } from '../gateway-verbs.js';
import type { Topology } from '../topology/model.js';

/** How long the token that is shown is good, minutes. */
const SHOWN_MINUTES = 60;

/** How the user makes a token; none where the gateways take those of a provider of their own, as in production. */
export function tokenHint(topology: Topology): string[] {
  const words = Object.entries(wishOf(topology)).map(([name, value]) => `--${name} ${value}`);
  return hasDevelopmentIssuer(topology) ? [`to make a token: npm run --silent salus -- token ${words.join(' ')}`] : [];
}

/** A fresh token and whose it is; nothing where there is no development issuer, or where it would stay in a file. */
export async function tokenToTry(topology: Topology, io: CommandIo): Promise<string[]> {
  if (io.isKept || !hasDevelopmentIssuer(topology)) return [];
  const verb = (await gatewayCommands()).find(({ name }) => name === 'token');
  const wish = wishOf(topology);
  const made: string[] = [];
  const options = { ...wish, minutes: String(SHOWN_MINUTES) };
  await verb?.run({ args: [], options }, { ...io, out: (line) => void made.push(line) });
  return [`a token to try at ${wish.member}, of a physician, good for ${SHOWN_MINUTES} minutes:`, ...made];
}

function hasDevelopmentIssuer({ production }: Topology): boolean {
  return !production && process.env['SALUS_TOKEN_ISSUER'] === undefined;
}

function wishOf({ members }: Topology) {
  const hospital = members.find(({ roles }) => roles.includes('hospital')) ?? members[0];
  return { member: hospital?.name ?? '', user: 'dr-adams', role: 'physician' };
}
