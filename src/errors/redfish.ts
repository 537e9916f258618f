import { limitText } from '../domain/limit-text.ts';
import { again, make, type Cause, type WithState } from './ops-error.ts';

/** The BMC of a card: reaching it, logging in, its replies and tasks. */
export const redfishErrors = {
  bmcNotBack: (a: { target: string; last: string; limit: string; run: number }) =>
    make('bmc-not-back', 'needs-human', {
      what: `The BMC of ${a.target} was told to restart and was not seen up again within ${a.limit}.`,
      why: `The last look: ${a.last}.`,
      next: `Look at it from another side (see the runbook); Arm and network of the card go on without it. ${again(a.run)}`,
      state: 'unknown',
    }),
  bmcNotAsked: (a: { target: string; why: string }) =>
    make('bmc-not-asked', 'permanent', {
      what: `The BMC of ${a.target} was not asked.`,
      why: a.why,
      next: `Who only looks sends no other password. \`/dpu provision ${a.target}\` sets the BMC up.`,
    }),
  bmcAddressAuto: (a: { target: string }) =>
    make('bmc-address-auto', 'permanent', {
      what: `The BMC address of ${a.target} is "auto", and it is not known yet.`,
      why: 'It is asked over the Arm of the card, once a login there exists; no run has done that for this card.',
      next: `Run \`/dpu provision ${a.target}\`, which finds it, or give the address in the inventory.`,
    }),
  bmcUnreachable: (a: { target: string; address: string } & Cause) =>
    make('bmc-unreachable', 'transient', {
      what: `The BMC of ${a.target} does not answer on ${a.address}.`,
      why: a.cause instanceof Error ? `The connection failed: ${a.cause.message}.` : 'The connection failed.',
      next: 'Check the management cable and the address, or wait if the BMC is restarting; then resume the run.',
      cause: a.cause,
    }),
  bmcTimeout: (a: { target: string; request: string; timeoutMs: number } & WithState) =>
    make('bmc-timeout', 'transient', {
      what: `The BMC of ${a.target} did not answer ${a.request} within ${limitText(a.timeoutMs)}.`,
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
  /** `note`: what else was found out about it. */
  bmcCertChanged: (a: { target: string; seen: string; pinned: string; note?: string }) =>
    make('bmc-cert-changed', 'needs-human', {
      what: `The BMC of ${a.target} shows another certificate than the pinned one.`,
      why: `Seen ${a.seen.slice(0, 16)}..., pinned ${a.pinned.slice(0, 16)}.... After a factory reset of the BMC this is normal; otherwise something else may answer there.${a.note === undefined ? '' : ` ${a.note}`} No password was sent.`,
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
} as const;
