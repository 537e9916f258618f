/**
 * What `ip -details` adds to a link.
 *
 * Source: output of iproute2 6.1 (bridge, bridge member, virtio) without `allmulti`, `tso_max_*` and `gro_max_size`, which
 * 5.15 does not print; ip/iplink_bond.c, iplink_bond_slave.c, iplink_vlan.c, iptuntap.c for the other kinds.
 */
import type { Netdev } from './netdevs.ts';

type Json = Record<string, unknown>;

const kindData: Record<NonNullable<Netdev['kind']>, (netdev: Netdev) => Json | null> = {
  tun: () => ({ type: 'tap', pi: false, vnet_hdr: false, multi_queue: false, persist: false }),
  openvswitch: () => null,
  vxlan: ({ name }) => ({
    external: true,
    port: Number(name.replace(/^.*_/, '')),
    learning: false,
    udp_zero_csum6_rx: true,
  }),
  vlan: ({ made }) => ({ protocol: '802.1Q', id: made?.vlanId ?? 1, flags: ['REORDER_HDR'] }),
  macvlan: ({ made }) => ({ mode: made?.mode ?? 'vepa' }),
  dummy: () => null,
  bond: ({ made }) => ({
    mode: made?.mode ?? 'balance-rr',
    miimon: 0,
    updelay: 0,
    downdelay: 0,
    peer_notify_delay: 0,
    use_carrier: 1,
    arp_interval: 0,
    arp_validate: null,
    arp_all_targets: 'any',
    primary_reselect: 'always',
    fail_over_mac: 'none',
    xmit_hash_policy: 'layer2',
    resend_igmp: 1,
    num_peer_notif: 1,
    all_slaves_active: 0,
    min_links: 0,
    lp_interval: 1,
    packets_per_slave: 1,
  }),
  bridge: ({ mac }) => ({
    forward_delay: 1500,
    hello_time: 200,
    max_age: 2000,
    ageing_time: 30_000,
    stp_state: 0,
    priority: 32_768,
    vlan_filtering: 0,
    vlan_protocol: '802.1Q',
    bridge_id: `8000.${mac}`,
    root_id: `8000.${mac}`,
    group_addr: '01:80:c2:00:00:00',
    mcast_snooping: 1,
    vlan_default_pvid: 1,
  }),
};

function memberData(netdev: Netdev, master: Netdev): Json {
  const running = netdev.up && netdev.carrier;
  if (master.kind === 'bond')
    return {
      state: running ? 'ACTIVE' : 'BACKUP',
      mii_status: running ? 'UP' : 'DOWN',
      link_failure_count: 0,
      perm_hwaddr: netdev.mac,
      queue_id: 0,
    };
  if (master.kind === 'openvswitch') return {};
  return {
    state: running ? 'forwarding' : 'disabled',
    priority: 32,
    cost: 2,
    hairpin: false,
    guard: false,
    root_block: false,
    fastleave: false,
    learning: true,
    flood: true,
  };
}

function linkInfo(netdev: Netdev, all: Netdev[]): Json | null {
  const master = all.find(({ name }) => name === netdev.master);
  const data = netdev.kind === null ? null : kindData[netdev.kind](netdev);
  const info = {
    ...(netdev.kind !== null && { info_kind: netdev.kind }),
    ...(data !== null && { info_data: data }),
    ...(master !== undefined && { info_slave_kind: master.kind, info_slave_data: memberData(netdev, master) }),
  };
  return Object.keys(info).length === 0 ? null : info;
}

function queueCount(netdev: Netdev): number {
  if (netdev.made !== null) return netdev.kind === 'bond' ? 16 : 1;
  if (netdev.driver === 'mlx5_core') return 126;
  return netdev.driver === 'igb' ? 4 : 1;
}

/** Further fields of a link; null stands for `lo`. */
export function linkDetails(netdev: Netdev | null, all: Netdev[], linkOnly: boolean): Json {
  const rest = { gso_max_size: 65_536, gso_max_segs: 65_535 };
  const mode = (name: string): Json => (linkOnly ? { inet6_addr_gen_mode: name } : {});
  if (netdev === null)
    return { promiscuity: 0, min_mtu: 0, max_mtu: 0, ...mode('eui64'), num_tx_queues: 1, num_rx_queues: 1, ...rest };
  const inBridge = all.some(({ name, kind }) => name === netdev.master && kind === 'bridge');
  const info = linkInfo(netdev, all);
  return {
    promiscuity: inBridge ? 1 : 0,
    min_mtu: netdev.kind === 'dummy' ? 0 : 68,
    max_mtu: netdev.maxMtu,
    ...(info !== null && { linkinfo: info }),
    ...mode(netdev.pci === null ? 'eui64' : 'none'),
    num_tx_queues: queueCount(netdev),
    num_rx_queues: queueCount(netdev),
    ...rest,
    ...(netdev.portName !== null && { phys_port_name: netdev.portName }),
    ...(netdev.switchId !== null && { phys_switch_id: netdev.switchId }),
    ...(netdev.pci !== null && { parentbus: 'pci', parentdev: netdev.pci }),
  };
}
