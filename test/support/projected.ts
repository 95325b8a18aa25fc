/** A projection in memory that holds whatever changes it is given. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { StoredVersion } from '@salus/gateway/ports';
import type { Change } from '@salus/gateway/projection/projector';

/** A member's projection, in memory. */
export class Projected {
  readonly base = 'http://localhost/fhir/';
  readonly #facts = new Map<string, Map<string, string>>();
  readonly versions: StoredVersion[] = [];

  apply(changes: readonly Change[], txId: string): void {
    for (const change of changes) {
      if (change.kind === 'version') this.versions.push({ ...change, txId, block: 0 });
      if (change.kind === 'forget') this.#forget(change.space, change.key);
      if (change.kind !== 'fact') continue;
      const space = this.#facts.get(change.space) ?? new Map<string, string>();
      this.#facts.set(change.space, space);
      if (change.value === undefined) space.delete(change.key);
      else space.set(change.key, change.value);
    }
  }

  fact = (space: string, key: string): string | undefined => this.#facts.get(space)?.get(key);
  facts = (space: string, prefix = '') =>
    [...(this.#facts.get(space) ?? [])]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => ({ key, value }));
  version = (type: string, id: string, version: number): StoredVersion | undefined =>
    this.versions.find((each) => each.type === type && each.id === id && each.version === version);
  current = (type: string, id: string): StoredVersion | undefined =>
    this.versions.filter((each) => each.type === type && each.id === id).at(-1);
  ofPatient = (type: string, patient: string): StoredVersion[] =>
    this.#inForce().filter((each) => each.type === type && each.patient === patient);
  /** What has all parts of the value somewhere: the world holds nothing that tells the difference. */
  holding = (type: string, _parameter: string, value: string): StoredVersion[] =>
    this.#inForce().filter(
      (each) => each.type === type && value.split('|').every((part) => each.text.includes(`"${part}"`)),
    );
  attaching = (id: string): StoredVersion[] =>
    this.#inForce().filter(({ text }) => text.includes(`"url":"Binary/${id}"`));
  /** Whatever is committed is applied at once; further blocks come when they come. */
  block = 0;
  reached = async (block: number, timeoutMs: number): Promise<boolean> => {
    if (block > this.block) await sleep(Math.min(timeoutMs, 5));
    return block <= this.block;
  };

  #forget(space: string, key: string): void {
    const keys = this.fact(space, key);
    for (const each of [...(JSON.parse(keys ?? '[]') as string[]), key]) this.#facts.get(space)?.delete(each);
  }

  #inForce(): StoredVersion[] {
    return this.versions.filter((each) => !each.deleted && each === this.current(each.type, each.id));
  }
}
