import { again, make } from './ops-error.ts';

/** Power cycles of a host, stored firmware settings, and what a host depends on a card for. */
export const powerErrors = {
  hostBmcLoginRefused: (a: { host: string; user: string; credential: string; why: string }) =>
    make('host-bmc-login-refused', 'permanent', {
      what: `The management controller of ${a.host} refused the login of ${a.user}.`,
      why: a.why,
      next: `Import the right password with \`dpubot credentials import ${a.credential} FILE\`, or correct \`bmc\` of ${a.host} in the inventory; then resume the run.`,
    }),
  firmwareWedged: (a: { target: string; host: string; device: string; output: string }) =>
    make('firmware-wedged', 'needs-human', {
      what: `The firmware of ${a.target} (${a.device} of ${a.host}) does not answer.`,
      why: `${a.output} Its network controller hangs; nothing can be read from it or written to it.`,
      next: `Cold power cycle ${a.host}: off, wait 30 s, on. A reboot of host or Arm does not help; see the runbook.`,
      state: 'unknown',
    }),
  parameterMissing: (a: { target: string; parameter: string; output: string }) =>
    make('nic-parameter-missing', 'permanent', {
      what: `The firmware of ${a.target} has no setting ${a.parameter}.`,
      why: a.output,
      next: 'Update the firmware of the card, or leave its mode as it is. Nothing was changed.',
    }),
  nicModePending: (a: { host: string; cards: readonly string[] }) =>
    make('nic-mode-pending', 'permanent', {
      what: `${a.cards.join(', ')} of ${a.host} would come up in NIC mode after the next cold power cycle.`,
      why: 'Somebody has set NIC mode in the configuration of the card; it runs in DPU mode only until then.',
      next: `Give \`--set-mode\` to put it back to DPU mode, or do it by hand (\`mlxconfig -d DEVICE s INTERNAL_CPU_OFFLOAD_ENGINE=0\`). ${a.host} was not switched off.`,
    }),
  activationByHand: (a: { host: string; pending: string; why: string; run: number }) =>
    make('activation-by-hand', 'needs-human', {
      what: `${a.host} has to be switched off and on by hand: ${a.pending}.`,
      why: a.why,
      next: `Switch ${a.host} off, wait 30 s, switch it on; then press Done or \`/dpu resume ${a.run}\`.`,
    }),
  hostPowerUnsupported: (a: { host: string; offered: readonly string[] }) =>
    make('host-power-unsupported', 'permanent', {
      what: `The BMC of ${a.host} offers no way to switch the host off and on.`,
      why: `Its reset types are ${a.offered.length === 0 ? 'none' : a.offered.join(', ')}.`,
      next: 'Set `activation: by-hand` in the profile, and switch the host yourself. It was not switched.',
    }),
  hostPowerStuck: (a: { host: string; wanted: 'Off' | 'On'; said: readonly string[]; limit: string; run: number }) =>
    make('host-power-stuck', 'needs-human', {
      what: `${a.host} was told to go ${a.wanted}, and its BMC did not report that within ${a.limit}.`,
      why: `What was sent and seen: ${a.said.join(', ')}.`,
      next: `Look at ${a.host}, bring it to the state On, see the runbook. ${again(a.run)}`,
      state: 'changed',
    }),
  hostNotBack: (a: { host: string; power: string; last: string; limit: string; run: number }) =>
    make('host-not-back', 'needs-human', {
      what: `${a.host} was restarted, and did not answer SSH with a new boot within ${a.limit}.`,
      why: `Its BMC says ${a.power}; the last try: ${a.last}`,
      next: `Look at its console (see the runbook). ${again(a.run)}`,
      state: 'changed',
    }),
  cardNotBack: (a: { target: string; host: string; state: string; limit: string; run: number }) =>
    make('card-not-back', 'needs-human', {
      what: `${a.target} did not report OsIsRunning within ${a.limit} after ${a.host} was switched off and on.`,
      why: `Its boot progress stands at ${a.state}.`,
      next: `Read the console of the card (see the runbook). ${again(a.run)}`,
      state: 'changed',
    }),
  coldBootMissing: (a: { host: string; pending: string; run: number }) =>
    make('cold-boot-missing', 'needs-human', {
      what: `${a.host} has booted anew, and its cards have not: ${a.pending}.`,
      why: 'The BMC answered as asked, but the slots kept their power: it was a warm reset for the cards. It is not repeated.',
      next: `Take all power from ${a.host} (both cords, or the slot), wait 30 s, switch it on; see the runbook. ${again(a.run)}`,
      state: 'changed',
    }),
  /** Over rshim of a host, or by the BMC of a card, whoever ordered that. `run`: it has begun; else it was only looked at. */
  rebootWhileFlashing: (
    a: { target: string; seen: string; run?: number } & ({ host: string } | { updating: string }),
  ) =>
    make('reboot-while-flashing', 'permanent', {
      what: `${'host' in a ? `A bfb-install is running on ${a.host}` : `The BMC of ${a.updating} is writing an image to its card`}, so ${a.target} is not restarted now.`,
      why: a.seen,
      next: `${'host' in a ? 'Let it end, or end it where it was started' : 'Let the update end, and the installation after it; one that stands for 90 minutes counts as hung'}, then ${a.run === undefined ? 'run the command again' : `\`/dpu resume ${a.run}\``}. A card that is restarted in a flash has no system. ${a.run === undefined ? 'Nothing was changed.' : 'This was not restarted.'}`,
    }),
  hostBmcMissing: (a: { host: string }) =>
    make('host-bmc-missing', 'permanent', {
      what: `${a.host} cannot be switched off and on by dpubot.`,
      why: 'The inventory names no management controller for it.',
      next: `Add \`bmc\` to ${a.host} in the inventory, or switch it by hand: off, wait 30 s, on. Nothing was changed.`,
    }),
  cardInUse: (a: { target: string; host: string; uses: readonly string[] }) =>
    make('card-in-use', 'permanent', {
      what: `${a.host} depends on ${a.target}.`,
      why: `${a.uses.join('; ')}. Resetting or flashing the card cuts that off in the middle of the work.`,
      next: `Bring ${a.host} to the worker over another network card or disk, or give \`--via-card\`: then the worker may lose the host until the card is back, and for good if it does not come back. Nothing was changed.`,
    }),
  cardUseUnknown: (a: { target: string; host: string; problem: string }) =>
    make('card-use-unknown', 'permanent', {
      what: `Whether ${a.host} depends on ${a.target} could not be found out.`,
      why: a.problem,
      next: `Look yourself; when nothing of ${a.host} depends on the card give \`--via-card\`. Nothing was changed.`,
    }),
} as const;
