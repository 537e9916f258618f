/** Names, addresses and cards of the rack. */

export const machineNames = ['host-a', 'dpu-a', 'dpu-b', 'host-b'] as const;
export type MachineName = (typeof machineNames)[number];
export type HostName = Extract<MachineName, `host-${string}`>;
export type CardName = Extract<MachineName, `dpu-${string}`>;

/** Users that dpubot logs in as. */
export const users = { host: 'ops', card: 'ubuntu' } as const;

/** Last number of each machine's management address. */
const numbers: Readonly<Record<MachineName, number>> = { 'host-a': 11, 'dpu-a': 12, 'dpu-b': 13, 'host-b': 14 };

/** As the stub of lspci shows them: a B3220, which has crypto engines. */
export const cards: Readonly<Record<CardName, { readonly host: HostName; readonly serial: string }>> = {
  'dpu-a': { host: 'host-a', serial: 'MT2429XZ0A01' },
  'dpu-b': { host: 'host-b', serial: 'MT2429XZ0B02' },
};
export const partNumber = '900-9D3B6-00CV-AA0';
/** PCI device of the card: on its host, and as the card sees itself. */
export const pciCard = { host: '0000:e1:00', card: '0000:03:00' } as const;

export function isCard(name: MachineName): name is CardName {
  return name in cards;
}

/** Management address, `subnet` being its first three numbers. */
export function managementAddress(subnet: string, name: MachineName): string {
  return `${subnet}.${numbers[name]}`;
}
