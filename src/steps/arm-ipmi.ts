import type { HostSession } from '../domain/device-ports.ts';
import { Secret } from '../domain/secret.ts';
import type { ApplyContext } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { BmcLan } from '../facts/bmc-lan.ts';
import { readBmcLan } from '../facts/bmc-lan.ts';
import { runOk, writeRootFile } from './remote.ts';

const modulesFile = '/etc/modules-load.d/dpubot-ipmi.conf';
const ipmitool = ['ipmitool', '-I', 'open'];
/** `root` of the BMC. */
const rootUser = '1';

/**
 * Loads the driver of /dev/ipmi0 on the Arm, also at each boot, and asks the BMC for its network. Never ipmi_si, which hangs
 * there: the IPMI device of the Arm is ipmb_host. Errors: command-failed, sudo-refused, output-unreadable.
 */
export async function loadIpmi(context: ApplyContext, arm: HostSession): Promise<BmcLan> {
  const { signal } = context;
  const lan = await context.act({ name: 'load-ipmi', text: 'load ipmi_devintf on the Arm' }, async () => {
    const words = ['sudo', '-n', 'modprobe', '-a', 'ipmi_msghandler', 'ipmi_devintf'];
    await runOk(arm, words, { timeoutMs: 30_000, signal });
    const content = 'ipmi_msghandler\nipmi_devintf\n';
    await writeRootFile(arm, { path: modulesFile, mode: '644', content }, { signal });
    return { evidence: 'ipmi_devintf loaded', value: await readBmcLan(arm, signal) };
  });
  if (lan.state !== 'no-driver') return lan;
  throw errors.commandFailed({
    host: arm.name,
    command: 'ipmitool -I open lan print 1',
    exitCode: 1,
    output: 'There is no /dev/ipmi0, also with ipmi_devintf loaded.',
    state: 'changed',
  });
}

/** Makes sure that ipmitool on the Arm reaches the BMC of its card. */
export async function readyIpmi(context: ApplyContext, arm: HostSession): Promise<void> {
  const { state } = await readBmcLan(arm, context.signal);
  if (state === 'no-driver') await loadIpmi(context, arm);
}

/**
 * Gives root of the BMC a password, over the Arm of its card. Without a password among its words ipmitool asks for it twice
 * with getpass(3), which opens the terminal and, where there is none, reads a line of stdin each time. setsid takes away the
 * terminal that a sudo with `use_pty` gives its command: nobody would type there. Returns what ipmitool said.
 * Source: ipmitool lib/ipmi_user.c (ipmi_user_password, ask_password); getpass(3); setsid(1).
 */
export async function setPasswordOverIpmi(context: ApplyContext, arm: HostSession, password: Secret): Promise<string> {
  const argv = ['sudo', '-n', 'setsid', '-w', ...ipmitool, 'user', 'set', 'password', rootUser];
  const line = `${password.reveal()}\n`;
  const options = { timeoutMs: 60_000, signal: context.signal, stdin: new Secret(line + line) };
  const { stdout } = await runOk(arm, argv, options);
  return stdout.trim().slice(0, 200);
}

/**
 * Has the BMC forget all its settings, and restarts it: they are forgotten as it starts.
 * Source: NVIDIA BlueField BMC docs (raw 0x32 0x66); ipmitool(1).
 */
export async function resetToFactoryOverIpmi(context: ApplyContext, arm: HostSession): Promise<string> {
  const options = { timeoutMs: 60_000, signal: context.signal };
  await runOk(arm, ['sudo', '-n', ...ipmitool, 'raw', '0x32', '0x66'], options);
  // Firmware that restarts by itself after that does not answer any more: how the BMC comes back decides.
  const { stdout, stderr } = await arm.run(['sudo', '-n', ...ipmitool, 'mc', 'reset', 'cold'], options);
  return `raw 0x32 0x66, then: ${`${stdout} ${stderr}`.trim().slice(0, 200)}`;
}
