/** Both ends of the virtual link over rshim, as images set them up. Source: NVIDIA BlueField BSP docs; rshim. */
export const tmfifoAddresses = { host: '192.168.100.1', arm: '192.168.100.2', prefix: 30 } as const;

/** The network namespace of the host in which a card's tmfifo link lives: several cards share 192.168.100.2. */
export function tmfifoNamespace(dpuName: string): string {
  return `dpubot-${dpuName}`;
}
