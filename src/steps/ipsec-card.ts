import { z } from 'zod';
import type { HostReader } from '../domain/device-ports.ts';
import { readForwarding } from '../facts/ipsec-forwarding.ts';
import type { AddressedLink } from '../facts/link-addresses.ts';
import { readAddressedLinks } from '../facts/link-addresses.ts';
import type { OvsBridges } from '../facts/ovs-bridges.ts';
import { readOvsBridges } from '../facts/ovs-bridges.ts';
import type { Route } from '../facts/routes.ts';
import { readRoutes } from '../facts/routes.ts';
import { addArgv, additionText, isThere, readAddition, removeArgv } from './bench-additions.ts';
import type { Addition } from './bench-additions.ts';

const Side = { end: z.enum(['a', 'b']), bridge: z.string().min(1), port: z.string().min(1) };

/** Something that only cards get; addresses, links and routes they have in common with hosts. */
const CardOnly = z.discriminatedUnion('kind', [
  /** A port out of its bridge. */
  z.strictObject({ ...Side, kind: z.literal('port-out') }),
  /** A VXLAN tunnel as a port of a bridge. */
  z.strictObject({ ...Side, kind: z.literal('vxlan'), local: z.string().min(1), remote: z.string().min(1) }),
  z.strictObject({ end: z.enum(['a', 'b']), kind: z.literal('forwarding') }),
]);

/** A change of a card for the time of a measurement. It stands in the journal before it is made. */
export type CardChange = z.infer<typeof CardOnly> | Addition;

/** What of a card such changes are about. */
export interface CardSight {
  readonly bridges: OvsBridges;
  readonly links: readonly AddressedLink[];
  readonly routes: readonly Route[];
  readonly forwarding: boolean;
}

/** Only our own tunnels talk over a wire that is measured: any key does. */
const vxlanKey = 100;
const vsctl = ['sudo', '-n', 'ovs-vsctl'];
const sysctl = ['sudo', '-n', 'sysctl', '-q', '-w'];

/** Errors: command-failed, sudo-refused, output-unreadable. */
export async function readCard(arm: HostReader, signal: AbortSignal): Promise<CardSight> {
  return {
    bridges: await readOvsBridges(arm, signal),
    links: await readAddressedLinks(arm, signal),
    routes: await readRoutes(arm, signal),
    forwarding: await readForwarding(arm, signal),
  };
}

/** What an act has written down; nothing where it is of another kind. */
export function readCardChange(before: unknown): readonly CardChange[] {
  const parsed = CardOnly.safeParse(before);
  return parsed.success ? [parsed.data] : readAddition(before);
}

/** Has the change been made? */
export function isMade(change: CardChange, { bridges, links, routes, forwarding }: CardSight): boolean {
  switch (change.kind) {
    case 'port-out':
      return !(bridges[change.bridge] ?? []).includes(change.port);
    case 'vxlan':
      return (bridges[change.bridge] ?? []).includes(change.port);
    case 'forwarding':
      return forwarding;
    case 'address':
    case 'up':
    case 'route':
      return isThere(change, links, routes);
  }
}

/** "p0 out of ovsbr1". */
export function changeText(change: CardChange): string {
  switch (change.kind) {
    case 'port-out':
      return `${change.port} out of ${change.bridge}`;
    case 'vxlan':
      return `VXLAN ${change.port} to ${change.remote} in ${change.bridge}`;
    case 'forwarding':
      return 'routing of IPv4 switched on';
    case 'address':
    case 'up':
    case 'route':
      return additionText(change);
  }
}

/** Source: ovs-vsctl(8); ovs-vswitchd.conf.db(5), vxlan; sysctl(8). */
export function makeArgv(change: CardChange): readonly string[] {
  switch (change.kind) {
    case 'port-out':
      return [...vsctl, '--if-exists', 'del-port', change.bridge, change.port];
    case 'vxlan':
      return [
        ...vsctl,
        '--may-exist',
        'add-port',
        change.bridge,
        change.port,
        '--',
        'set',
        'Interface',
        change.port,
        'type=vxlan',
        `options:local_ip=${change.local}`,
        `options:remote_ip=${change.remote}`,
        `options:key=${vxlanKey}`,
        'options:dst_port=4789',
      ];
    case 'forwarding':
      return [...sysctl, 'net.ipv4.ip_forward=1'];
    case 'address':
    case 'up':
    case 'route':
      return addArgv(change);
  }
}

/** The same taken back. */
export function takeBackArgv(change: CardChange): readonly string[] {
  switch (change.kind) {
    case 'port-out':
      return [...vsctl, '--may-exist', 'add-port', change.bridge, change.port];
    case 'vxlan':
      return [...vsctl, '--if-exists', 'del-port', change.bridge, change.port];
    case 'forwarding':
      return [...sysctl, 'net.ipv4.ip_forward=0'];
    case 'address':
    case 'up':
    case 'route':
      return removeArgv(change);
  }
}
