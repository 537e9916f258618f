/**
 * Reads a bf.cfg as the installer does: it is a piece of shell, sourced, with hooks that change the new system in /mnt.
 *
 * Source: bfb-build install.sh (syntax check with `bash -n`, order of hooks).
 */
import { Files } from '../files/files.ts';
import { runShell } from '../shell/interpret.ts';
import { nothing, sink } from '../shell/descriptors.ts';
import { isProgramPath } from '../shell/programs.ts';
import type { Machine } from '../shell/types.ts';
import type { CardState, Rack } from '../state.ts';

const names = [
  'ubuntu_PASSWORD',
  'UPDATE_DPU_OS',
  'UPDATE_ATF_UEFI',
  'WITH_NIC_FW_UPDATE',
  'NIC_FW_RESET',
  'BMC_USER',
  'BMC_PASSWORD',
  'NEW_BMC_PASSWORD',
  'UPDATE_BMC_FW',
  'UPDATE_CEC_FW',
  'BMC_REBOOT',
  'CEC_REBOOT',
  'device',
];

const body = `
. /bf.cfg
for hook in bfb_pre_install bfb_modify_os bfb_post_install; do
  if command -v $hook >/dev/null 2>&1; then $hook; fi
done
`;

const show = `${names.map((name) => `[ -z "\${${name}+x}" ] || printf '%s=%s\\n' ${name} "$${name}"`).join('\n')}\n`;

/** Source the configuration and run its hooks over the new system; gives the settings that were made. */
export function runInstallerHooks(rack: Rack, card: CardState, config: string): Record<string, string> {
  const target = rack.machines.get(card.name);
  if (target === undefined || config === '') return {};
  const stored = Object.fromEntries(
    Object.entries(card.armOs.files).filter(([path]) => /^\/(tmp|run|etc|root|dev\/shm)?$/.test(path)),
  );
  stored['/bf.cfg'] = {
    kind: 'file',
    text: config,
    mode: 0o600,
    owner: 'root',
    group: 'root',
    modifiedAtMs: rack.nowMs(),
  };
  const machine: Machine = { ...target, name: `${card.name} installer`, files: target.files };
  machine.files = new Files({
    stored: () => stored,
    live: () => new Map(),
    nowMs: rack.nowMs,
    freeBytes: () => Number.MAX_SAFE_INTEGER,
    hasProgram: (path) => isProgramPath(machine, path),
    mounts: { '/mnt': target.files },
  });
  rack.machines.set(machine.name, machine);
  let output = '';
  const process = rack.scheduler.start({ machine, argv: ['install.sh'], user: 'root', descriptors: () => [] }, (self) =>
    runShell(
      {
        rack,
        machine,
        process: self,
        user: 'root',
        root: true,
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
        directory: '/',
        network: '',
        umask: 0o022,
        descriptors: new Map([
          [0, nothing],
          [1, sink((text) => (output += text))],
          [2, nothing],
        ]),
      },
      `${body}echo '--settings--'\n${show}`,
    ),
  );
  rack.scheduler.rush(machine);
  rack.scheduler.kill(process, 'KILL');
  rack.machines.delete(machine.name);
  const [, settings = ''] = output.split('--settings--\n');
  return Object.fromEntries(
    settings
      .split('\n')
      .filter((line) => line.includes('='))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}
