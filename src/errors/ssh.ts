import { limitText } from '../domain/limit-text.ts';
import { make, type Cause, type WithState } from './ops-error.ts';

/** Sessions over SSH, the commands in them, and what they print. */
export const sshErrors = {
  sshUnreachable: (a: { host: string; address: string } & Cause) =>
    make('ssh-unreachable', 'transient', {
      what: `${a.host} does not answer SSH on ${a.address}.`,
      why: a.cause instanceof Error ? `The connection failed: ${a.cause.message}.` : 'The connection failed.',
      next: `Check power and network of ${a.host}, then try again.`,
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
      what: `${a.host} did not finish \`${a.command}\` within ${limitText(a.timeoutMs)}.`,
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
} as const;
