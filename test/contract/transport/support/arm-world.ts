import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CardRef } from '../../../../src/domain/device-ports.ts';
import { Profile, type SshEndpoint } from '../../../../src/domain/inventory.ts';
import { sliceFor } from './slices.ts';

export const namespace = 'dpubot-host-01-dpu0';

/** A host with one card; `arm` is its address in the inventory. */
export function armCard(parts: {
  readonly host?: SshEndpoint;
  readonly arm?: { readonly address?: string; readonly port: number; readonly via?: 'direct' | 'host' };
  readonly user?: string;
  readonly account?: false;
  readonly simulated?: boolean;
}): CardRef {
  const { host, arm, user = 'ubuntu', simulated } = parts;
  const slice = sliceFor({ ...(host && { ssh: host }), ...(simulated !== undefined && { simulated }) });
  const [entry] = slice.entry.dpus;
  if (entry === undefined) throw new Error('the slice has no card');
  const dpu = { ...entry, ...(arm && { arm: { address: '127.0.0.1', via: 'direct' as const, ...arm } }) };
  const profile = Profile.parse(parts.account === false ? {} : { arm: { user, key: 'arm-key' } });
  return { slice: { ...slice, profiles: { [dpu.name]: profile } }, dpu };
}

/** Is a program installed here? */
export function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

/** Programs of a host that the real ones are too dangerous, or not there, for. */
export interface HostPrograms {
  readonly folder: string;
  /** Where the tmfifo link leads, from now on. */
  leadTo(port: number): void;
  /** Path of what is behind /dev/rshim0/console: a unix socket, or a terminal. */
  consoleAt(address: string): void;
  /** What fuser finds, at one call after the other; the last one stays. */
  readers(...pids: readonly string[]): void;
  /** fuser ends with 1 and these words. */
  fuserFails(says: string): void;
  sudoRefuses(says: string): void;
  remove(): void;
}

/** sudo without root, ip(8) with the one namespace, socat to a port of loopback (a relay of Node stands for it where it is not installed). */
export function createHostPrograms(): HostPrograms {
  const folder = mkdtempSync(join(tmpdir(), 'dpubot-arm-'));
  const put = (name: string, text: string): void => {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), 0o755);
  };
  const relay = isInstalled('socat') ? 'socat' : `${process.execPath} ${join(folder, 'relay.mjs')}`;
  put('sudo', `#!/bin/sh\n[ "$1" = -n ] || exit 97\nshift\nexec "$@"\n`);
  put(
    'ip',
    `#!/bin/sh
[ "$1 $2" = 'netns exec' ] || exit 96
[ "$3" = ${namespace} ] || { echo "Cannot open network namespace \\"$3\\": No such file or directory" >&2; exit 1; }
shift 3
exec "$@"
`,
  );
  put('fuser', '#!/bin/sh\nexit 1\n');
  put('relay.mjs', relaySource);
  const socat = (rules: string): void =>
    put(
      'socat',
      `#!/bin/sh
far=$(printf '%s' "$2" | sed -e "${rules}")
PATH=$(printf '%s' "$PATH" | sed 's#^${folder}:##')
exec ${relay} "$1" "$far"
`,
    );
  const rules = { port: '', console: '' };
  const renew = (): void => socat([rules.port, rules.console].filter((rule) => rule !== '').join(';'));
  return {
    folder,
    leadTo(port) {
      rules.port = `s#TCP:192.168.100.2:22#TCP:127.0.0.1:${port}#`;
      renew();
    },
    consoleAt(address) {
      rules.console = `s#^/dev/rshim0/console,raw,echo=0\\$#${address}#`;
      renew();
    },
    readers(...pids) {
      const lines = pids.map((line) => `${line}\n`).join('');
      writeFileSync(join(folder, 'readers'), lines);
      put(
        'fuser',
        `#!/bin/sh
pids=$(head -n 1 ${folder}/readers)
[ $(wc -l <${folder}/readers) = 1 ] || sed -i 1d ${folder}/readers
[ -n "$pids" ] || exit 1
echo "$1:" >&2
printf ' %s' "$pids"
`,
      );
    },
    fuserFails: (says) => put('fuser', `#!/bin/sh\necho '${says}' >&2\nexit 1\n`),
    sudoRefuses: (says) => put('sudo', `#!/bin/sh\necho '${says}' >&2\nexit 1\n`),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** What socat does with `-` and TCP or UNIX-CONNECT, and how it says that it cannot connect. */
const relaySource = `
import { connect } from 'node:net';
const [, , , far] = process.argv;
const [, kind, rest] = /^([A-Z-]+):(.*)$/.exec(far) ?? [];
const where = rest.split(',')[0];
const socket = kind === 'TCP' ? connect(Number(where.split(':')[1]), where.split(':')[0]) : connect(where);
socket.on('error', (error) => {
  const reason = error.code === 'ECONNREFUSED' ? 'Connection refused' : error.message;
  const name = kind === 'TCP' ? 'TCP' : 'connect';
  console.error('2026/11/22 21:00:00 socat[4711] E ' + name + ': connecting to AF=2 ' + where + ': ' + reason);
  process.exit(1);
});
process.stdin.pipe(socket).pipe(process.stdout);
socket.on('close', () => process.exit(0));
process.stdout.on('error', () => process.exit(1));
`;
