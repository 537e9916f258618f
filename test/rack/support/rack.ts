import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { repository, startChild, tail, waitForLine, type Child } from '../../../scripts/lib/children.mjs';
import { sshKeyPair } from '../../../scripts/lib/ssh-keys.mjs';
import { eventually } from '../../support/lab/eventually.ts';
import { machineNames, managementAddress, type MachineName } from './layout.ts';
import { type HostKey, writeMachineFiles } from './machine-files.ts';

const script = fileURLToPath(new URL('rack-init.sh', import.meta.url));
const upLimitMs = 20_000;
const commandLimitMs = 60_000;
const outputBytes = 16 * 1024 * 1024;
/** Management networks are 10.77.1.0/24 to 10.77.250.0/24. */
const networks = 250;

/** What a command in a machine came to. */
export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/**
 * Four machines in namespaces: two hosts, two cards between them, real programs everywhere. Every rack has a management
 * network of its own, so several may be up at once. It ends with the process that started it, however that ends.
 */
export class Rack {
  readonly folder: string;
  readonly subnet: string;
  /** The one link in the namespace of whoever runs the tests. */
  readonly link: string;
  readonly #child: Child;
  readonly #keys: ReadonlyMap<MachineName, HostKey>;

  private constructor(
    folder: string,
    network: Pick<Rack, 'subnet' | 'link'>,
    child: Child,
    keys: ReadonlyMap<MachineName, HostKey>,
  ) {
    this.folder = folder;
    this.subnet = network.subnet;
    this.link = network.link;
    this.#child = child;
    this.#keys = keys;
  }

  /** Brings a rack up and waits until every SSH server listens. */
  static async start(): Promise<Rack> {
    const keys = new Map(machineNames.map((name) => [name, sshKeyPair(name)]));
    for (let number = process.pid % networks, tries = 0; ; number = (number + 1) % networks, tries += 1) {
      const network = { subnet: `10.77.${number + 1}`, link: `dpubotrack${number + 1}` };
      if (isTaken(network.link) && tries < networks) continue;
      const folder = makeFolder(network.subnet, keys);
      const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' };
      const argv = ['setpriv', '--pdeathsig', 'KILL', 'bash', script, folder, network.subnet, network.link];
      const log = `${folder}.log`;
      const child = startChild(`rack ${network.subnet}`, argv, { log, env, graceMs: 3_000, cwd: repository });
      try {
        await waitForLine(child, /^rack: ready$/, upLimitMs);
        return new Rack(folder, network, child, keys);
      } catch (error) {
        const said = tail(log, 20);
        rmSync(log);
        // Somebody else's rack took the same name in between.
        if (said.includes('File exists') && tries < networks) continue;
        throw new Error(`the rack did not come up\n${said}`, { cause: error });
      }
    }
  }

  /** Takes everything down and waits until it is gone. */
  async stop(): Promise<void> {
    if (this.#child.running()) process.kill(this.#child.pid, 'SIGTERM');
    await this.#child.exited;
    // The kernel takes the link away with the last namespace, in its own time.
    const isGone = (): true | undefined => (existsSync(`/sys/class/net/${this.link}`) ? undefined : true);
    await eventually('the end of the link of a rack', isGone, 10_000);
  }

  /** Process id of the first process of a machine, as seen from here. */
  pid(name: MachineName): number {
    return Number(readFileSync(join(this.folder, 'machines', name, 'pid'), 'utf8'));
  }

  address(name: MachineName): string {
    return managementAddress(this.subnet, name);
  }

  /** Fingerprint of a machine's SSH host key, as `ssh-keygen -lf` prints it. */
  hostKey(name: MachineName): string {
    const key = this.#keys.get(name)?.public.split(' ')[1] ?? '';
    return `SHA256:${createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64').replace(/=+$/, '')}`;
  }

  /** Words that run a command in a machine as its root, for whoever starts processes. */
  argv(name: MachineName, command: readonly string[]): readonly string[] {
    const path = 'PATH=/opt/rack/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    const env = ['env', '-i', path, 'HOME=/root', 'TERM=dumb', 'LC_ALL=C.UTF-8'];
    return ['nsenter', '-t', String(this.pid(name)), '-m', '-u', '-i', '-n', '-p', '--', ...env, ...command];
  }

  /** Runs a command in a machine as its root, behind dpubot's back. A non-zero exit is a result. */
  async run(name: MachineName, command: readonly string[], input = ''): Promise<Ran> {
    const [file = '', ...args] = this.argv(name, command);
    return new Promise((resolve, reject) => {
      const options = { timeout: commandLimitMs, maxBuffer: outputBytes };
      const child = execFile(file, args, options, (error, stdout, stderr) => {
        if (error === null) resolve({ stdout, stderr, exitCode: 0 });
        else if (typeof error.code === 'number') resolve({ stdout, stderr, exitCode: error.code });
        else reject(new Error(`${name}: ${command.join(' ')}: ${error.message}\n${stdout}${stderr}`));
      });
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(input);
    });
  }

  /** As `run`, and a non-zero exit is a failure. Returns what was printed. */
  async ok(name: MachineName, command: readonly string[], input = ''): Promise<string> {
    const { stdout, stderr, exitCode } = await this.run(name, command, input);
    if (exitCode !== 0) throw new Error(`${name}: ${command.join(' ')} ended with ${exitCode}\n${stdout}${stderr}`);
    return stdout;
  }

  /** A small script, in the shell. */
  async sh(name: MachineName, text: string): Promise<string> {
    return this.ok(name, ['sh', '-eu'], text);
  }

  /** Lets a public key log in on every machine. */
  async authorize(publicKey: string): Promise<void> {
    for (const name of machineNames) await this.ok(name, ['tee', '/etc/ssh/rack/authorized_keys'], `${publicKey}\n`);
  }
}

function isTaken(link: string): boolean {
  return existsSync(`/sys/class/net/${link}`);
}

function makeFolder(subnet: string, keys: ReadonlyMap<MachineName, HostKey>): string {
  const folder = mkdtempSync(join(tmpdir(), 'dpubot-rack-'));
  // The machines' users have to get through.
  chmodSync(folder, 0o755);
  for (const [name, key] of keys) {
    const at = join(folder, 'machines', name);
    mkdirSync(at, { recursive: true });
    writeFileSync(join(at, 'root-device'), rootDevice());
    writeMachineFiles(join(at, 'files'), name, subnet, key);
  }
  return folder;
}

/** The disk below the root, or the first disk there is: dpubot asks on which disk a host lives. */
function rootDevice(): string {
  const { stdout } = spawnSync('sh', [
    '-c',
    "s=$(findmnt -n -o SOURCE / | sed 's/\\[.*//'); case $s in /dev/*) echo $s ;; *) echo /dev/$(ls /sys/block | head -n 1) ;; esac",
  ]);
  return stdout.toString().trim();
}
