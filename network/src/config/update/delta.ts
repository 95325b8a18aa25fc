import { common } from '@hyperledger/fabric-protos';

/**
 * What changes between two channel configurations, as Fabric's configuration updates say it: a read set of the versions
 * that were seen, and a write set in which every changed element carries the next version. Who must sign follows from
 * the changed elements, so nothing else may be in it.
 */

/** A configuration update (common.ConfigUpdate); undefined when the two say the same. */
export function configUpdate(
  channel: string,
  before: common.ConfigGroup,
  after: common.ConfigGroup,
): common.ConfigUpdate | undefined {
  const delta = groupDelta(before, after);
  if (!delta.changed) return undefined;
  const update = new common.ConfigUpdate();
  update.setChannelId(channel);
  update.setReadSet(delta.read);
  update.setWriteSet(delta.write);
  return update;
}

/** The elements that an update adds, changes or leaves out, for whoever is asked to sign it: one line each, sorted. */
export function changesOf(update: common.ConfigUpdate): string[] {
  const lines: string[] = [];
  collect('/Channel', update.getReadSet(), update.getWriteSet(), lines);
  return lines.sort();
}

/** Whether a configuration has all that an update writes: then the orderers have taken it already. */
export function isTaken(present: common.ConfigGroup, update: common.ConfigUpdate): boolean {
  const write = update.getWriteSet();
  return write !== undefined && holds(present, write, update.getReadSet());
}

function holds(present: common.ConfigGroup, write: common.ConfigGroup, read: common.ConfigGroup | undefined): boolean {
  const leaves = (group: common.ConfigGroup) => new Map<string, Leaf>([...valuesOf(group), ...policiesOf(group)]);
  const [here, before] = [leaves(present), read && leaves(read)];
  const isWritten = ([name, leaf]: [string, Leaf]): boolean => {
    if (before?.get(name)?.getVersion() === leaf.getVersion()) return true;
    return Buffer.from(leaf.serializeBinary()).equals(here.get(name)?.serializeBinary() ?? Buffer.alloc(0));
  };
  const [groups, known] = [groupsOf(present), read && groupsOf(read)];
  return (
    present.getVersion() >= write.getVersion() &&
    [...leaves(write)].every(isWritten) &&
    [...groupsOf(write)].every(([name, group]) => {
      const own = groups.get(name);
      return own !== undefined && holds(own, group, known?.get(name));
    })
  );
}

interface GroupDelta {
  readonly read: common.ConfigGroup;
  readonly write: common.ConfigGroup;
  readonly changed: boolean;
}

/** Elements of one kind in a group, told apart by what an update does with them. */
interface KindDelta<T> {
  readonly same: readonly (readonly [string, T])[];
  readonly read: readonly (readonly [string, T])[];
  readonly write: readonly (readonly [string, T])[];
  /** Whether elements came or went: then the group itself changes, and names all that stay. */
  readonly members: boolean;
}

type Leaf = common.ConfigValue | common.ConfigPolicy;
type Entries<T> = ReadonlyMap<string, T>;

interface EntryMap<T> {
  set(name: string, element: T): unknown;
}

function groupDelta(before: common.ConfigGroup, after: common.ConfigGroup): GroupDelta {
  const values = leafDelta(common.ConfigValue, valuesOf(before), valuesOf(after));
  const policies = leafDelta(common.ConfigPolicy, policiesOf(before), policiesOf(after));
  const groups = groupsDelta(groupsOf(before), groupsOf(after));
  const members = values.members || policies.members || groups.members;
  const read = versioned(before.getVersion());
  const write = versioned(before.getVersion() + (members ? 1 : 0));
  if (members) write.setModPolicy(after.getModPolicy());
  const put = <T>(delta: KindDelta<T>, from: EntryMap<T>, to: EntryMap<T>) => {
    const staying = members ? delta.same : [];
    for (const [name, element] of [...staying, ...delta.read]) from.set(name, element);
    for (const [name, element] of [...staying, ...delta.write]) to.set(name, element);
  };
  put(values, read.getValuesMap(), write.getValuesMap());
  put(policies, read.getPoliciesMap(), write.getPoliciesMap());
  put(groups, read.getGroupsMap(), write.getGroupsMap());
  const written = [values, policies, groups].some((kind) => kind.write.length > 0);
  return { read, write, changed: members || written };
}

interface LeafKind<T extends Leaf> {
  new (): T;
  deserializeBinary(bytes: Uint8Array): T;
}

function leafDelta<T extends Leaf>(kind: LeafKind<T>, before: Entries<T>, after: Entries<T>): KindDelta<T> {
  const copy = (leaf: T, version: number): T => atVersion(kind.deserializeBinary(leaf.serializeBinary()), version);
  const bytes = (leaf: T): Buffer => Buffer.from(copy(leaf, 0).serializeBinary());
  const same: [string, T][] = [];
  const write: [string, T][] = [];
  for (const [name, wanted] of after) {
    const present = before.get(name);
    if (present && bytes(present).equals(bytes(wanted))) same.push([name, atVersion(new kind(), present.getVersion())]);
    else write.push([name, copy(wanted, present ? present.getVersion() + 1 : 0)]);
  }
  return { same, read: [], write, members: cameOrWent(before, after) };
}

function groupsDelta(
  before: Entries<common.ConfigGroup>,
  after: Entries<common.ConfigGroup>,
): KindDelta<common.ConfigGroup> {
  const same: [string, common.ConfigGroup][] = [];
  const read: [string, common.ConfigGroup][] = [];
  const write: [string, common.ConfigGroup][] = [];
  for (const [name, wanted] of after) {
    const present = before.get(name);
    if (!present) {
      write.push([name, wanted]);
      continue;
    }
    const delta = groupDelta(present, wanted);
    if (!delta.changed) same.push([name, versioned(present.getVersion())]);
    else {
      read.push([name, delta.read]);
      write.push([name, delta.write]);
    }
  }
  return { same, read, write, members: cameOrWent(before, after) };
}

function cameOrWent(before: Entries<unknown>, after: Entries<unknown>): boolean {
  return before.size !== after.size || [...after.keys()].some((name) => !before.has(name));
}

function atVersion<T extends Leaf>(leaf: T, version: number): T {
  leaf.setVersion(version);
  return leaf;
}

function versioned(version: number): common.ConfigGroup {
  const group = new common.ConfigGroup();
  group.setVersion(version);
  return group;
}

interface FilledMap<T> {
  forEach(visit: (element: T, name: string) => void): void;
}

function valuesOf(group: common.ConfigGroup): Entries<common.ConfigValue> {
  return entriesOf(group.getValuesMap());
}

function policiesOf(group: common.ConfigGroup): Entries<common.ConfigPolicy> {
  return entriesOf(group.getPoliciesMap());
}

function groupsOf(group: common.ConfigGroup): Entries<common.ConfigGroup> {
  return entriesOf(group.getGroupsMap());
}

function entriesOf<T>(map: FilledMap<T>): Entries<T> {
  const entries = new Map<string, T>();
  map.forEach((element, name) => entries.set(name, element));
  return entries;
}

function collect(
  path: string,
  read: common.ConfigGroup | undefined,
  write: common.ConfigGroup | undefined,
  lines: string[],
): void {
  if (!write) return;
  const isNew = read === undefined;
  const leaves = [...valuesOf(write), ...policiesOf(write)];
  if (isNew) lines.push(`adds ${path}`);
  else {
    const known = new Map<string, Leaf>([...valuesOf(read), ...policiesOf(read)]);
    for (const [name, leaf] of leaves) {
      if (known.get(name)?.getVersion() === leaf.getVersion()) continue;
      lines.push(`${leaf.getVersion() === 0 ? 'adds' : 'changes'} ${path}/${name}`);
    }
    if (write.getVersion() > read.getVersion()) lines.push(`changes who belongs to ${path}`);
    const below = groupsOf(read);
    for (const [name, group] of groupsOf(write)) collect(`${path}/${name}`, below.get(name), group, lines);
  }
}
