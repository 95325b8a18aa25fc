import type { Members } from '../members.js';

/** How a gateway stands on the channel. */
export interface Standing {
  readonly height: number;
  readonly channelHeight: number;
  /** Values that its peer has not delivered yet. */
  readonly awaited: number;
}

/** How all gateways of some members stand, as their /readyz says. */
export async function standings(members: Members, names: readonly string[]): Promise<Standing[]> {
  const asked = names
    .flatMap((name) => members.urlsOf(name))
    .map(async (url) => {
      const body = (await (await fetch(`${url}/readyz`)).json()) as { channels: { health: Standing } };
      return body.channels.health;
    });
  return await Promise.all(asked);
}
