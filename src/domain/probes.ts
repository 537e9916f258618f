/** Probes of `/dpu diag`: what can be asked of a card without changing it, in the order of help. */
export const probeSummaries = {
  versions: 'firmware, boot loaders, OS image and BMC, as the BMC knows them',
  firmware: 'NIC firmware that runs and that is staged, and what has to happen between the two',
  mode: 'DPU or NIC mode, now and after the next cold boot (mlxconfig -e)',
  'secure-boot': 'Secure Boot as the BMC and the running system see it',
  pcie: 'PCIe link to the host: what it runs at and what it could',
  links: 'network ports of the card: state, speed, FEC and cable (ip, ethtool, mlxlink)',
  drivers: 'mlx5 driver on card and host: loaded and installed',
  services: 'systemd units of the Arm that have failed',
  'memory-disk': 'memory, huge pages and file systems of the Arm',
  temperatures: 'temperatures and 12 V supplies, with the limits of the sensors',
  'bmc-log': 'event log of the BMC, newest entries first',
  'rshim-log': 'boot log of the card and journal of its driver on the host',
  'offload-flows': 'flows of Open vSwitch: carried by hardware or by the Arm',
  'ipsec-sas': 'IPsec associations: encrypted by the card or by the Arm',
} as const;

export type ProbeName = keyof typeof probeSummaries;

export const probeNames: readonly ProbeName[] = Object.keys(probeSummaries).filter(isProbeName);

export function isProbeName(word: string): word is ProbeName {
  return Object.hasOwn(probeSummaries, word);
}
