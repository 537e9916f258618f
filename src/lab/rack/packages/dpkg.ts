/** `dpkg`, `dpkg-query`, `apt-cache policy`. Source: dpkg 1.21, apt 2.4 output formats. */
import { complain, out } from '../shell/descriptors.ts';
import { simply } from '../shell/programs.ts';
import type { Frame, Program } from '../shell/types.ts';
import { parseOptions } from '../tools/options.ts';
import { dpkgConfigure } from './apt.ts';
import { gpg } from './gpg.ts';
import { packagesOf } from './of-machine.ts';
import { compareVersions } from './state.ts';
import type { PackageRecord } from './state.ts';
import { patternToRegExp } from '../files/paths.ts';

const statusTexts: Record<PackageRecord['status'], { abbreviation: string; text: string }> = {
  installed: { abbreviation: 'ii ', text: 'install ok installed' },
  'half-configured': { abbreviation: 'iF ', text: 'install ok half-configured' },
  unpacked: { abbreviation: 'iU ', text: 'install ok unpacked' },
  'config-files': { abbreviation: 'rc ', text: 'deinstall ok config-files' },
};

const listHead =
  'Desired=Unknown/Install/Remove/Purge/Hold\n' +
  '| Status=Not/Inst/Conf-files/Unpacked/halF-conf/Half-inst/trig-aWait/Trig-pend\n' +
  '|/ Err?=(none)/Waiting/Reinst-required (Status,Err: uppercase=bad)\n' +
  '||/ Name           Version                  Architecture Description\n' +
  '+++-==============-========================-============-=================================\n';

function matching(frame: Frame, patterns: string[]): { found: [string, PackageRecord][]; unknown: string[] } {
  const all = Object.entries(packagesOf(frame.machine).installed).sort(([left], [right]) => (left < right ? -1 : 1));
  if (patterns.length === 0) return { found: all, unknown: [] };
  const expressions = patterns.map((pattern) => patternToRegExp(pattern.replace(/:(amd64|arm64|all)$/, ''), true));
  const unknown = patterns.filter((_pattern, index) => !all.some(([name]) => expressions[index]?.test(name)));
  return { found: all.filter(([name]) => expressions.some((each) => each.test(name))), unknown };
}

function complainUnknown(frame: Frame, unknown: string[]): void {
  for (const name of unknown) complain(frame, `dpkg-query: no packages found matching ${name}\n`);
}

const dpkg: Program = function* program(frame, args) {
  const [action = '', ...names] = args.filter((word) => !word.startsWith('--force-'));
  if (action === '--configure') return yield* dpkgConfigure(frame);
  if (action === '--audit' || action === '-C') {
    const { found } = matching(frame, []);
    const broken = found.filter(([, { status }]) => status === 'half-configured' || status === 'unpacked');
    if (broken.length > 0)
      out(
        frame,
        `The following packages are only half configured, probably due to problems\nconfiguring them the first time.  The configuration should be retried using\ndpkg --configure <package> or the configure menu option in dselect:\n${broken.map(([name]) => ` ${name}\n`).join('')}`,
      );
    return 0;
  }
  if (action === '--print-architecture') {
    out(frame, frame.machine.kind === 'host' ? 'amd64\n' : 'arm64\n');
    return 0;
  }
  if (action === '--compare-versions') {
    const [left = '', relation = '', right = ''] = names;
    const order = compareVersions(left, right);
    const verdicts: Record<string, boolean> = {
      lt: order < 0,
      le: order <= 0,
      eq: order === 0,
      ne: order !== 0,
      ge: order >= 0,
      gt: order > 0,
    };
    return verdicts[relation] === true ? 0 : 1;
  }
  if (action === '-l' || action === '--list') {
    const { found, unknown } = matching(frame, names);
    complainUnknown(frame, unknown);
    const lines = found.map(
      ([name, { version, status }]) =>
        `${statusTexts[status].abbreviation} ${name.padEnd(14)} ${version.padEnd(24)} amd64        package ${name}\n`,
    );
    if (lines.length > 0) out(frame, listHead + lines.join(''));
    return unknown.length > 0 ? 1 : 0;
  }
  if (action === '-s' || action === '--status') {
    const [name = ''] = names;
    const record = packagesOf(frame.machine).installed[name];
    if (record === undefined) {
      complain(
        frame,
        `dpkg-query: package '${name}' is not installed and no information is available\nUse dpkg --info (= dpkg-deb --info) to examine archive files.\n`,
      );
      return 1;
    }
    out(
      frame,
      `Package: ${name}\nStatus: ${statusTexts[record.status].text}\nArchitecture: amd64\nVersion: ${record.version}\n`,
    );
    return 0;
  }
  complain(
    frame,
    `dpkg: error: unknown option ${action}\n\nType dpkg --help for help about installing and deinstalling packages [*];\n`,
  );
  return 2;
};

const dpkgQuery: Program = simply((frame, args) => {
  const options = parseOptions(frame, 'dpkg-query', args, { flags: 'W show=W', values: 'f showformat=f' });
  if (options === null) return 2;
  if (!options.flags.has('W')) {
    complain(frame, `dpkg-query: error: need an action option\n`);
    return 2;
  }
  const format = (options.values['f'] ?? '${Package}\\t${Version}\\n').replace(/^=/, '');
  const { found, unknown } = matching(frame, options.rest);
  for (const [name, { version, status }] of found) {
    const { abbreviation, text } = statusTexts[status];
    const fields: Record<string, string> = {
      Package: name,
      'binary:Package': name,
      Version: version,
      Status: text,
      'db:Status-Abbrev': abbreviation,
      'db:Status-Status': status,
      Architecture: 'amd64',
    };
    out(
      frame,
      format
        .replaceAll(/\$\{([\w:-]+)\}/g, (_whole, field: string) => fields[field] ?? '')
        .replaceAll('\\n', '\n')
        .replaceAll('\\t', '\t'),
    );
  }
  complainUnknown(frame, unknown);
  return unknown.length > 0 ? 1 : 0;
});

const aptCache: Program = simply((frame, args) => {
  const [verb = '', ...names] = args;
  const { installed, lists } = packagesOf(frame.machine);
  for (const name of names) {
    const offered = [...(lists[name] ?? [])].sort((left, right) => compareVersions(right.version, left.version));
    if (verb === 'policy' && (offered.length > 0 || installed[name] !== undefined)) {
      const table = offered.map(({ version, url }) => `     ${version} 500\n        500 ${url} ./ Packages\n`).join('');
      out(
        frame,
        `${name}:\n  Installed: ${installed[name]?.version ?? '(none)'}\n  Candidate: ${offered[0]?.version ?? installed[name]?.version ?? '(none)'}\n  Version table:\n${table}`,
      );
    } else if (verb === 'madison')
      out(frame, offered.map(({ version, url }) => ` ${name} | ${version} | ${url} ./ Packages\n`).join(''));
    else if (verb === 'show' && offered[0] !== undefined)
      out(frame, `Package: ${name}\nVersion: ${offered[0].version}\n\n`);
  }
  return 0;
});

/** Name -> program. */
export const packagePrograms: Record<string, Program> = { dpkg, 'dpkg-query': dpkgQuery, gpg, 'apt-cache': aptCache };
