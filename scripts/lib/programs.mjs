/** Programs that npm cannot bring: found on the PATH, else installed with the system's package manager without a question. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Problem, say, seconds } from './print.mjs';

/**
 * @typedef {object} Program
 * @property {string} title  What a person calls it.
 * @property {readonly string[]} commands  Any of these will do, the first found is taken.
 * @property {Readonly<Record<string, readonly string[]>>} packages  Per package manager, tried in order.
 * @property {string} [otherwise]  Said besides the exact command when it cannot be installed here.
 */

/**
 * Absolute path of a command, or undefined. Node's own folder is looked at too: npm puts it first on the PATH.
 *
 * @param {string} command
 * @returns {string | undefined}
 */
function findCommand(command) {
  // Debian keeps servers in sbin folders, which are not on the PATH of an ordinary user.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return folders
    .filter((folder) => folder.startsWith('/'))
    .map((folder) => join(folder, command))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/**
 * `needsRoot` managers are run as root or through `sudo -n`; brew refuses root.
 *
 * apt starts a server it has installed. A policy-rc.d file forbids that while we install (an existing one is somebody
 * else's decision and is left alone), and a service that runs afterwards though it did not before is stopped.
 */
const managers = [
  { command: 'apt-get', needsRoot: true, install: aptScript },
  { command: 'dnf', needsRoot: true, install: (/** @type {string} */ name) => `dnf install -y -q ${name}` },
  { command: 'apk', needsRoot: true, install: (/** @type {string} */ name) => `apk add --no-cache -q ${name}` },
  {
    command: 'pacman',
    needsRoot: true,
    install: (/** @type {string} */ name) => `pacman -S --noconfirm --needed ${name}`,
  },
  { command: 'zypper', needsRoot: true, install: (/** @type {string} */ name) => `zypper -n -q install ${name}` },
  { command: 'brew', needsRoot: false, install: (/** @type {string} */ name) => `brew install -q ${name}` },
];

/** @param {string} name */
function aptScript(name) {
  const apt = 'apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0';
  return `
set -e
export DEBIAN_FRONTEND=noninteractive
if [ ! -e /usr/sbin/policy-rc.d ]; then
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  trap 'exit 1' HUP INT TERM
  printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
fi
running() { service ${name} status >/dev/null 2>&1; }
was=no; if running; then was=yes; fi
${apt} install --no-install-recommends ${name} >/dev/null 2>&1 ||
  { ${apt} update >/dev/null; ${apt} install --no-install-recommends ${name} >/dev/null; }
if [ "$was" = no ] && running; then service ${name} stop >/dev/null 2>&1; fi
`;
}

/**
 * Path of a program; installs it when it is missing and that needs no question. Says in a line what it does.
 *
 * @param {Program} program
 * @returns {string}
 */
export function ensureProgram(program) {
  const present = firstOf(program.commands);
  if (present !== undefined) return present;

  const manager = managers.find((candidate) => findCommand(candidate.command) && candidate.command in program.packages);
  if (manager === undefined) throw new Problem(instruction(program, undefined));
  const asRoot = process.getuid?.() === 0;
  const sudo = findCommand('sudo');
  const silentSudo = sudo !== undefined && spawnSync(sudo, ['-n', 'true'], { stdio: 'ignore' }).status === 0;
  if (manager.needsRoot && !asRoot && !silentSudo) throw new Problem(instruction(program, manager.command));

  for (const name of program.packages[manager.command] ?? []) {
    const started = performance.now();
    say(`Installing ${program.title} (${manager.command}: ${name}) ...`);
    const script = ['sh', '-c', manager.install(name)];
    const argv = manager.needsRoot && !asRoot ? ['sudo', '-n', ...script] : script;
    const result = spawnSync(argv[0] ?? 'sh', argv.slice(1), { stdio: ['ignore', 'ignore', 'inherit'] });
    const installed = firstOf(program.commands);
    if (result.status === 0 && installed !== undefined) {
      say(`Installed ${name} in ${seconds(started)}.`);
      return installed;
    }
  }
  throw new Problem(instruction(program, manager.command));
}

/** @param {readonly string[]} commands */
function firstOf(commands) {
  return commands.map(findCommand).find((file) => file !== undefined);
}

/**
 * One exact instruction.
 *
 * @param {Program} program
 * @param {string | undefined} manager
 */
function instruction(program, manager) {
  const name = manager === undefined ? undefined : program.packages[manager]?.[0];
  const how =
    name === undefined
      ? `Put ${program.commands.join(' or ')} on the PATH`
      : `Run \`${manager === 'brew' ? '' : 'sudo '}${manager} ${installVerb(manager ?? '')} ${name}\``;
  const other = program.otherwise === undefined ? '' : `, or ${program.otherwise}`;
  return `${program.title} is missing and could not be installed without a question. ${how}${other}, then try again.`;
}

/** @param {string} manager */
function installVerb(manager) {
  if (manager === 'apk') return 'add';
  return manager === 'pacman' ? '-S' : 'install';
}
