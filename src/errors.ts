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
  hookFailed: (
    a: { host: string; hook: 'drain' | 'undrain'; exitCode: number; output: string; run: number } & WithState,
  ) =>
    make('hook-failed', 'permanent', {
      what: `The ${a.hook} hook of ${a.host} ended with ${a.exitCode}.`,
      why: a.output === '' ? 'It printed nothing.' : a.output,
      next:
        a.hook === 'drain'
          ? `Nothing disruptive was begun. Take the load off ${a.host} or correct the hook. ${again(a.run)}`
          : `The cards are done. Put the load back on ${a.host} by hand, or correct the hook. ${again(a.run)}`,
      state: a.state ?? 'unchanged',
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
  /** `card`: the server is the Arm of that card, whose key is learnt by dpubot and stands in no inventory. */
  sshHostKeyChanged: (a: { host: string; seen: string; run?: number; card?: string }) =>
    make('ssh-host-key-changed', 'needs-human', {
      what: `${a.host} shows an SSH host key that is not pinned (${a.seen}).`,
      why: 'Either it was reinstalled, or something else answers at its address. No login was tried.',
      next:
        a.card === undefined
          ? 'Treat it as a security event: compare the key on the console, then correct `hostKeys` in the inventory.'
          : `Treat it as a security event: compare the key on the console of the card. dpubot learns another one only when it has flashed the card itself: \`/dpu provision ${a.card} --reflash\`.`,
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
      what: `The BMC address of ${a.target} is "auto", and it is not known yet.`,
      why: 'It is asked over the Arm of the card, once a login there exists; no run has done that for this card.',
      next: `Run \`/dpu provision ${a.target}\`, which finds it, or give the address in the inventory.`,
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
      next: `Import the right one with \`dpubot credentials import-bmc SERIAL FILE\`, or follow the runbook.`,
    }),
  bmcSetUpByHand: (a: { target: string; serial: string }) =>
    make('card-set-up-by-hand', 'permanent', {
      what: `${a.target} was set up by somebody else: its BMC does not take the factory password.`,
      why: 'dpubot has never had another one for it, and does not guess.',
      next: `Import its password with \`dpubot credentials import-bmc ${a.serial} FILE\` and run the command again; \`--adopt\` then keeps what runs on the card, \`--reflash\` erases it.`,
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
      next: `Run the command again with \`--set-mode\`: it stores DPU mode (\`mlxconfig s INTERNAL_CPU_OFFLOAD_ENGINE=0\`) and switches the host off and on.`,
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

  // ------------------------------------------------------------------------------------------ DOCA and packages
  osUnsupported: (a: { host: string; seen: string; doca: string; supported: readonly string[] }) =>
    make('os-unsupported', 'permanent', {
      what: `DOCA ${a.doca} is not installed on ${a.host}: it runs ${a.seen}.`,
      why: `The profile supports ${a.supported.join('; ')}.`,
      next: `Boot a supported system on ${a.host}, or name a DOCA version and repository for this one in the profile (\`doca.supports\`). Nothing was changed.`,
    }),
  foreignOfed: (a: { host: string; packages: readonly string[] }) =>
    make('foreign-ofed', 'permanent', {
      what: `${a.host} has an MLNX_OFED that did not come with DOCA.`,
      why: `Installed: ${a.packages.slice(0, 6).join(', ')}${a.packages.length > 6 ? ` and ${a.packages.length - 6} more` : ''}. Both at once leave modules of two versions behind.`,
      next: `Remove it (\`sudo /usr/sbin/ofed_uninstall.sh --force\`), restart ${a.host}, and run the command again. Nothing was changed.`,
    }),
  hostDiskFull: (a: { host: string; why: string; next: string; run?: number } & WithState) =>
    make('host-disk-full', 'permanent', {
      what: `The disk of ${a.host} has too little room for packages.`,
      why: a.why,
      next: `${a.next} ${a.run === undefined ? '' : `${again(a.run)} `}${a.state === 'changed' ? 'Packages may be installed in part; they are finished when it runs again.' : 'Nothing was changed.'}`,
      state: a.state ?? 'unchanged',
    }),
  dpkgLocked: (a: { host: string; holder: string; limit?: string; run: number } & WithState) =>
    make('dpkg-locked', 'transient', {
      what: `Packages of ${a.host} are locked by another program${a.limit === undefined ? '' : ` for more than ${a.limit}`}.`,
      why: `The lock is held by ${a.holder}.`,
      next: `Let it finish, or end it where it was started (often unattended-upgrades). ${again(a.run)} This step did not install anything while it waited.`,
      state: a.state ?? 'unchanged',
    }),
  repoKeyMismatch: (a: { host: string; source: string; pinned: string; why: string } & WithState) =>
    make('repo-key-mismatch', 'permanent', {
      what: `The package repository ${a.source} is not signed by the key ${a.pinned} of the profile.`,
      why: a.why,
      next: `Compare the key with what the publisher says: they change it at times (NVIDIA did in January 2026). Then correct \`keyUrl\` and \`keyFingerprint\` in the profile. Nothing was installed from it on ${a.host}.`,
      state: a.state ?? 'unchanged',
    }),
  downloadFailed: (a: { host: string; from: string; why: string; run: number } & WithState) =>
    make('download-failed', 'transient', {
      what: `${a.host} could not fetch ${a.from}.`,
      why: a.why,
      next: `Check the way of ${a.host} to the internet, its DNS, and proxy or mirror in the profile. ${again(a.run)}`,
      state: a.state ?? 'unchanged',
    }),
  packageInstallFailed: (
    a: { host: string; what: string; why: string; next?: string; evidence?: string; run: number } & WithState,
  ) =>
    make('package-install-failed', 'permanent', {
      what: `${a.what} failed on ${a.host}.`,
      why: a.why,
      next: `${a.next ?? `Remove the cause that the log names, on ${a.host}.`} ${again(a.run)} Packages may be installed in part; the driver that was loaded still is.`,
      state: a.state ?? 'changed',
      evidence: a.evidence,
    }),
  driverNotLoaded: (
    a: { host: string; wanted: string; loaded: string; why: string; next: string; run: number } & {
      evidence?: string;
    },
  ) =>
    make('driver-not-loaded', 'permanent', {
      what: `The packages are installed on ${a.host}, but its loaded mlx5_core is ${a.loaded} instead of ${a.wanted}.`,
      why: a.why,
      next: `${a.next} ${again(a.run)}`,
      state: 'changed',
      evidence: a.evidence,
    }),
  rshimNotRunning: (a: { host: string; why: string; run: number; evidence?: string }) =>
    make('rshim-not-running', 'permanent', {
      what: `The rshim service of ${a.host} does not run.`,
      why: a.why,
      next: `Look at \`systemctl status rshim\` and \`journalctl -u rshim\` on ${a.host}. ${again(a.run)} DOCA is installed; without rshim its cards cannot be flashed.`,
      state: 'changed',
      evidence: a.evidence,
    }),
  tailscaleLoginFailed: (a: { target: string; credential: string; why: string; run: number }) =>
    make('tailscale-login-failed', 'permanent', {
      what: `${a.target} could not join the tailnet.`,
      why: a.why,
      next: `Check that the auth key "${a.credential}" is neither expired nor used up, and that ${a.target} reaches controlplane.tailscale.com; import a new key with \`dpubot credentials import ${a.credential} FILE\`. ${again(a.run)} Tailscale is installed there and not connected.`,
      state: 'changed',
    }),
  tailscaleNotApproved: (a: { target: string; run: number }) =>
    make('tailscale-not-approved', 'needs-human', {
      what: `${a.target} has logged in to the tailnet and waits for an approval.`,
      why: 'The tailnet lets devices in only after an administrator has approved them, and the auth key is not pre-approved.',
      next: `Approve ${a.target} in the Machines page of the Tailscale admin console. ${again(a.run)}`,
      state: 'changed',
    }),

  // ------------------------------------------------------------------------------------------ images and flash
  rshimNotFound: (a: { target: string; host: string; why: string }) =>
    make('rshim-not-found', 'permanent', {
      what: `${a.host} has no rshim device of ${a.target}.`,
      why: a.why,
      next: `Look at \`systemctl status rshim\` on ${a.host} and at \`/dev/rshim*\`; nothing was sent to the card.`,
    }),
  rshimOwnedByBmc: (a: { target: string; host: string; why: string; run: number }) =>
    make('rshim-owned-by-bmc', 'permanent', {
      what: `The BMC of ${a.target} owns its rshim and does not give it to ${a.host}.`,
      why: a.why,
      next: `Switch BMC rshim off (\`systemctl disable --now rshim\` on the BMC), restart the rshim service of ${a.host}, or reset the BMC. ${again(a.run)} The image was not pushed; the Arm runs as before.`,
      state: 'changed',
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
      why: a.cause instanceof Error ? a.cause.message : 'the connection failed',
      next: `The push goes on by itself on the host. When ${a.host} answers again, \`/dpu resume ${a.run}\` picks it up; nothing is pushed twice.`,
      state: 'unknown',
      cause: a.cause,
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

  // ------------------------------------------------------------------------------------------ Arm login and settings
  armUnpinned: (a: { target: string }) =>
    make('arm-unpinned', 'permanent', {
      what: `No SSH host key of the Arm of ${a.target} is known.`,
      why: 'It is learnt over the tmfifo link of the card by the step "Log in to the card", which has not run yet.',
      next: `Run \`/dpu provision ${a.target}\`; nothing was sent to the card.`,
    }),
  armUnreachable: (a: { target: string; host: string; device: string; limit: string; run: number }) =>
    make('arm-unreachable', 'transient', {
      what: `The Arm of ${a.target} did not answer SSH over ${a.device} of ${a.host} within ${a.limit}.`,
      why: "Its OS is not up, its SSH server does not run, or somebody gave the two ends of the link each other's address.",
      next: `Read the console of the card (\`sudo screen /dev/rshimN/console 115200\` on ${a.host}). ${again(a.run)}`,
      state: 'unknown',
    }),
  armOobSilent: (a: { target: string; address: string; limit: string; why: string; run: number }) =>
    make('arm-oob-silent', 'transient', {
      what: `The login on the Arm of ${a.target} is good over tmfifo, and not at its address ${a.address} within ${a.limit}.`,
      why: a.why,
      next: `Check the OOB cable and the DHCP lease, or take \`arm\` out of the inventory: then dpubot goes through the host. ${again(a.run)}`,
      state: 'changed',
    }),
  armLoginRefused: (a: { target: string; user: string; tried: readonly string[]; run: number }) =>
    make('arm-login-refused', 'needs-human', {
      what: `The Arm of ${a.target} refused the key and every password that dpubot may try for ${a.user} (${a.tried.length === 0 ? 'none known' : a.tried.join(', ')}).`,
      why: 'The card was set up by hand, and its password is not known to dpubot. No more than two wrong tries are made in ten minutes.',
      next: `Import the password with \`dpubot credentials import-arm SERIAL FILE\`, put dpubot's public key into authorized_keys, or flash the card anew with \`--reflash\` (see the runbook). ${again(a.run)}`,
    }),
  armWrongMachine: (a: { target: string; machine: string; via: string }) =>
    make('arm-wrong-machine', 'permanent', {
      what: `What answers as the Arm of ${a.target} (${a.via}) is a machine of type ${a.machine}, not aarch64.`,
      why: "The address belongs to something else, or the two ends of the tmfifo link have each other's address.",
      next: `Correct the address of \`arm\` of ${a.target} in the inventory, or the addresses of the link. Nothing was changed there.`,
    }),
  tmfifoMissing: (a: { target: string; host: string; link: string; device: string }) =>
    make('tmfifo-missing', 'permanent', {
      what: `${a.host} has no link ${a.link}, which leads to ${a.target}.`,
      why: `The rshim driver makes it together with /dev/${a.device}; something else holds or has removed it.`,
      next: `Restart the driver on ${a.host} (\`systemctl restart rshim\`) and look with \`ip link\` and \`ip netns\`, then resume the run.`,
    }),
  hostToolMissing: (a: { host: string; tool: string; need: string; package: string }) =>
    make('host-tool-missing', 'permanent', {
      what: `${a.host} has no ${a.tool}.`,
      why: `dpubot needs it ${a.need}.`,
      next: `Install the package "${a.package}" on ${a.host}, then resume the run.`,
    }),
  armAccountMissing: (a: { target: string }) =>
    make('arm-account-missing', 'permanent', {
      what: `The profile of ${a.target} names no login on its Arm.`,
      why: 'Without `arm` in the profile dpubot has neither user nor key for it.',
      next: 'Add `arm: { key: NAME }` to the profile in the inventory. Nothing was sent to the card.',
    }),
  armPasswordNotOffered: (a: { target: string; offered: readonly string[] }) =>
    make('arm-password-not-offered', 'permanent', {
      what: `The Arm of ${a.target} lets nobody in over SSH with a password.`,
      why: `Its SSH server offers ${a.offered.length === 0 ? 'no way of logging in' : a.offered.join(', ')} only.`,
      next: "Log in at the card's serial console, or put dpubot's public key into authorized_keys. No password was sent.",
    }),
  armPasswordRefused: (a: { target: string; user: string; reason: string }) =>
    make('arm-password-refused', 'permanent', {
      what: `The Arm of ${a.target} demands a new password for ${a.user} and refused the one that dpubot gave.`,
      why: a.reason === '' ? 'It gave no reason.' : a.reason,
      next: `Log in to ${a.target} by hand as ${a.user}, change the password, and put dpubot's public key into authorized_keys; then resume the run. The old password is still valid.`,
    }),
  armLoginUnclear: (a: { target: string; said: string }) =>
    make('arm-login-unclear', 'permanent', {
      what: `The Arm of ${a.target} answered a login in a way that dpubot does not know.`,
      why: a.said === '' ? 'It said nothing.' : `It said: ${a.said}`,
      next: `Log in to ${a.target} by hand once and see what it asks; then resume the run.`,
      state: 'unknown',
    }),
  consoleBusy: (a: { target: string; host: string; device: string; by: string }) =>
    make('console-busy', 'transient', {
      what: `The serial console of ${a.target} (${a.device} on ${a.host}) is in use.`,
      why: `${a.by} has it open; two readers would each get a part of what the card says.`,
      next: `End it on ${a.host} (\`sudo fuser -v ${a.device}\` shows it), then resume the run.`,
    }),
  consoleSilent: (a: { target: string; device: string; timeoutMs: number; said: string }) =>
    make('console-silent', 'transient', {
      what: `The serial console of ${a.target} (${a.device}) did not say what dpubot waited for within ${a.timeoutMs / 1000} s.`,
      why:
        a.said === ''
          ? 'It said nothing at all: the card is off, hangs, or its OS has no console there.'
          : `It said last: ${a.said}`,
      next: `Look at it with \`sudo screen ${a.device} 115200\` on the host; then resume the run.`,
      state: 'unknown',
    }),
  bmcLanNoAddress: (a: { target: string; run: number }) =>
    make('bmc-lan-no-address', 'permanent', {
      what: `The BMC of ${a.target} has no IP address.`,
      why: 'Asked over the Arm it says 0.0.0.0: no DHCP server has given it a lease.',
      next: `Check the management cable and the DHCP server (vendor class NVIDIA/BF/BMC), or give it a static address. ${again(a.run)}`,
    }),
  modulesRejected: (a: { target: string; module: string; secureBoot: string; run: number }) =>
    make('modules-rejected', 'permanent', {
      what: `The kernel of the Arm of ${a.target} rejects the driver (${a.module}).`,
      why: `Key was rejected by service: the modules are not signed with a key it trusts, and Secure Boot is ${a.secureBoot} in the running boot.`,
      next: `Switch Secure Boot off (a new \`/dpu provision ${a.target}\` does), or use a signed image. ${again(a.run)} The card has no network driver now.`,
      state: 'changed',
    }),
  driverRestartFailed: (a: { target: string; failed: string; complaint: string; run: number }) =>
    make('driver-restart-failed', 'permanent', {
      what: `The driver of the Arm of ${a.target} did not restart: ${a.failed}.`,
      why: a.complaint === '' ? 'openibd gave no reason.' : a.complaint,
      next: `Log in to the card, end what uses the driver, and look at \`dmesg\`. ${again(a.run)}`,
      state: 'changed',
    }),
  versionsDiffer: (a: { target: string; differences: readonly string[]; run: number }) =>
    make('versions-differ', 'needs-human', {
      what: `${a.target} does not run what its profile names.`,
      why: a.differences.join('; '),
      next: `Follow the runbook: flash the card anew with \`--reflash\`, or correct image and driver in the inventory. ${again(a.run)}`,
    }),
  ntpNoDaemon: (a: { target: string }) =>
    make('ntp-no-daemon', 'permanent', {
      what: `Nothing keeps the clock of the Arm of ${a.target}.`,
      why: 'None of systemd-timesyncd, ntpsec and chrony runs there.',
      next: 'Install or start one of them on the card, or take `ntp` out of the profile; then resume the run.',
    }),
  linkNotFound: (a: { target: string; link: string; where: string }) =>
    make('link-not-found', 'permanent', {
      what: `${a.target} has no ${a.link} on ${a.where}.`,
      why: 'The driver has not made it: it is not loaded there, or the card is not in DPU mode.',
      next: 'Look at `ip link` and `dmesg` there, then resume the run.',
    }),

  // ------------------------------------------------------------------------------------------ power, mode, use of a card
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
      what: `${a.host} was switched off and on, and did not answer SSH with a new boot within ${a.limit}.`,
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
