import { again, make, type Cause, type WithState } from './ops-error.ts';

/** Images on their way to a host, and the flash of a card. */
export const flashErrors = {
  rshimNotFound: (a: { target: string; host: string; why: string; next?: string }) =>
    make('rshim-not-found', 'permanent', {
      what: `${a.host} has no rshim device of ${a.target}.`,
      why: a.why,
      next: `${a.next ?? `Look at \`systemctl status rshim\` on ${a.host} and at \`/dev/rshim*\``}; nothing was sent to the card.`,
    }),
  rshimOwnedByBmc: (a: { target: string; host: string; why: string; run: number }) =>
    make('rshim-owned-by-bmc', 'permanent', {
      what: `The BMC of ${a.target} owns its rshim and does not give it to ${a.host}.`,
      why: a.why,
      next: `Switch BMC rshim off (\`systemctl disable --now rshim\` on the BMC), restart the rshim service of ${a.host}, or reset the BMC. ${again(a.run)} The image was not pushed; the Arm runs as before.`,
      state: 'changed',
    }),
  /** `run`: it has tried all there is. Else it was only looked at: which card a device is of stands in what cannot be read. */
  rshimStuck: (a: { target: string; host: string; seen: string; run?: number }) =>
    make('rshim-stuck', 'permanent', {
      what: `The rshim of ${a.target} does not answer on ${a.host}${a.run === undefined ? '' : ', also after its driver was restarted and its PCI function found anew'}.`,
      why: a.run === undefined ? `${a.seen}, and no other device is at the PCI address of the card.` : a.seen,
      next:
        a.run === undefined
          ? `Run \`/dpu recover ${a.target} stuck-rshim\`: it restarts the rshim service of ${a.host}, and does more only where that is not enough. Then run the command again. Nothing was sent to the card; its Arm and network run as before.`
          : `Look at \`journalctl -u rshim\` of ${a.host}; a card that hangs comes back with a cold power cycle: \`/dpu reboot ${a.host} host --cold\`. ${again(a.run)} Arm and network of the card run as before.`,
      state: a.run === undefined ? 'unchanged' : 'changed',
    }),
  flashRunning: (a: { target: string; host: string; seen: string }) =>
    make('flash-running', 'permanent', {
      what: `A bfb-install is running on ${a.host}, so ${a.target} is not flashed now.`,
      why: a.seen,
      next: 'Let it end, or end it where it was started; two pushes at once spoil each other. Nothing was sent to this card.',
    }),
  powerWhileFlashing: (a: { host: string; seen: string }) =>
    make('power-while-flashing', 'permanent', {
      what: `A bfb-install is running on ${a.host}, so the host is not switched off now.`,
      why: a.seen,
      next: 'Let it end, or end it where it was started, then resume the run. A card that loses power in a flash has no system.',
    }),
  pushFailed: (a: { target: string; line: string; run: number }) =>
    make('push-failed', 'permanent', {
      what: `The image could not be pushed to ${a.target}.`,
      why: a.line,
      next: `The Arm was stopped for it and has no usable system until it is flashed; network and BMC of the card are as before. Look at \`journalctl -u rshim\` of the host. \`/dpu resume ${a.run}\` pushes anew.`,
      state: 'changed',
      evidence: a.line,
    }),
  installerFailed: (a: { target: string; line: string; run: number }) =>
    make('installer-failed', 'permanent', {
      what: `The installer on ${a.target} did not finish.`,
      why: a.line,
      next: `The system on its Arm is erased or incomplete. Remove the cause the line names (disk of the card, the image itself). \`/dpu resume ${a.run}\` flashes it anew.`,
      state: 'changed',
      evidence: a.line,
    }),
  bmcUpdateFailed: (a: { target: string; why: string; run: number } & WithState) =>
    make('bmc-update-failed', 'permanent', {
      what: `The BMC parts of the image were not installed on ${a.target}.`,
      why: a.why,
      next:
        a.state === 'unchanged'
          ? `Nothing was sent to the card. Correct it, or set \`bmcComponents: skip\` in the profile. ${again(a.run)}`
          : `The Arm has the new system; its BMC keeps the old firmware. Correct the cause, or set \`bmcComponents: skip\` in the profile and start a new run. \`/dpu resume ${a.run}\` flashes it anew.`,
      state: a.state ?? 'changed',
    }),
  flashTimeout: (a: { target: string; doing: string; limit: string; run: number }) =>
    make('flash-timeout', 'needs-human', {
      what: `The flash of ${a.target} was not done within ${a.limit}.`,
      why: `It stood at: ${a.doing}.`,
      next: `The system on its Arm may be incomplete. Read the console of the card (see the runbook). ${again(a.run)}`,
      state: 'changed',
    }),
  flashInterrupted: (a: { target: string; why: string; run: number }) =>
    make('flash-interrupted', 'needs-human', {
      what: `The flash of ${a.target} was interrupted: the system on its Arm is incomplete.`,
      why: `${a.why}. Nothing is pushing any more.`,
      next: `Find out why (see the runbook). \`/dpu resume ${a.run}\` flashes the card anew.`,
      state: 'unknown',
    }),
  flashLinkLost: (a: { target: string; host: string; limit: string; run: number } & Cause) =>
    make('flash-link-lost', 'transient', {
      what: `${a.host} did not answer for ${a.limit} while ${a.target} was being flashed.`,
      why: a.cause instanceof Error ? `The connection failed: ${a.cause.message}.` : 'The connection failed.',
      next: `The push goes on by itself on the host. When ${a.host} answers again, \`/dpu resume ${a.run}\` picks it up; nothing is pushed twice.`,
      state: 'unknown',
      cause: a.cause,
    }),
  flashWayMissing: (a: { target: string; way: 'rshim' | 'redfish'; problem: string; other: string | undefined }) =>
    make('flash-way-missing', 'permanent', {
      what: `${a.target} cannot be flashed over ${a.way === 'rshim' ? 'rshim' : 'Redfish'}.`,
      why: a.problem,
      next:
        a.other === undefined
          ? `\`--via ${a.way === 'rshim' ? 'redfish' : 'rshim'}\` is possible. Nothing was changed.`
          : `The other way is closed too: ${a.other} Install DOCA on the host, or give the image a \`url\` that the BMC can reach. Nothing was changed.`,
    }),
  updateRunning: (a: { target: string; why: string; run: number }) =>
    make('update-running', 'transient', {
      what: `The BMC of ${a.target} is busy with another update.`,
      why: a.why,
      next: `Wait until it has ended. One that hangs is ended by a restart of the BMC (\`/dpu reboot ${a.target} bmc\`), which dpubot does once the task is 90 minutes old. ${again(a.run)} The image was not sent.`,
    }),
  updateTransferFailed: (a: { target: string; address: string; why: string; run: number }) =>
    make('update-transfer-failed', 'permanent', {
      what: `The BMC of ${a.target} could not fetch the image from ${a.address}.`,
      why: a.why,
      next: `Check from the network of the BMC that the web server answers there; a name needs a name server in the BMC. The BMC was restarted, because it keeps a failed update. ${again(a.run)}`,
      state: 'changed',
    }),
  imageRefusedByBmc: (a: { target: string; image: string; why: string; run: number }) =>
    make('image-refused-by-bmc', 'permanent', {
      what: `The BMC of ${a.target} refused ${a.image}.`,
      why: a.why,
      next: `The image is for another generation of BlueField, is damaged, or does not go with this firmware of the BMC. Take another image, or \`--via rshim\`. The BMC was restarted. ${again(a.run)}`,
      state: 'changed',
    }),
  rshimOwnedByHost: (a: { target: string; host: string; why: string; run: number }) =>
    make('rshim-owned-by-host', 'permanent', {
      what: `${a.host} does not let go of the rshim of ${a.target}, so its BMC cannot write an image.`,
      why: a.why,
      next: `Stop the driver (\`systemctl stop rshim\` on ${a.host}), or flash over it (\`--via rshim\`). ${again(a.run)} The image was not sent.`,
      state: 'changed',
    }),
  uefiShell: (a: { target: string; seen: string; run: number }) =>
    make('uefi-shell', 'needs-human', {
      what: `${a.target} was flashed and stays in UEFI: its new system does not start.`,
      why: a.seen,
      next: `Choose the disk in the boot manager, or flash another image (see the runbook). ${again(a.run)}`,
      state: 'changed',
    }),
  unknownImage: (a: { target: string; runs: string; wanted: string; why: string; next: string }) =>
    make('unknown-image', 'permanent', {
      what: `${a.target} runs ${a.runs}; wanted is ${a.wanted}.`,
      why: a.why,
      next: a.next,
    }),
  uploadFailed: (a: { host: string; file: string; arrivedBytes: number; totalBytes: number; why: string } & Cause) =>
    make('upload-failed', 'transient', {
      what: `Sending ${a.file} to ${a.host} broke off: ${a.arrivedBytes} of ${a.totalBytes} bytes have arrived.`,
      why: a.why,
      next: 'Correct the cause and resume the run: it goes on with what is there.',
      state: 'changed',
      cause: a.cause,
    }),
  imageFileUnreadable: (a: { file: string; problem: string } & Cause) =>
    make('image-file-unreadable', 'permanent', {
      what: `The image file ${a.file} on this worker cannot be sent.`,
      why: a.problem,
      next: 'Put the right file there on every worker of the site, or correct `file` and `bytes` in the inventory, then resume the run.',
      cause: a.cause,
    }),
  imageSpaceMissing: (a: { host: string; folder: string; neededBytes: number; freeBytes: number } & WithState) =>
    make('image-space-missing', 'permanent', {
      what: `${a.host} has too little space for the images in ${a.folder}.`,
      why: `${a.neededBytes} bytes are needed (256 MiB of it as a margin), ${a.freeBytes} are free.`,
      next: 'Make room on that file system, then run the command again. No card was touched.',
      state: a.state ?? 'unchanged',
    }),
  imageDownloadFailed: (a: { host: string; image: string; from: string; problem: string }) =>
    make('image-download-failed', 'permanent', {
      what: `${a.host} could not download ${a.image} from ${a.from}.`,
      why: a.problem,
      next: 'Correct the URL, the proxy or the access of the host, or name the image as a `file` of the worker; then resume the run. No card was touched.',
      state: 'changed',
    }),
  imageDownloadBroken: (a: {
    host: string;
    image: string;
    from: string;
    tries: number;
    arrivedBytes: number;
    totalBytes: number;
    problem: string;
  }) =>
    make('image-download-broken', 'transient', {
      what: `The download of ${a.image} from ${a.from} to ${a.host} broke off ${a.tries} times: ${a.arrivedBytes} of ${a.totalBytes} bytes have arrived.`,
      why: a.problem,
      next: 'Look at the network between them and resume the run: it goes on with what is there. No card was touched.',
      state: 'changed',
    }),
  imageHashMismatch: (a: { host: string; image: string; from: string; expected: string; seen: string }) =>
    make('image-hash-mismatch', 'permanent', {
      what: `What ${a.host} got from ${a.from} is not the image ${a.image}: it was removed, and nothing was flashed.`,
      why: `Expected ${a.expected}, seen ${a.seen}.`,
      next: 'Compare both with what the publisher of the image says; correct `sha256` and `bytes` or the source in the inventory, then run the command again.',
      state: 'changed',
    }),
} as const;
