import { z } from 'zod';
import { HostEntry, Policy, Profile, Rack, Site } from '../domain/inventory.ts';
import { Image } from '../domain/image.ts';
import { nearest } from '../domain/targets.ts';

/** Something wrong at a place of the file. `path` as in the document: keys and list positions. */
export interface Problem {
  readonly path: readonly (string | number)[];
  readonly text: string;
  /** The key itself is the problem, not its value. */
  readonly atKey?: boolean;
}

/**
 * What can be read of an inventory that may have other faults: names of everything, contents of the entries that are
 * well formed. So one broken host does not hide what is wrong with the others.
 */
export interface View {
  readonly siteNames: readonly string[];
  readonly sites: ReadonlyMap<string, z.infer<typeof Site>>;
  readonly rackNames: readonly string[];
  readonly racks: ReadonlyMap<string, z.infer<typeof Rack>>;
  readonly hostNames: readonly string[];
  readonly hosts: ReadonlyMap<string, HostEntry>;
  readonly imageNames: readonly string[];
  readonly images: ReadonlyMap<string, Image>;
  /** Images of any form, for what their form does not let through. */
  readonly rawImages: Readonly<Record<string, unknown>>;
  readonly profileNames: readonly string[];
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly roleNames: readonly string[];
  readonly policy: Policy | undefined;
  readonly links: readonly unknown[];
  readonly channels: readonly unknown[];
  readonly pairs: Readonly<Record<string, unknown>>;
  readonly channelPairs: Readonly<Record<string, unknown>>;
}

/** Reads what can be read of the plain value of a file, of any form. */
export function viewOf(raw: unknown): View {
  const root = record(raw);
  const policy = Policy.safeParse(root.policy);
  return {
    siteNames: Object.keys(record(root.sites)),
    sites: wellFormed(root.sites, Site),
    rackNames: Object.keys(record(root.racks)),
    racks: wellFormed(root.racks, Rack),
    hostNames: Object.keys(record(root.hosts)),
    hosts: wellFormed(root.hosts, HostEntry),
    imageNames: Object.keys(record(root.images)),
    images: wellFormed(root.images, Image),
    rawImages: record(root.images),
    profileNames: Object.keys(record(root.profiles)),
    profiles: wellFormed(root.profiles, Profile),
    roleNames: Object.keys(record(root.roles)),
    policy: policy.success ? policy.data : undefined,
    links: Array.isArray(root.links) ? root.links : [],
    channels: Array.isArray(root.channels) ? root.channels : [],
    pairs: record(root.pairs),
    channelPairs: record(root.channelPairs),
  };
}

/** The problem of a name that nothing has, with the one that was probably meant; none when it is known. */
export function unknownName(path: Problem['path'], kind: string, name: string, known: readonly string[]): Problem[] {
  if (known.includes(name)) return [];
  const suggestion = nearest(name, known);
  const meant = suggestion === undefined ? '' : `; did you mean ${suggestion}?`;
  return [{ path, text: `there is no ${kind} "${name}"${meant}` }];
}

/** A value as a record; of anything else an empty one. */
export function record(value: unknown): Record<string, unknown> {
  const result = z.record(z.string(), z.unknown()).safeParse(value);
  return result.success ? result.data : {};
}

function wellFormed<T>(value: unknown, schema: z.ZodType<T>): Map<string, T> {
  return new Map(
    Object.entries(record(value)).flatMap(([name, entry]) => {
      const result = schema.safeParse(entry);
      return result.success ? [[name, result.data] as const] : [];
    }),
  );
}
