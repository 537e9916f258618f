/**
 * `node scripts/complete-lock.mjs`, after a change of dependencies: adds the builds for other platforms that npm left out
 * of package-lock.json because the registry at hand does not have them. Without these entries `npm ci` refuses the lock
 * file, here and everywhere else. They carry no checksum; npm adds it where such a build is installed.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './lib/children.mjs';
import { say } from './lib/print.mjs';

/**
 * @typedef {{ version?: string, dev?: boolean, license?: string, optionalDependencies?: Record<string, string> }} Entry
 */

const file = join(repository, 'package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8'));
/** @type {Record<string, Entry & Record<string, unknown>>} */
const packages = lock.packages;

const systems = ['android', 'darwin', 'freebsd', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'aix', 'win32', 'linux'];
const processors = ['arm64', 'ia32', 'x64', 'ppc64', 'riscv64', 's390x', 'loong64', 'mips64el', 'wasm32', 'arm'];

let added = 0;
for (const [path, entry] of Object.entries(packages))
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {}))
    if (!isLocked(path, name)) {
      packages[`node_modules/${name}`] = platformEntry(name, version, entry);
      added += 1;
    }
const sorted = Object.entries(packages).toSorted(([a], [b]) => (a < b ? -1 : 1));
writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, undefined, 2)}\n`);
say(`Added ${added} builds for other platforms to package-lock.json.`);

/**
 * Is the package found from `path` the way Node looks for it?
 *
 * @param {string} path
 * @param {string} name
 */
function isLocked(path, name) {
  for (let from = path; ; from = from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/')))) {
    if (`${from === '' ? '' : `${from}/`}node_modules/${name}` in packages) return true;
    if (from === '') return false;
  }
}

/**
 * The platform is read from the package's name, as its authors put it there: `binding-linux-arm64-musl`.
 *
 * @param {string} name
 * @param {string} version
 * @param {Entry} parent
 */
function platformEntry(name, version, parent) {
  const label = name.split('/').pop() ?? name;
  const os = systems.find((one) => label.includes(one));
  const cpu = processors.find((one) => label.includes(one));
  if (os === undefined || cpu === undefined || !/^\d/.test(version))
    throw new Error(`${name} ${version} is optional and missing, and its name tells no platform`);
  const libc = label.includes('musl') ? 'musl' : 'glibc';
  return {
    version,
    cpu: [cpu],
    ...(parent.dev === true && { dev: true }),
    ...(os === 'linux' && /musl|gnu/.test(label) && { libc: [libc] }),
    license: parent.license ?? 'MIT',
    optional: true,
    os: [os],
  };
}
