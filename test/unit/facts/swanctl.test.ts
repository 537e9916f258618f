import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CommandResult, HostReader } from '../../../src/domain/device-ports.ts';
import { OpsError } from '../../../src/errors.ts';
import { parseForwarding } from '../../../src/facts/ipsec-forwarding.ts';
import { isFullOffload, parseSteeringFile, readIpsecMode, withFullOffload } from '../../../src/facts/ipsec-mode.ts';
import { filedConnections, readFiledConnections } from '../../../src/facts/swanctl-files.ts';
import { readStrongswanLog } from '../../../src/facts/swanctl-log.ts';
import { parseConnections, parseSas, readStrongswan, readStrongswanUnit } from '../../../src/facts/swanctl.ts';
import { fixture } from '../../support/fixture.ts';
import { codeOf } from '../../support/code-of.ts';

const { signal } = new AbortController();

/** A machine that answers by what is in the line of the command. */
function machine(answers: Readonly<Record<string, Partial<CommandResult>>>): HostReader {
  return {
    name: 'as7-dpu0',
    read: async ({ argv }) => {
      const line = argv.join(' ');
      const [, answer] = Object.entries(answers).find(([part]) => line.includes(part)) ?? [];
      const none = { stdout: '', stderr: `no answer to ${line}`, exitCode: 99, truncated: false, durationMs: 1 };
      return Promise.resolve(answer === undefined ? none : { ...none, stderr: '', exitCode: 0, ...answer });
    },
  };
}

async function rejection(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no error',
    (error: unknown) => (error instanceof OpsError ? error.code : String(error)),
  );
}

describe('associations of strongSwan', () => {
  it('are read with the state of their connection, and packets both ways', () => {
    expect(parseSas('a', fixture('swanctl/list-sas-installed.txt'))).toEqual([
      {
        name: 'wire',
        state: 'ESTABLISHED',
        children: [{ name: 'net', state: 'INSTALLED', mode: 'TUNNEL', packetsIn: 3, packetsOut: 3 }],
      },
    ]);
  });

  it('after a rekey are the new one and the one that goes', () => {
    const [wire] = parseSas('a', fixture('swanctl/list-sas-after-rekey.txt'));

    expect(wire?.children.map(({ name, state }) => [name, state])).toEqual([
      ['net', 'DELETED'],
      ['net', 'INSTALLED'],
    ]);
  });

  it('of a dead peer say INSTALLED, with packets out and none in', () => {
    const [wire] = parseSas('a', fixture('swanctl/list-sas-dead-peer.txt'));

    expect(wire?.children.at(-1)).toMatchObject({ state: 'INSTALLED', packetsIn: 0, packetsOut: 8 });
  });

  it.each([
    ['list-sas-none', []],
    ['list-sas-no-child', [['ESTABLISHED', 0]]],
    ['list-sas-connecting', [['CONNECTING', 0]]],
    ['list-sas-two-children', [['ESTABLISHED', 2]]],
  ])('are told apart where something is missing: %s', (name, expected) => {
    const sas = parseSas('a', fixture(`swanctl/${name}.txt`));

    expect(sas.map(({ state, children }) => [state, children.length])).toEqual(expected);
  });

  it('of an identity with blanks and equals signs are read all the same', () => {
    const text =
      'list-sa event {c {uniqueid=1 state=ESTABLISHED local-id=C=DE, O=Lab state of, CN=a child-sas {n-1 {name=n state=INSTALLED mode=TRANSPORT local-ts=[10.0.0.1/32[udp]]}}}}\nlist-sas reply {}\n';

    expect(parseSas('a', text)[0]).toMatchObject({
      state: 'ESTABLISHED',
      children: [{ name: 'n', mode: 'TRANSPORT' }],
    });
  });

  it('are never taken for none or for fewer where the output was cut, is empty, or is the one for people', () => {
    const whole = fixture('swanctl/list-sas-two-children.txt').trimEnd();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length - 1 }), (length) => {
        expect(codeOf(() => parseSas('a', whole.slice(0, length)))).toBe('output-unreadable');
      }),
    );
    for (const braces of ['c {state=A child-sas {}', 'c {state=A child-sas {}}}', 'c {state=A'])
      expect(codeOf(() => parseSas('a', `list-sa event {${braces}}\nlist-sas reply {}`))).toBe('output-unreadable');
    expect(codeOf(() => parseSas('a', ''))).toBe('output-unreadable');
    expect(codeOf(() => parseSas('a', fixture('swanctl/list-sas-text.txt')))).toBe('output-unreadable');
    expect(codeOf(() => parseSas('a', fixture('swanctl/list-conns.txt')))).toBe('output-unreadable');
    expect(codeOf(() => parseSas('a', 'list-sa event {c {child-sas {}}}\nlist-sas reply {}'))).toBe(
      'output-unreadable',
    );
  });

  it('are read or refused, and nothing else, whatever is printed', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('{', '}', ' ', '=', 'a', '\n', '[', ']') }), (noise) => {
        const text = `list-sa event {${noise}}\nlist-sas reply {}`;
        expect(['no error', 'output-unreadable']).toContain(codeOf(() => parseSas('a', text)));
      }),
    );
  });
});

describe('connections of strongSwan', () => {
  it('are known by their names', () => {
    expect(parseConnections('a', fixture('swanctl/list-conns.txt'))).toEqual(['wire']);
    expect(parseConnections('a', 'list-conns reply {}\n')).toEqual([]);
  });

  it('are none where its daemon does not run, in whichever way', async () => {
    const silent = { stderr: fixture('swanctl/no-daemon.txt'), exitCode: 111 };
    const noSocket = { stderr: silent.stderr.replace('Connection refused', 'No such file or directory'), exitCode: 2 };

    await expect(readStrongswan(machine({ swanctl: silent }), signal)).resolves.toBeUndefined();
    await expect(readStrongswan(machine({ swanctl: noSocket }), signal)).resolves.toBeUndefined();
  });

  it('cannot be told where swanctl is missing, sudo refuses, or the output is too long', async () => {
    const missing = machine({ swanctl: { exitCode: 1, stderr: 'sudo: swanctl: command not found\n' } });
    const refused = machine({ swanctl: { exitCode: 1, stderr: 'sudo: a password is required\n' } });
    const long = machine({ swanctl: { stdout: 'list-conns reply {}', truncated: true } });

    await expect(rejection(readStrongswan(missing, signal))).resolves.toBe('host-tool-missing');
    await expect(rejection(readStrongswan(refused, signal))).resolves.toBe('sudo-refused');
    await expect(rejection(readStrongswan(long, signal))).resolves.toBe('output-unreadable');
  });

  it('come with their associations', async () => {
    const arm = machine({
      '--list-conns': { stdout: fixture('swanctl/list-conns.txt') },
      '--list-sas': { stdout: fixture('swanctl/list-sas-installed.txt') },
    });

    await expect(readStrongswan(arm, signal)).resolves.toMatchObject({
      connections: ['wire'],
      sas: [{ name: 'wire' }],
    });
  });
});

describe('the service of strongSwan', () => {
  const loaded = { stdout: 'LoadState=loaded\nActiveState=inactive\n' };
  const none = { stdout: 'LoadState=not-found\nActiveState=inactive\n' };

  it('has the name that the image gives it', async () => {
    await expect(readStrongswanUnit(machine({ 'strongswan.service': loaded }), signal)).resolves.toBe(
      'strongswan.service',
    );
    const older = machine({ 'strongswan.service': none, 'strongswan-starter.service': loaded });
    await expect(readStrongswanUnit(older, signal)).resolves.toBe('strongswan-starter.service');
  });

  it('may be missing, and its log too', async () => {
    await expect(rejection(readStrongswanUnit(machine({ systemctl: none }), signal))).resolves.toBe(
      'host-tool-missing',
    );
    await expect(readStrongswanLog(machine({}), signal)).resolves.toBe('');
    await expect(readStrongswanLog(machine({ journalctl: { stdout: 'x\n' } }), signal)).resolves.toBe('x\n');
  });
});

describe('connections in the files of swanctl', () => {
  /** The program of the fact, as awk of this machine runs it. */
  function namesIn(...texts: readonly string[]): readonly string[] {
    const folder = mkdtempSync(join(tmpdir(), 'dpubot-swanctl-'));
    try {
      const files = texts.map((text, index) => {
        const path = join(folder, `${index}.conf`);
        writeFileSync(path, text);
        return path;
      });
      const { argv } = filedConnections.bind({});
      const program = argv[argv.indexOf('awk') + 1] ?? '';
      return execFileSync('/usr/bin/awk', [program, ...files], { encoding: 'utf8' })
        .split('\n')
        .slice(0, -1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  it('are named, however their files are laid out, and nothing else of these is', () => {
    const first = `# connections { no { } }
connections { wire { version = 2
   local { auth = psk } children { net { a = "x { y" } } } back-up
  { secret = "a # { \\" }" }
  heir : wire { }
}
secrets { ike-x { secret = "hidden{" } }
connections {
  c3 {
  }
}
`;

    expect(namesIn(first, 'connections {\n  other {\n  id = C{1 # {\n }\n}\n', 'pools { p { } }\n')).toEqual([
      'wire',
      'back-up',
      'heir',
      'c3',
      'other',
    ]);
  });

  it.each([
    ['a brace that does not close', 'connections {\n  other {\n'],
    ['a brace too many', 'connections { other { } } }\n'],
    ['a quote that does not close', 'connections { other { local { id = "x } } }\n'],
  ])('are told beside the name of a file with %s', (_, text) => {
    expect(namesIn('connections { wire { } }\n', text, 'connections { last { } }\n')).toEqual([
      'wire',
      'other',
      expect.stringMatching(/^! .*1\.conf$/),
      'last',
    ]);
    expect(namesIn(text).at(-1)).toMatch(/^! /);
  });

  it('cannot be loaded safely while one file is broken', async () => {
    const broken = machine({ find: { stdout: 'wire\n! /etc/swanctl/conf.d/site.conf\n' } });

    await expect(rejection(readFiledConnections(broken, signal))).resolves.toBe('ipsec-files-broken');
  });

  it('never show a secret', () => {
    const inQuotes = fc.string({ unit: fc.constantFrom('{', '}', '#', '=', ' ', '\n', 'S', 'X') });
    fc.assert(
      fc.property(inQuotes, (secret) => {
        const file = `secrets { ike-1 { secret = "${secret}" } }\nconnections { c { } }\n`;
        expect(namesIn(file)).toEqual(['c']);
      }),
      { numRuns: 40 },
    );
  });

  it('cannot be told where the files cannot be read', async () => {
    const refused = machine({ find: { exitCode: 1, stderr: "find: '/etc/swanctl/conf.d': Permission denied\n" } });

    await expect(rejection(readFiledConnections(refused, signal))).resolves.toBe('command-failed');
  });
});

describe('settings of the boot service', () => {
  const file = '# IPsec\nIPSEC_FULL_OFFLOAD="no"\nALLOW_SHARED_RQ="yes"\n';

  it.each([
    [file, false],
    ['IPSEC_FULL_OFFLOAD="yes"\n', true],
    ["IPSEC_FULL_OFFLOAD='yes' # set\n", true],
    ['IPSEC_FULL_OFFLOAD=yes\n', true],
    ['IPSEC_FULL_OFFLOAD="yes"\nIPSEC_FULL_OFFLOAD="no"\n', false],
    ['# IPSEC_FULL_OFFLOAD="yes"\n', false],
    ['', false],
  ])('say of %j that full offload is %s', (text, isFull) => {
    expect(isFullOffload(text)).toBe(isFull);
  });

  it('get one key changed, and keep every other line', () => {
    expect(withFullOffload(file)).toBe('# IPsec\nIPSEC_FULL_OFFLOAD="yes"\nALLOW_SHARED_RQ="yes"\n');
    expect(withFullOffload('A=1')).toBe('A=1\nIPSEC_FULL_OFFLOAD="yes"\n');
    const line = fc.constantFrom('A="b"', '# x', '', 'IPSEC_FULL_OFFLOAD="no"', ' IPSEC_FULL_OFFLOAD=no', 'export B=1');
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const changed = withFullOffload(lines.join('\n'));
        const others = (text: string): string[] =>
          text.split('\n').filter((one) => one !== '' && !one.includes('IPSEC'));
        expect(isFullOffload(changed)).toBe(true);
        expect(others(changed)).toEqual(others(lines.join('\n')));
        expect(withFullOffload(changed)).toBe(changed);
      }),
    );
  });

  it('are shown by the files of the driver, or by devlink where it has none', async () => {
    const own = machine({ steering_mode: { stdout: 'dmfs\n' }, ipsec_mode: { stdout: 'full\n' } });
    const gone = { exitCode: 1, stderr: 'cat: x: No such file or directory\n' };
    const upstream = machine({
      'compat/devlink': gone,
      'eswitch show': { stdout: 'pci/0000:03:00.0: mode switchdev inline-mode none\n' },
      flow_steering_mode: { stdout: '    values:\n      cmode runtime value smfs\n' },
    });

    await expect(readIpsecMode(own, 'p0', signal)).resolves.toEqual({ steering: 'dmfs', ipsec: 'full' });
    await expect(readIpsecMode(upstream, 'p0', signal)).resolves.toEqual({ steering: 'smfs' });
    expect(codeOf(() => parseSteeringFile('a', 'hws\n'))).toBe('output-unreadable');
  });

  it('and forwarding are read or refused', () => {
    expect([parseForwarding('a', '0\n'), parseForwarding('a', '1\n')]).toEqual([false, true]);
    for (const text of ['', '2\n', 'an\n']) expect(codeOf(() => parseForwarding('a', text))).toBe('output-unreadable');
  });
});
