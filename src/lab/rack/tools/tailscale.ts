/** `tailscale` and its daemon. Source: Tailscale 1.78 command line and `status --json` fields. */
import { FileError } from '../files/nodes.ts';
import { packagesOf } from '../packages/of-machine.ts';
import { complain, out } from '../shell/descriptors.ts';
import { simply } from '../shell/programs.ts';
import type { Frame, Program } from '../shell/types.ts';
import { at } from './file-tools.ts';

function version(frame: Frame): string {
  return packagesOf(frame.machine).installed['tailscale']?.version ?? '';
}

function status(frame: Frame, json: boolean): number {
  const own = frame.machine.host ?? frame.machine.card?.armOs;
  const state = own?.tailscale ?? null;
  const up = state?.up === true;
  if (json) {
    const self = {
      HostName: state?.hostname ?? frame.machine.hostName(),
      DNSName: up ? `${state.hostname}.tail1234.ts.net.` : '',
      TailscaleIPs: up ? [state.address] : null,
      Online: up,
    };
    out(
      frame,
      `${JSON.stringify({ Version: version(frame), BackendState: up ? 'Running' : 'NeedsLogin', AuthURL: '', TailscaleIPs: self.TailscaleIPs, Self: self }, null, 2)}\n`,
    );
    return 0;
  }
  out(frame, up ? `${state.address}  ${state.hostname}  tagged-devices linux -\n` : 'Logged out.\n');
  return up ? 0 : 1;
}

function up(frame: Frame, args: string[]): number {
  const value = (name: string): string | undefined => {
    const index = args.findIndex((arg) => arg === name || arg.startsWith(`${name}=`));
    const arg = args[index] ?? '';
    return index === -1 ? undefined : arg.includes('=') ? arg.slice(arg.indexOf('=') + 1) : args[index + 1];
  };
  if (!frame.root) {
    complain(
      frame,
      "Access denied: checkprefs access denied\n\nUse 'sudo tailscale up' or 'tailscale up --operator=$USER' to not require root.\n",
    );
    return 1;
  }
  let key = value('--auth-key') ?? value('--authkey') ?? '';
  if (key.startsWith('file:')) {
    try {
      key = frame.machine.files.read(at(frame, key.slice(5)), frame).trim();
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      complain(
        frame,
        `open ${key.slice(5)}: ${error.code === 'ENOENT' ? 'no such file or directory' : 'permission denied'}\n`,
      );
      return 1;
    }
  }
  const own = frame.machine.host ?? frame.machine.card?.armOs;
  if (own === undefined) return 1;
  if (own.tailscale?.up !== true && !/^tskey-auth-\w+/.test(key)) {
    complain(
      frame,
      key === ''
        ? '\nTo authenticate, visit:\n\n\thttps://login.tailscale.com/a/lab\n\n'
        : 'backend error: invalid key: API key does not exist\n',
    );
    return 1;
  }
  const hash = frame.machine.name.split('').reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) % 16_000, 7);
  own.tailscale = {
    up: true,
    hostname: value('--hostname') ?? frame.machine.hostName(),
    address: `100.64.${hash >> 8}.${hash & 255}`,
  };
  return 0;
}

/** Name -> program. */
export const tailscalePrograms: Record<string, Program> = {
  tailscale: simply((frame, args) => {
    const [verb = '', ...rest] = args;
    const own = frame.machine.host ?? frame.machine.card?.armOs;
    if (verb === 'version') out(frame, `${version(frame)}\n  tailscale commit: 0000000000\n  go version: go1.23.3\n`);
    else if (verb === 'status') return status(frame, rest.includes('--json'));
    else if (verb === 'ip') out(frame, own?.tailscale?.up === true ? `${own.tailscale.address}\n` : '');
    else if (verb === 'up' || verb === 'login') return up(frame, rest);
    else if (verb === 'down' || verb === 'logout') {
      if (own?.tailscale) own.tailscale.up = false;
    } else {
      complain(frame, `tailscale: unknown subcommand: ${verb}\n`);
      return 1;
    }
    return 0;
  }),
};
