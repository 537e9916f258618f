import type { ArmRoute } from '../domain/arm-ports.ts';
import type { ApplyContext, ObserveContext } from '../domain/step.ts';
import { tmfifoAddresses, tmfifoNamespace } from '../domain/tmfifo.ts';
import { errors } from '../errors.ts';
import { readLinks } from '../facts/links.ts';
import { readPciCards } from '../facts/pci-cards.ts';
import { findRshim, readRshims, silentRshim } from '../facts/rshim.ts';
import type { NamespaceLink } from '../facts/tmfifo.ts';
import { hasSocat, readNamespaceLinks } from '../facts/tmfifo.ts';
import { runOk } from './remote.ts';

/** The way to a card that nobody else is on. */
export interface TmfifoLink {
  /** `rshim0`. */
  readonly device: string;
  /** `tmfifo_net0`. */
  readonly link: string;
  readonly namespace: string;
  readonly route: ArmRoute;
}

/** What has to be done, as argv of ip(8), in order. */
type Moves = readonly (readonly string[])[];

const wantedAddress = `${tmfifoAddresses.host}/${tmfifoAddresses.prefix}`;
const isTmfifo = /^tmfifo_net\d+$/;

/**
 * Brings the tmfifo link of a card into its own network namespace, with the host's address and up: several cards share
 * 192.168.100.2, and nothing else on the host can answer for it there. The rshim is found anew each time by the PCI address
 * of the card, because the number may differ after a restart of its driver. Does nothing when all is right.
 *
 * Errors: rshim-not-found, tmfifo-missing, host-tool-missing, card-not-found, sudo-refused, command-failed.
 * Source: ip-netns(8); rshim-user-space (the link is a TAP device, and has no address by default).
 */
export async function joinTmfifo(context: ApplyContext): Promise<TmfifoLink> {
  const { host, signal } = context;
  if (!(await hasSocat(host, signal)))
    throw errors.hostToolMissing({
      host: host.name,
      tool: 'socat',
      need: 'to carry the SSH connection to the card',
      package: 'socat',
    });
  const device = await findCardRshim(context);
  const way = wayOver(context, device);
  const moves = await plannedMoves(context, way);
  if (moves.length === 0) return way;
  await context.act(
    { name: 'join-tmfifo', text: `move ${way.link} of ${host.name} into the namespace ${way.namespace}` },
    async () => {
      // Looked at once more: after a crash part of it may be done.
      for (const words of await plannedMoves(context, way))
        await runOk(host, ['sudo', '-n', 'ip', ...words], { timeoutMs: 20_000, signal });
      return { evidence: `${way.link} is in ${way.namespace} with ${wantedAddress}`, value: undefined };
    },
  );
  return way;
}

/**
 * Gives the link of a card back to the host and removes the namespace. The link goes first: a TAP device that is left in a
 * namespace ends with it. Does nothing when the namespace is gone.
 */
export async function leaveTmfifo(context: ApplyContext, namespace: string): Promise<void> {
  const { host, signal } = context;
  if ((await readNamespaceLinks(host, namespace, signal)) === undefined) return;
  const text = `give the tmfifo link back to ${host.name} and remove the namespace ${namespace}`;
  await context.act({ name: 'leave-tmfifo', text }, async () => {
    const inside = (await readNamespaceLinks(host, namespace, signal)) ?? [];
    for (const { name } of inside.filter((link) => isTmfifo.test(link.name)))
      await runOk(host, ['sudo', '-n', 'ip', ...moveBack(namespace, name)], { timeoutMs: 20_000, signal });
    await runOk(host, ['sudo', '-n', 'ip', 'netns', 'delete', namespace], { timeoutMs: 20_000, signal });
    return { evidence: `namespace ${namespace} removed`, value: undefined };
  });
}

/** The rshim device of the card: serial -> PCI address -> DEV_NAME. Errors: rshim-not-found, rshim-stuck, card-not-found. */
export async function findCardRshim(context: ObserveContext): Promise<string> {
  const { host, signal, card, dpu } = context;
  const cards = await readPciCards(host, signal);
  const found = cards.find((one) => one.serial === card.serial);
  if (found === undefined) {
    const shown = cards.map((one) => `${one.pciAddress} (${one.serial})`);
    throw errors.cardNotFound({ target: dpu.name, host: host.name, found: shown });
  }
  const devices = await readRshims(host, signal);
  const device = findRshim(host.name, devices, found);
  if (device !== undefined && !device.misc.dropMode) return device.name;
  const silent = device === undefined ? silentRshim(devices) : undefined;
  if (silent !== undefined) throw errors.rshimStuck({ target: dpu.name, host: host.name, seen: silent });
  const names = devices.map(({ name, misc }) => `${name} (${misc?.devName ?? 'an installer is at it'})`);
  const seen = names.length === 0 ? 'There is no /dev/rshim device.' : `Found ${names.join(', ')}.`;
  const why = device === undefined ? seen : `${device.name} is in drop mode: another backend owns the card.`;
  throw errors.rshimNotFound({ target: dpu.name, host: host.name, why });
}

function wayOver(context: ObserveContext, device: string): TmfifoLink {
  const namespace = tmfifoNamespace(context.dpu.name);
  const link = `tmfifo_net${device.replace(/^rshim/, '')}`;
  return { device, link, namespace, route: { kind: 'tmfifo', namespace } };
}

async function plannedMoves(context: ApplyContext, way: TmfifoLink): Promise<Moves> {
  const { host, signal } = context;
  const inside = await readNamespaceLinks(host, way.namespace, signal);
  const outside = await readLinks(host, signal);
  const isOutside = outside.some((link) => link.name === way.link);
  const moves = tmfifoMoves(way, inside, isOutside);
  if (moves !== undefined) return moves;
  throw errors.tmfifoMissing({ target: context.dpu.name, host: host.name, link: way.link, device: way.device });
}

/**
 * The words of ip(8) that bring a link where it belongs; undefined when it is nowhere. Pure. `inside`: what the namespace
 * holds, undefined when there is none; `isOutside`: the link is in the host's own namespace.
 */
export function tmfifoMoves(
  way: Pick<TmfifoLink, 'link' | 'namespace'>,
  inside: readonly NamespaceLink[] | undefined,
  isOutside: boolean,
): Moves | undefined {
  const { link, namespace } = way;
  const mine = inside?.find((one) => one.name === link);
  if (mine === undefined && !isOutside) return undefined;
  const strangers = (inside ?? []).filter((one) => isTmfifo.test(one.name) && one.name !== link);
  const others = mine?.addresses.filter((address) => address !== wantedAddress) ?? [];
  const hasAddress = mine?.addresses.includes(wantedAddress) === true;
  return [
    ...(inside === undefined ? [['netns', 'add', namespace]] : []),
    ...strangers.map((one) => moveBack(namespace, one.name)),
    ...(mine === undefined ? [['link', 'set', 'dev', link, 'netns', namespace]] : []),
    ...others.map((address) => ['-n', namespace, 'addr', 'del', address, 'dev', link]),
    ...(hasAddress ? [] : [['-n', namespace, 'addr', 'add', wantedAddress, 'dev', link]]),
    ...(mine?.isUp === true ? [] : [['-n', namespace, 'link', 'set', 'dev', link, 'up']]),
  ];
}

/** Process 1 lives in the host's own namespace. */
function moveBack(namespace: string, link: string): readonly string[] {
  return ['-n', namespace, 'link', 'set', 'dev', link, 'netns', '1'];
}
