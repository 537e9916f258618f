import { again, make, type WithState } from './ops-error.ts';

/** Which card it is, its slot and mode, its Arm reset and Secure Boot. */
export const cardErrors = {
  cardNotFound: (a: { target: string; host: string; found: readonly string[] }) =>
    make('card-not-found', 'permanent', {
      what: `${a.target} was not found in ${a.host}.`,
      why: a.found.length === 0 ? 'lspci shows no BlueField-3 there.' : `lspci shows ${a.found.join(', ')}.`,
      next: 'Correct serial or pciAddress in the inventory, or check that the card is seated and powered.',
    }),
  cardAmbiguous: (a: { target: string; host: string; found: readonly string[] }) =>
    make('card-ambiguous', 'permanent', {
      what: `${a.host} has ${a.found.length} BlueField-3 cards, and the inventory does not say which one ${a.target} is.`,
      why: `Found ${a.found.join(', ')}.`,
      next: `Give the serial or the pciAddress of ${a.target} in the inventory.`,
    }),
  skuUnknown: (a: { target: string; partNumber: string }) =>
    make('sku-unknown', 'permanent', {
      what: `${a.target} has the part number ${a.partNumber}, which dpubot does not know.`,
      why: 'What an unknown card needs cannot be checked.',
      next: 'Have the part number added to the SKU table; nothing was changed.',
    }),
  controllerSku: (a: { target: string; partNumber: string; model: string }) =>
    make('controller-sku', 'permanent', {
      what: `${a.target} is a ${a.model} (${a.partNumber}), a self-hosted storage controller.`,
      why: 'Such cards have PCIe to the host disabled by default and an internal cap near 100 Gb/s.',
      next: 'Use a networking DPU (for example 900-9D3B6-00CN-AB0) in this slot.',
    }),
  pcieLinkSlow: (a: { target: string; seen: string; wanted: string; why: string }) =>
    make('pcie-link-slow', 'permanent', {
      what: `${a.target} is linked at ${a.seen}, wanted is ${a.wanted}.`,
      why: a.why,
      next: 'Move the card to a PCIe 5.0 x16 slot, or accept it with `minPcieLink` in the profile.',
    }),
  /** `resetIn`: its host, where a reset of the Arm is all that was asked for. */
  nicMode: (a: { target: string; resetIn?: string }) =>
    make('nic-mode', 'permanent', {
      what: `${a.target} is in NIC mode.`,
      why: 'Its Arm cores do not run there, so Secure Boot cannot be changed and resets would wait forever.',
      next:
        a.resetIn === undefined
          ? `Run the command again with \`--set-mode\`: it stores DPU mode (\`mlxconfig s INTERNAL_CPU_OFFLOAD_ENGINE=0\`) and switches the host off and on. On a card that dpubot has set up \`/dpu recover ${a.target} dpu-mode\` does only that.`
          : `There is no Arm to reset. \`/dpu recover ${a.target} dpu-mode\` brings the card to DPU mode, with a cold power cycle of ${a.resetIn}; to restart the card as it is take \`/dpu reboot ${a.resetIn} host --cold\`. Nothing was changed.`,
    }),
  wrongCard: (a: { target: string; vpdSerial: string; bmcSerial: string; run: number } & WithState) =>
    make('wrong-card', 'needs-human', {
      what: `The BMC at the address of ${a.target} belongs to the card ${a.bmcSerial}, not to ${a.vpdSerial}.`,
      why: 'Addresses of two BMCs are swapped in the inventory, or the OOB cables are.',
      next:
        a.state === 'changed'
          ? `Nothing more is written to it. The new password of that BMC is kept; correct the addresses, see the runbook. ${again(a.run)}`
          : `Nothing more is written to it. Correct the addresses, see the runbook. ${again(a.run)}`,
      state: a.state ?? 'unchanged',
    }),
  armNotReady: (a: { target: string; state: string; limit: string; run: number }) =>
    make('dpu-not-ready', 'needs-human', {
      what: `${a.target} did not come back from the Arm reset within ${a.limit}.`,
      why: `Its boot progress stands at ${a.state}.`,
      next: `Read the console of the card (see the runbook). ${again(a.run)}`,
      state: 'changed',
    }),
  secureBootNotReported: (a: { target: string; resets: number; run: number }) =>
    make('secure-boot-not-reported', 'needs-human', {
      what: `The BMC of ${a.target} does not report Secure Boot, also after ${a.resets} Arm resets.`,
      why: 'UEFI has not told the BMC; firmware before DOCA 2.5 never does.',
      next: `Update the firmware of the card, or follow the runbook. ${again(a.run)}`,
      state: 'changed',
    }),
} as const;
