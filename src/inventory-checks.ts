import { isIP } from 'node:net';
import { z } from 'zod';
import { HostEntry, Policy, Site } from './domain/inventory.ts';
import { nearest } from './domain/targets.ts';

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
interface View {
  readonly siteNames: readonly string[];
  readonly sites: ReadonlyMap<string, z.infer<typeof Site>>;
  readonly hostNames: readonly string[];
  readonly hosts: ReadonlyMap<string, HostEntry>;
  readonly profileNames: readonly string[];
  readonly roleNames: readonly string[];
  readonly policy: Policy | undefined;
  readonly links: readonly unknown[];
  readonly channels: readonly unknown[];
}

/** Holds the parts of an inventory against each other. `raw` is the plain value of the file, of any form. */
export function crossChecks(raw: unknown): Problem[] {
  const view = viewOf(raw);
  return [
    ...[...view.hosts].flatMap(([name, host]) => hostProblems(view, name, host)),
    ...nameProblems(view),
    ...sameValueProblems(view),
    ...linkProblems(view),
    ...roleProblems(view),
    ...channelProblems(view),
  ];
}

function viewOf(raw: unknown): View {
  const root = record(raw);
  const policy = Policy.safeParse(root.policy);
  return {
    siteNames: Object.keys(record(root.sites)),
    sites: wellFormed(root.sites, Site),
    hostNames: Object.keys(record(root.hosts)),
    hosts: wellFormed(root.hosts, HostEntry),
    profileNames: Object.keys(record(root.profiles)),
    roleNames: Object.keys(record(root.roles)),
    policy: policy.success ? policy.data : undefined,
    links: Array.isArray(root.links) ? root.links : [],
    channels: Array.isArray(root.channels) ? root.channels : [],
  };
}

function hostProblems(view: View, name: string, host: HostEntry): Problem[] {
  const path = ['hosts', name];
  const problems = [
    ...unknownName([...path, 'site'], 'site', host.site, view.siteNames),
    ...profileProblems(view, [...path, 'profile'], host.profile),
    ...host.dpus.flatMap((dpu, index) =>
      dpu.profile === undefined ? [] : profileProblems(view, [...path, 'dpus', index, 'profile'], dpu.profile),
    ),
    ...jumpProblems(view, name, host),
  ];
  if (view.sites.get(host.site)?.simulated === true) problems.push(...loopbackProblems(path, host));
  if (host.dpus.length > 1)
    for (const [index, dpu] of host.dpus.entries())
      if (dpu.serial === undefined && dpu.pciAddress === undefined)
        problems.push({
          path: [...path, 'dpus', index],
          text: `${dpu.name} needs serial or pciAddress: ${name} has ${host.dpus.length} cards, and nothing says which is which`,
        });
  return problems;
}

/** `default` needs no definition: it is the built-in profile. */
function profileProblems(view: View, path: Problem['path'], profile: string): Problem[] {
  return profile === 'default' ? [] : unknownName(path, 'profile', profile, view.profileNames);
}

function jumpProblems(view: View, name: string, host: HostEntry): Problem[] {
  const jump = host.ssh.jump;
  if (jump === undefined) return [];
  const path = ['hosts', name, 'ssh', 'jump'];
  if (jump === name) return [{ path, text: 'a host cannot be its own jump host' }];
  const target = view.hosts.get(jump);
  if (!target) return unknownName(path, 'host', jump, view.hostNames);
  if (target.ssh.jump !== undefined)
    return [{ path, text: `${jump} is itself behind a jump host; one jump is possible` }];
  if (target.site !== host.site) return [{ path, text: `${jump} is in site ${target.site}, ${name} in ${host.site}` }];
  return [];
}

function loopbackProblems(path: Problem['path'], host: HostEntry): Problem[] {
  const addresses: { readonly path: Problem['path']; readonly address: string }[] = [
    { path: [...path, 'ssh', 'address'], address: host.ssh.address },
    ...host.dpus.flatMap((dpu, index) => [
      { path: [...path, 'dpus', index, 'bmc', 'address'], address: dpu.bmc.address },
      ...(dpu.arm ? [{ path: [...path, 'dpus', index, 'arm', 'address'], address: dpu.arm.address }] : []),
    ]),
  ];
  return addresses
    .filter(({ address }) => address !== 'auto' && !isLoopback(address))
    .map((entry) => ({
      path: entry.path,
      text: `${entry.address} is not a loopback address, but site ${host.site} is simulated`,
    }));
}

/** The same rule by which the transport refuses to dial; a name other than localhost is not looked up. */
function isLoopback(address: string): boolean {
  const bare = address.replace(/^\[(.*)\]$/, '$1');
  const family = isIP(bare);
  if (family === 0) return bare === 'localhost';
  return family === 4 ? bare.startsWith('127.') : bare === '::1';
}

/** Racks, hosts and DPUs share one space of names: a command names any of them with one word. */
function nameProblems(view: View): Problem[] {
  const taken = new Map<string, string>();
  const problems: Problem[] = [];
  for (const [name, host] of view.hosts) if (!taken.has(host.rack)) taken.set(host.rack, `the rack of ${name}`);
  for (const [name, host] of view.hosts) {
    const rack = taken.get(name);
    if (rack !== undefined) problems.push({ path: ['hosts', name], text: `${name} is also the name of ${rack}` });
    taken.set(name, `host ${name}`);
    for (const [index, dpu] of host.dpus.entries()) {
      const other = taken.get(dpu.name) ?? (view.hostNames.includes(dpu.name) ? `host ${dpu.name}` : undefined);
      if (other !== undefined)
        problems.push({
          path: ['hosts', name, 'dpus', index, 'name'],
          text: `${dpu.name} is also the name of ${other}; racks, hosts and DPUs need names of their own`,
        });
      taken.set(dpu.name, `a DPU of ${name}`);
    }
  }
  return problems;
}

/** Two cards cannot have one serial, one slot of a host, or one directly reached BMC. */
function sameValueProblems(view: View): Problem[] {
  const seen = new Map<string, string>();
  const problems: Problem[] = [];
  for (const [name, host] of view.hosts)
    for (const [index, dpu] of host.dpus.entries()) {
      const path = ['hosts', name, 'dpus', index];
      const scope = dpu.bmc.via === 'host' ? `${name} ` : '';
      const values: [string, string | undefined, string][] = [
        ['serial', dpu.serial, `serial ${dpu.serial}`],
        ['pciAddress', dpu.pciAddress, `slot ${name} ${dpu.pciAddress}`],
        ['bmc', dpu.bmc.address === 'auto' ? undefined : '', `bmc ${scope}${dpu.bmc.address}:${dpu.bmc.port}`],
      ];
      for (const [key, value, id] of values) {
        if (value === undefined) continue;
        const other = seen.get(id);
        if (other !== undefined)
          problems.push({ path: [...path, key], text: `${dpu.name} and ${other} have the same ${key}` });
        seen.set(id, dpu.name);
      }
    }
  return problems;
}

function linkProblems(view: View): Problem[] {
  const dpus = [...view.hosts.values()].flatMap((host) => host.dpus.map((dpu) => dpu.name));
  const ends = new Set<string>();
  return view.links.flatMap((link, index) => {
    if (!Array.isArray(link)) return [];
    return link.flatMap((end: unknown, side): Problem[] => {
      if (typeof end !== 'string') return [];
      const path = ['links', index, side];
      const [dpu = '', port = '', ...rest] = end.split('/');
      if (rest.length > 0 || !/^p[01]$/.test(port))
        return [{ path, text: `${end} is not of the form DPU/p0 or DPU/p1` }];
      if (ends.has(end)) return [{ path, text: `${end} has two cables` }];
      ends.add(end);
      return unknownName(path, 'DPU', dpu, dpus);
    });
  });
}

function roleProblems(view: View): Problem[] {
  const { policy } = view;
  if (!policy) return [];
  const named: { readonly path: Problem['path']; readonly role: string | undefined }[] = [
    ...policy.operate.map((role, index) => ({ path: ['policy', 'operate', index], role })),
    ...policy.administer.map((role, index) => ({ path: ['policy', 'administer', index], role })),
    ...(['disruptive', 'destructive'] as const).flatMap((risk) => [
      { path: ['policy', 'approvals', risk, 'role'], role: policy.approvals[risk].role },
      { path: ['policy', 'approvals', risk, 'selfApprovalRole'], role: policy.approvals[risk].selfApprovalRole },
    ]),
  ];
  return named.flatMap(({ path, role }) => (role === undefined ? [] : unknownName(path, 'role', role, view.roleNames)));
}

function channelProblems(view: View): Problem[] {
  return view.channels.flatMap((channel, index) =>
    typeof channel !== 'string' || /^(#[^\s#]{1,80}|[A-Z][A-Z0-9]{2,20})$/.test(channel)
      ? []
      : [{ path: ['channels', index], text: `${channel} is neither a channel id (C0123ABCD) nor a #name` }],
  );
}

function unknownName(path: Problem['path'], kind: string, name: string, known: readonly string[]): Problem[] {
  if (known.includes(name)) return [];
  const suggestion = nearest(name, known);
  const meant = suggestion === undefined ? '' : `; did you mean ${suggestion}?`;
  return [{ path, text: `there is no ${kind} "${name}"${meant}` }];
}

function record(value: unknown): Record<string, unknown> {
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
