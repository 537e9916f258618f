import { isIP } from 'node:net';
import type { HostEntry } from '../domain/inventory.ts';
import type { Problem, View } from './view.ts';
import { unknownName } from './view.ts';

/** What is wrong with single hosts: names that lead nowhere, cards that cannot be told apart, hooks without effect. */
export function hostProblems(view: View): Problem[] {
  return [...view.hosts].flatMap(([name, host]) => oneHost(view, name, host));
}

function oneHost(view: View, name: string, host: HostEntry): Problem[] {
  const path = ['hosts', name];
  const problems = [
    ...unknownName([...path, 'site'], 'site', host.site, view.siteNames),
    ...jumpProblems(view, name, host),
    ...hookProblems(path, host),
  ];
  if (/^\d+$/.test(name)) problems.push({ path, text: 'a name of digits alone reads like the number of a run' });
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

function hookProblems(path: Problem['path'], host: HostEntry): Problem[] {
  if (host.undrain === undefined || host.drain !== undefined) return [];
  return [{ path: [...path, 'undrain'], text: 'is never run without drain: it puts back what drain has taken off' }];
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
    ...(host.bmc ? [{ path: [...path, 'bmc', 'address'], address: host.bmc.address }] : []),
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
export function nameProblems(view: View): Problem[] {
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

/** One thing that must not stand twice in an inventory. */
interface Claim {
  readonly path: Problem['path'];
  /** The key as the problem names it. */
  readonly key: string;
  readonly owner: string;
  readonly id: string;
}

/** Two cards cannot have one serial or one slot, and two controllers cannot have one address. */
export function sameValueProblems(view: View): Problem[] {
  const seen = new Map<string, string>();
  const problems: Problem[] = [];
  for (const { path, key, owner, id } of [...view.hosts].flatMap(claims)) {
    const other = seen.get(id);
    if (other !== undefined) problems.push({ path, text: `${owner} and ${other} have the same ${key}` });
    seen.set(id, owner);
  }
  return problems;
}

/** A host's BMC counts with those of the cards: whoever switches power there must not mean another machine. */
function claims([name, host]: readonly [string, HostEntry]): Claim[] {
  const path = ['hosts', name];
  const ofHost =
    host.bmc === undefined
      ? []
      : [{ path: [...path, 'bmc'], key: 'bmc', owner: name, id: `bmc ${host.bmc.address}:${host.bmc.port}` }];
  const ofCards = host.dpus.flatMap((dpu, index): Claim[] => {
    const scope = (via: 'direct' | 'host'): string => (via === 'host' ? `${name} ` : '');
    const { serial, pciAddress, bmc, arm } = dpu;
    const ids: readonly (readonly [string, string | undefined])[] = [
      ['serial', serial === undefined ? undefined : `serial ${serial}`],
      ['pciAddress', pciAddress === undefined ? undefined : `slot ${name} ${pciAddress}`],
      ['bmc', bmc.address === 'auto' ? undefined : `bmc ${scope(bmc.via)}${bmc.address}:${bmc.port}`],
      ['arm', arm === undefined ? undefined : `arm ${scope(arm.via)}${arm.address}:${arm.port}`],
    ];
    return ids.flatMap(([key, id]) =>
      id === undefined ? [] : [{ path: [...path, 'dpus', index, key], key, owner: dpu.name, id }],
    );
  });
  return [...ofHost, ...ofCards];
}
