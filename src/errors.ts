import type { DeviceState, Failure, FailureKind } from './domain/outcome.ts';

/**
 * The one error of dpubot: what happened, why, what to do next, and what state the device is in. Codes are permanent;
 * each has a constructor below, a test, and a runbook in docs/runbooks when its kind is `needs-human`.
 */
export class OpsError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, cause?: unknown) {
    super(`${failure.what} ${failure.why}`, cause === undefined ? undefined : { cause });
    this.name = 'OpsError';
    this.failure = failure;
  }

  get code(): string {
    return this.failure.code;
  }
}

/** Turns anything thrown into a failure; what is not an OpsError is a bug of ours and says so without a stack trace. */
export function failureOf(error: unknown): Failure {
  if (error instanceof OpsError) return error.failure;
  const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return errors.bug({ detail }).failure;
}

interface Spec {
  readonly what: string;
  readonly why: string;
  readonly next: string;
  readonly state?: DeviceState;
  readonly evidence?: string | undefined;
  readonly cause?: unknown;
}

function make(code: string, kind: FailureKind, spec: Spec): OpsError {
  const { what, why, next, state = 'unchanged', evidence, cause } = spec;
  return new OpsError(
    { code, kind, what, why, next, deviceState: state, ...(evidence === undefined ? {} : { evidence }) },
    cause,
  );
}

type WithState = { readonly state?: DeviceState };
type Cause = { readonly cause?: unknown };

const again = (run: number): string => `Then \`/dpu resume ${run}\`.`;

/** The catalogue: one typed constructor per code. */
export const errors = {
  // ------------------------------------------------------------------------------------------ set-up
  configInvalid: (a: { problems: readonly string[] }) =>
    make('config-invalid', 'permanent', {
      what: `Cannot start: ${a.problems.length} setting${a.problems.length === 1 ? ' is' : 's are'} wrong.`,
      why: a.problems.join('; '),
      next: 'Fix them in .env; see .env.example.',
    }),
  inventoryInvalid: (a: { file: string; problems: readonly string[] }) =>
    make('inventory-invalid', 'permanent', {
      what: `The inventory ${a.file} has ${a.problems.length} problem${a.problems.length === 1 ? '' : 's'}.`,
      why: a.problems.join('; '),
      next: 'Correct the file and run `dpubot inventory check FILE`; a running process keeps the last good one.',
    }),
  inventoryDiffers: (a: { host: string }) =>
    make('inventory-differs', 'permanent', {
      what: `${a.host} is described differently on this worker than when the run was made.`,
      why: 'The worker and the run have other inventory entries for this host.',
      next: 'Bring the inventory of bot and workers to the same version and start a new run.',
    }),
  redisUnfit: (a: { problem: string }) =>
    make('redis-unfit', 'permanent', {
      what: 'Redis is not fit to hold runs.',
      why: a.problem,
      next: 'Set `maxmemory-policy noeviction` on a Redis of version 6.2 or newer and start again.',
    }),
  storeUnavailable: (a: { operation: string } & Cause) =>
    make('store-unavailable', 'transient', {
      what: `Redis did not answer while trying to ${a.operation}.`,
      why: a.cause instanceof Error ? a.cause.message : 'the connection is down',
      next: 'Look with `/dpu runs` whether it happened before you repeat it; runs go on by themselves when Redis is back.',
      cause: a.cause,
    }),
  storeCorrupt: (a: { key: string; problem: string }) =>
    make('store-corrupt', 'permanent', {
      what: `The record ${a.key} in Redis cannot be read.`,
      why: a.problem,
      next: 'Restore Redis from its append-only file or a backup; dpubot does not guess and changed nothing.',
    }),
  credentialPending: (a: { ref: string }) =>
    make('credential-pending', 'permanent', {
      what: `A new password for ${a.ref} is already waiting to be confirmed.`,
      why: 'An earlier run filed it and did not get to log in with it; filing another one would lose it.',
      next: 'Try the pending password first; only when the card refuses it may it be replaced.',
    }),
  jobLockLost: () =>
    make('job-lock-lost', 'transient', {
      what: 'This worker lost its claim on a job.',
      why: 'It could not renew the lock of the job in Redis in time.',
      next: 'It stopped before the next write; the run goes on from the journal by itself.',
      state: 'unknown',
    }),
  workerStopping: () =>
    make('worker-stopping', 'transient', {
      what: 'This worker is shutting down.',
      why: 'It was told to stop and the time for finishing was over.',
      next: 'The run goes on from the journal by itself as soon as a worker is free.',
      state: 'unknown',
    }),
  credentialMissing: (a: { ref: string }) =>
    make('credential-missing', 'permanent', {
      what: `The credential "${a.ref}" is not in the store.`,
      why: 'The inventory refers to it, but nobody has imported it.',
      next: `Run \`dpubot credentials import ${a.ref} FILE\` on a machine that can reach Redis.`,
    }),
  credentialUnreadable: (a: { ref: string }) =>
    make('credential-unreadable', 'permanent', {
      what: `The credential "${a.ref}" cannot be decrypted.`,
      why: 'It was encrypted to another age recipient than the identity of this worker.',
      next: "Check the site's `recipient` and DPUBOT_AGE_IDENTITY, then import the credential again.",
    }),
  escrowFailed: (a: { directory: string } & Cause) =>
    make('escrow-failed', 'permanent', {
      what: 'The new password could not be written to the escrow directory.',
      why: a.cause instanceof Error ? a.cause.message : `${a.directory} is not writable`,
      next: 'Mount the directory of DPUBOT_ESCROW writable; no password was sent to the card.',
      cause: a.cause,
    }),

  // ------------------------------------------------------------------------------------------ asking
  commandInvalid: (a: { what: string; why: string; next: string }) => make('command-invalid', 'permanent', a),
  targetUnknown: (a: { target: string; suggestion?: string | undefined }) =>
    make('target-unknown', 'permanent', {
      what: `There is no rack, host or DPU called "${a.target}".`,
      why: a.suggestion === undefined ? 'The inventory has nothing like it.' : `Did you mean "${a.suggestion}"?`,
      next: 'Give the name of a rack, host or DPU of the inventory. Nothing was started.',
    }),
  notAllowed: (a: { who: string; action: string; need: string }) =>
    make('not-allowed', 'permanent', {
      what: `${a.who} may not ${a.action}.`,
      why: `That needs ${a.need}.`,
      next: 'Ask somebody who has it, or have the roles in the inventory changed.',
    }),
  notInChannel: (a: { channel: string }) =>
    make('not-in-channel', 'permanent', {
      what: 'dpubot is not in this channel, so it could not post the run here.',
      why: `It has not been invited to ${a.channel}.`,
      next: 'Type `/invite @dpubot` and give the command again. Nothing was started.',
    }),
  runUnknown: (a: { run: number }) =>
    make('run-unknown', 'permanent', {
      what: `There is no run ${a.run}.`,
      why: 'The number was never given, or the run is past its retention.',
      next: '`/dpu runs` lists the newest ones.',
    }),
  runNotInState: (a: { run: number; action: string; state: string; next: string }) =>
    make('run-not-in-state', 'permanent', {
      what: `Run ${a.run} cannot be ${a.action}.`,
      why: `It is ${a.state}.`,
      next: a.next,
    }),
  selfApproval: (a: { run: number; who: string }) =>
    make('self-approval', 'permanent', {
      what: `${a.who} asked for run ${a.run} and so cannot approve it.`,
      why: 'A second person has to look at risky work before it starts.',
      next: 'Ask one of the approvers; the buttons stay until the plan expires.',
    }),
  alreadyDecided: (a: { run: number; by: string; verdict: string }) =>
    make('already-decided', 'permanent', {
      what: `Run ${a.run} was already ${a.verdict}.`,
      why: `${a.by} was first.`,
      next: `\`/dpu run ${a.run}\` shows how it goes on.`,
    }),
  approvalExpired: (a: { run: number }) =>
    make('approval-expired', 'permanent', {
      what: `The plan of run ${a.run} has expired.`,
      why: 'Nobody approved it in time, and the cards may have changed since.',
      next: `\`/dpu resume ${a.run}\` makes a fresh plan. Nothing was changed.`,
    }),
  approvalVoid: (a: { run: number; why: string } & WithState) =>
    make('approval-void', 'permanent', {
      what: `The approval of run ${a.run} does not hold any more.`,
      why: a.why,
      next: `\`/dpu resume ${a.run}\` makes a fresh plan and asks again. Nothing ${a.state === undefined ? '' : 'more '}was changed.`,
      state: a.state ?? 'unchanged',
    }),
  halted: (a: { by: string; reason: string }) =>
    make('halted', 'permanent', {
      what: 'All work is halted.',
      why: `${a.by}: ${a.reason}`,
      next: 'Wait for `/dpu unhalt`; running steps end, nothing new starts.',
    }),
  slackUnavailable: (a: { question: string; why: string }) =>
    make('slack-unavailable', 'transient', {
      what: `Slack could not be asked ${a.question}.`,
      why: a.why,
      next: 'Do the same again in a moment; if it stays like this, run `dpubot doctor` with the settings of the bot. Nothing was changed.',
    }),

  // ------------------------------------------------------------------------------------------ engine
  hostHeld: (a: { host: string; run: number; by: string; since: string }) =>
    make('host-held', 'permanent', {
      what: `${a.host} is held by run ${a.run} (${a.by}, since ${a.since}).`,
      why: 'That run has begun to change the host or its cards and has not finished.',
      next: `Finish it with \`/dpu resume ${a.run}\`, give the host back with \`/dpu cancel ${a.run}\`, or clear it with \`/dpu unlock ${a.host} --force\` (administrators).`,
    }),
  unitBusy: (a: { unit: string; worker: string; run: number }) =>
    make('unit-busy', 'permanent', {
      what: `${a.unit} is being worked on right now.`,
      why: `Worker ${a.worker} has the lease for run ${a.run}.`,
      next: `Cancel it first with \`/dpu cancel ${a.run}\` and wait until its step has ended. Nothing was changed.`,
    }),
  leaseLost: (a: { unit: string }) =>
    make('lease-lost', 'transient', {
      what: `This worker lost its lease on ${a.unit}.`,
      why: 'It did not renew it in time, or another worker took over.',
      next: 'It stopped before the next write; the run goes on from the journal by itself.',
      state: 'unknown',
    }),
  /** `resume`: number of the run that has written to the unit already and so holds it; a new run would wait for it. */
  planOutdated: (a: { unit: string; differences: readonly string[]; command: string; resume?: number | undefined }) =>
    make('plan-outdated', 'permanent', {
      what: `${a.unit} no longer matches the approved plan.`,
      why: a.differences.join('; '),
      next:
        a.resume === undefined
          ? `Nothing was changed. Run \`${a.command}\` for a new plan.`
          : `Nothing more was changed. \`/dpu resume ${a.resume}\` makes a new plan.`,
      state: a.resume === undefined ? 'unchanged' : 'changed',
    }),
  needMissing: (a: { step: string; target: string; need: string; remedy: string }) =>
    make('need-missing', 'permanent', {
      what: `${a.step} cannot run on ${a.target}: it needs ${a.need}.`,
      why: 'Nothing in this run provides it.',
      next: a.remedy,
    }),
  stepTimeout: (a: { step: string; target: string; limit: string; run: number }) =>
    make('step-timeout', 'needs-human', {
      what: `${a.step} on ${a.target} did not finish within ${a.limit}.`,
      why: 'The step was stopped at its limit; what it had begun may still be going on in the card.',
      next: `Look at the card (see the runbook). ${again(a.run)}`,
      state: 'unknown',
    }),
  lookTimeout: (a: { step: string; target: string; limit: string; run: number }) =>
    make('look-timeout', 'transient', {
      what: `Looking at ${a.target} for ${a.step} took longer than ${a.limit}.`,
      why: 'The host or the BMC of the card accepts connections and does not answer in time.',
      next: `Look whether it is overloaded or hung. ${again(a.run)} Nothing was changed by looking.`,
    }),
  noWorker: (a: { unit: string; site: string; limit: string; run: number } & WithState) =>
    make('no-worker', 'transient', {
      what: `Nobody took up the work on ${a.unit} for ${a.limit}.`,
      why: `No worker of site "${a.site}" is running, or all of them are busy.`,
      next: `Start a worker with \`DPUBOT_SITE=${a.site}\`, or wait until the others are free. ${again(a.run)}`,
      state: a.state ?? 'unchanged',
    }),
  verifyMismatch: (a: { step: string; target: string; check: string; expected: string; actual: string; run: number }) =>
    make('verify-mismatch', 'needs-human', {
      what: `${a.step} ended on ${a.target}, but ${a.check} is ${a.actual} instead of ${a.expected}.`,
      why: 'The card accepted the change and does not show it.',
      next: `Follow the runbook. ${again(a.run)}`,
      state: 'changed',
    }),
  outcomeUnknown: (a: { what: string; why: string; run: number; evidence?: string | undefined }) =>
    make('outcome-unknown', 'needs-human', {
      what: a.what,
      why: a.why,
      next: `Look before anything is sent again (see the runbook). ${again(a.run)}`,
      state: 'unknown',
      evidence: a.evidence,
    }),
  cancelled: (a: { run: number; by: string; target: string } & WithState) =>
    make('cancelled', 'permanent', {
      what: `Run ${a.run} was cancelled by ${a.by}.`,
      why: `The work on ${a.target} stopped between two steps.`,
      next: `\`/dpu resume ${a.run}\` goes on; \`/dpu run ${a.run}\` shows what is done.`,
      state: a.state ?? 'unchanged',
    }),
  bug: (a: { detail: string }) =>
    make('bug', 'bug', {
      what: 'dpubot itself failed.',
      why: a.detail,
      next: 'Report it with the run number; `/dpu resume` is safe, every step looks before it acts.',
      state: 'unknown',
    }),

  // ------------------------------------------------------------------------------------------ SSH
  sshUnreachable: (a: { host: string; address: string } & Cause) =>
    make('ssh-unreachable', 'transient', {
      what: `${a.host} does not answer SSH on ${a.address}.`,
      why: a.cause instanceof Error ? a.cause.message : 'the connection failed',
      next: 'Check power and network of the host, then try again.',
      cause: a.cause,
    }),
  sshAuthFailed: (a: { host: string; user: string; key: string }) =>
    make('ssh-auth-failed', 'permanent', {
      what: `${a.host} refused the login of ${a.user}.`,
      why: `The key "${a.key}" is not accepted there.`,
      next: "Put the key's public half into authorized_keys, or import the right key.",
    }),
  sshHostKeyChanged: (a: { host: string; seen: string; run?: number }) =>
    make('ssh-host-key-changed', 'needs-human', {
      what: `${a.host} shows an SSH host key that is not pinned (${a.seen}).`,
      why: 'Either the host was reinstalled, or something else answers at its address. No login was tried.',
      next: 'Treat it as a security event: compare the key on the console, then correct `hostKeys` in the inventory.',
    }),
  sshTimeout: (a: { host: string; command: string; timeoutMs: number } & WithState) =>
    make('ssh-timeout', 'transient', {
      what: `${a.host} did not finish \`${a.command}\` within ${a.timeoutMs / 1000} s.`,
      why: 'The command hung, or the connection is half dead.',
      next: 'Look at the host; the run can be resumed.',
      state: a.state ?? 'unknown',
    }),
  sshLost: (a: { host: string; command: string } & Cause) =>
    make('ssh-lost', 'transient', {
      what: `The connection to ${a.host} was lost during \`${a.command}\`.`,
      why: 'No exit status arrived, so whether the command finished is unknown.',
      next: 'The run looks again before it goes on; resume it if it stopped.',
      state: 'unknown',
      cause: a.cause,
    }),
  sudoRefused: (a: { host: string; user: string; output: string }) =>
    make('sudo-refused', 'permanent', {
      what: `${a.user} may not use sudo without a password on ${a.host}.`,
      why: a.output,
      next: 'Install the sudoers sample of docs/production.md on the host.',
    }),
  commandFailed: (a: { host: string; command: string; exitCode: number; output: string } & WithState) =>
    make('command-failed', 'permanent', {
      what: `\`${a.command}\` failed on ${a.host} with exit code ${a.exitCode}.`,
      why: a.output === '' ? 'It printed nothing.' : a.output,
      next: 'Correct the cause on the host, then resume the run.',
      state: a.state ?? 'unchanged',
    }),
  outputUnreadable: (a: { target: string; source: string; problem: string; evidence?: string }) =>
    make('output-unreadable', 'permanent', {
      what: `The output of ${a.source} on ${a.target} could not be understood.`,
      why: a.problem,
      next: 'Report it with this text: dpubot does not guess. Nothing was changed by reading.',
      evidence: a.evidence,
    }),
  sshKeyUnusable: (a: { host: string; key: string; problem: string }) =>
    make('ssh-key-unusable', 'permanent', {
      what: `The credential "${a.key}" cannot be used to log in to ${a.host}.`,
      why: a.problem,
      next: `Import an unencrypted OpenSSH private key with \`dpubot credentials import ${a.key} FILE\`.`,
    }),
  addressNotLoopback: (a: { target: string; address: string }) =>
    make('address-not-loopback', 'permanent', {
      what: `${a.target} belongs to a simulated site, and ${a.address} is not a loopback address.`,
      why: 'A simulated site may only reach the pretend rack on this machine. Nothing was sent.',
      next: 'Correct the address, or set `simulated: false` for the site in the inventory.',
    }),

  // ------------------------------------------------------------------------------------------ Redfish
  bmcAddressAuto: (a: { target: string }) =>
    make('bmc-address-auto', 'permanent', {
      what: `The BMC address of ${a.target} is "auto".`,
      why: 'Finding it needs a login on the card, which this recipe does not have.',
      next: `Give the address of the BMC of ${a.target} in the inventory.`,
    }),
  bmcUnreachable: (a: { target: string; address: string } & Cause) =>
    make('bmc-unreachable', 'transient', {
      what: `The BMC of ${a.target} does not answer on ${a.address}.`,
      why: a.cause instanceof Error ? a.cause.message : 'the connection failed',
      next: 'Check the management cable and the address, or wait if the BMC is restarting; then resume the run.',
      cause: a.cause,
    }),
  bmcTimeout: (a: { target: string; request: string; timeoutMs: number } & WithState) =>
    make('bmc-timeout', 'transient', {
      what: `The BMC of ${a.target} did not answer ${a.request} within ${a.timeoutMs / 1000} s.`,
      why: 'It is busy, restarting, or hung.',
      next: 'Wait a few minutes, then resume the run.',
      state: a.state ?? 'unknown',
    }),
  bmcReplyLost: (a: { target: string; request: string } & Cause) =>
    make('bmc-reply-lost', 'transient', {
      what: `The reply of the BMC of ${a.target} to ${a.request} was lost.`,
      why: 'The connection was cut after the request had been sent.',
      next: 'The run looks at the card before it sends anything again.',
      state: 'unknown',
      cause: a.cause,
    }),
  bmcCertChanged: (a: { target: string; seen: string; pinned: string }) =>
    make('bmc-cert-changed', 'needs-human', {
      what: `The BMC of ${a.target} shows another certificate than the pinned one.`,
      why: `Seen ${a.seen.slice(0, 16)}..., pinned ${a.pinned.slice(0, 16)}.... After a factory reset of the BMC this is normal; otherwise something else may answer there. No password was sent.`,
      next: 'Compare the certificate on the BMC itself, then follow the runbook.',
    }),
  bmcUnpinned: (a: { target: string }) =>
    make('bmc-unpinned', 'permanent', {
      what: `The certificate of the BMC of ${a.target} is not pinned.`,
      why: 'Only the factory password is ever sent to an unknown certificate, and it was not accepted.',
      next: 'Approve the plan that pins it, or give `certSha256` in the inventory.',
    }),
  bmcLocked: (a: { target: string; untilIso: string }) =>
    make('bmc-locked', 'transient', {
      what: `No login to the BMC of ${a.target} may be tried before ${a.untilIso}.`,
      why: 'The wrong-password budget of this lock-out window is used up, or the BMC has locked the account.',
      next: 'Wait for the window to end; dpubot tries again by itself.',
    }),
  bmcLoginRefused: (a: { target: string; tried: readonly string[] }) =>
    make('bmc-login-refused', 'needs-human', {
      what: `The BMC of ${a.target} refused every password dpubot knows (${a.tried.join(', ')}).`,
      why: 'Somebody changed it outside dpubot, or the card was set up by hand.',
      next: `Import the right one with \`dpubot credentials import\`, or follow the runbook.`,
    }),
  redfishError: (
    a: { target: string; request: string; status: number; message: string; messageId?: string } & WithState,
  ) =>
    make('redfish-error', 'permanent', {
      what: `The BMC of ${a.target} answered ${a.request} with ${a.status}.`,
      why: a.messageId === undefined ? a.message : `${a.messageId}: ${a.message}`,
      next: 'Correct the cause the BMC names, then resume the run.',
      state: a.state ?? 'unchanged',
    }),
  redfishBusy: (a: { target: string; request: string; status: number }) =>
    make('redfish-busy', 'transient', {
      what: `The BMC of ${a.target} answered ${a.request} with ${a.status}.`,
      why: 'It is starting or overloaded.',
      next: 'Wait a few minutes, then resume the run.',
    }),
  redfishUnexpected: (a: { target: string; request: string; problem: string } & WithState) =>
    make('redfish-unexpected', 'permanent', {
      what: `The BMC of ${a.target} answered ${a.request} with something that is not the expected resource.`,
      why: a.problem,
      next: 'Report it with the firmware version of the BMC: dpubot does not guess.',
      state: a.state ?? 'unchanged',
    }),
  redfishTaskFailed: (a: { target: string; task: string; state: string; message: string; percent?: number }) =>
    make('redfish-task-failed', 'needs-human', {
      what: `Task ${a.task} of the BMC of ${a.target} ended in ${a.state}${a.percent === undefined ? '' : ` at ${a.percent} %`}.`,
      why: a.message,
      next: 'Do not power off the card; follow the runbook.',
      state: 'changed',
    }),
  redfishTaskLost: (a: { target: string; task: string }) =>
    make('redfish-task-lost', 'transient', {
      what: `The BMC of ${a.target} no longer knows task ${a.task}.`,
      why: 'Tasks are forgotten when the BMC restarts, so how it ended is unknown.',
      next: 'The run looks at the card before it goes on; resume it if it stopped.',
      state: 'unknown',
    }),

  // ------------------------------------------------------------------------------------------ cards
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
  nicMode: (a: { target: string }) =>
    make('nic-mode', 'permanent', {
      what: `${a.target} is in NIC mode.`,
      why: 'Its Arm cores do not run there, so Secure Boot cannot be changed and resets would wait forever.',
      next: `Put it into DPU mode (\`mlxconfig -d DEVICE s INTERNAL_CPU_OFFLOAD_ENGINE=0\` and a cold power cycle of the host), then run the command again.`,
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
