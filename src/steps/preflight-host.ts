import { z } from 'zod';
import { defineStep } from '../domain/step.ts';
import { readHostSystem } from '../facts/host-system.ts';

/**
 * Prove that the host can be reached and that the SSH user may use sudo without a question.
 *
 * Why      Every later step leans on it; a missing sudoers entry is better known before anything is changed.
 * Reads    sudo -n true, uname, /etc/os-release.     Changes  nothing.
 * Errors   ssh-unreachable, ssh-auth-failed, ssh-host-key-changed, sudo-refused.
 * Source   sudo(8) -n; os-release(5).
 */
export const preflightHost = defineStep({
  name: 'preflight-host',
  title: 'Reach the host',
  scope: 'host',
  risk: 'read',
  params: z.strictObject({}),
  timeoutMs: 60_000,
  needs: [],
  provides: ['host-ssh'],
  wanted: () => 'ssh and sudo',
  observe: (context) => readHostSystem(context.host, context.signal),
  diff: (host) => ({
    kind: 'satisfied',
    reason: `${host.os}, kernel ${host.kernel} (${host.machine}), sudo without a password`,
  }),
});
