import { describe, expect, it } from 'vitest';
import type { ApplyContext } from '../../../src/domain/step.ts';
import { readConditions } from '../../../src/steps/measure-conditions.ts';
import { setProvenMtu } from '../../../src/steps/measure-mtu.ts';
import { codeOf } from '../../support/arm-world.ts';
import { benchContext, createBenchMemory } from '../../support/bench-context.ts';
import { createBenchWorld } from '../../support/bench-world.ts';
import { fixture } from '../../support/fixture.ts';
import { createProofWorld } from '../../support/proof-world.ts';

const answer = { stderr: '', exitCode: 0, truncated: false, durationMs: 1 };

/** A context whose hosts answer some commands in another way: by what a command line begins with. */
function contextWith(
  answers: Readonly<Record<string, string>>,
  setting: { readonly testbed?: true } = {},
): ApplyContext {
  const context = benchContext(createBenchWorld(), createBenchMemory(), { arms: true, ...setting });
  for (const { host } of context.pair?.ends ?? []) {
    const { read } = { read: host.read.bind(host) };
    host.read = async (command, options) => {
      const line = command.argv.join(' ').replace(/^sudo -n /, '');
      const found = Object.entries(answers).find(([begin]) => line.startsWith(begin));
      return found === undefined ? read(command, options) : { ...answer, stdout: found[1] };
    };
  }
  return context;
}

const system = {
  true: '',
  'uname -r -m': '5.15.0-113-generic x86_64\n',
  'cat /etc/os-release': 'ID=ubuntu\nVERSION_ID="22.04"\nPRETTY_NAME="Ubuntu 22.04.4 LTS"\n',
};

describe('the conditions of a measurement', () => {
  it('are read of both ends, and what cannot be read is unknown', async () => {
    const conditions = await readConditions(contextWith(system));

    const values = (name: string): readonly string[] =>
      conditions.filter((one) => one.name === name).map(({ end, value }) => `${end}: ${value}`);
    expect(values('part-number')).toEqual(['a: 900-9D3B6-00CN-AB0', 'b: 900-9D3B6-00CN-AB0']);
    expect(values('kernel')).toEqual(['a: 5.15.0-113-generic', 'b: 5.15.0-113-generic']);
    expect(values('mtu')).toEqual(['a: 9000', 'b: 9000']);
    expect(values('numa-node')).toEqual(['a: 0', 'b: 0']);
    expect(values('nic-firmware')).toEqual(['a: unknown', 'b: unknown']);
    expect(conditions.filter(({ warning }) => warning !== undefined)).toEqual([]);
  });

  it('warn of a slot that carries less than a port of the card', async () => {
    const slow = fixture('lspci/one-b3240.txt').replaceAll(
      'LnkSta:\tSpeed 32GT/s',
      'LnkSta:\tSpeed 16GT/s (downgraded)',
    );
    // Both hosts show one serial here; each is asked for its own card only.
    const context = contextWith({ ...system, 'lspci -D -vvv': slow });
    const [a] = context.pair?.ends ?? [];
    const alone = { ...context, pair: a && { name: 'as7-as8', ends: [a, a] as const } } as ApplyContext;

    const conditions = await readConditions(alone);

    expect(conditions.find(({ name }) => name === 'pcie-link')).toMatchObject({
      value: expect.stringContaining('16 GT/s'),
      warning: expect.stringContaining('carries less'),
    });
  });
});

describe('what costs packet rate', () => {
  const node = '/sys/devices/system/node';
  const machine = {
    ...system,
    [`cat ${node}/online`]: '0-1\n',
    [`cat ${node}/node0/cpulist`]: '0-15\n',
    [`cat ${node}/node1/cpulist`]: '16-31\n',
    'cat /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor': 'performance\n',
    'cat /proc/cmdline': 'quiet iommu=pt intel_iommu=on\n',
  };
  const warned = async (answers: Readonly<Record<string, string>>): Promise<readonly string[]> =>
    (await readConditions(contextWith({ ...machine, ...answers }))).flatMap(({ end, name, value, warning }) =>
      warning === undefined ? [] : [`${end} ${name} ${value}: ${warning}`],
    );

  it('is not there on a machine that is set up for it', async () => {
    const conditions = await readConditions(contextWith(machine));

    expect(conditions.filter(({ warning }) => warning !== undefined)).toEqual([]);
    expect(
      Object.fromEntries(conditions.filter(({ end }) => end === 'a').map(({ name, value }) => [name, value])),
    ).toMatchObject({
      'tool-cpus': '0-15',
      governor: 'performance',
      iommu: 'iommu=pt',
    });
  });

  it.each([
    [
      'the IOMMU maps each buffer',
      { 'cat /proc/cmdline': 'amd_iommu=on\n' },
      /^a iommu on: the kernel maps each buffer/,
    ],
    [
      'the kernel line says nothing of it',
      { 'cat /proc/cmdline': 'quiet\n' },
      /^a iommu not set: where the kernel maps/,
    ],
    [
      'the clock is scaled',
      { 'cat /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor': 'powersave\n' },
      /^a governor powersave: cores do not stay/,
    ],
    [
      'the card is on the other node',
      { 'cat /sys/bus/pci/devices/0000:e1:00.0/numa_node': '1\n' },
      /^a tool-cpus 0-15: it is on another NUMA node/,
    ],
    [
      'the machine calls all CPUs near',
      { 'cat /sys/bus/pci/devices/0000:e1:00.0/local_cpulist': '0-31\n' },
      /^a tool-cpus 0-31: CPUs 16-31 are on another/,
    ],
  ])('is warned of when %s', async (_title, answers, warning) => {
    expect(await warned(answers)).toEqual([
      expect.stringMatching(warning),
      expect.stringMatching(warning.source.replace('^a', '^b')),
    ]);
  });
});

describe('a rack without cards', () => {
  it('has nothing that could slow a card down', async () => {
    const answers = { ...system, 'cat /proc/cmdline': 'quiet\n' };

    const conditions = await readConditions(contextWith(answers, { testbed: true }));

    expect(conditions.find(({ name }) => name === 'iommu')?.value).toBe('not set');
    expect(conditions.filter(({ warning }) => warning !== undefined)).toEqual([]);
  });
});

describe('the conditions of the cards', () => {
  it('are image, MTU, switch, offload and associations, as their Arms tell them', async () => {
    const { context } = createProofWorld();
    for (const { host } of context.pair?.ends ?? []) {
      const { read } = { read: host.read.bind(host) };
      host.read = async (command, options) => {
        const found = Object.entries(system).find(([begin]) =>
          command.argv
            .join(' ')
            .replace(/^sudo -n /, '')
            .startsWith(begin),
        );
        return found === undefined ? read(command, options) : { ...answer, stdout: found[1] };
      };
    }

    const conditions = await readConditions(context);

    const own = Object.fromEntries(conditions.filter(({ end }) => end === 'b').map(({ name, value }) => [name, value]));
    expect(own).toMatchObject({
      image: 'unknown',
      'uplink-mtu': '9216',
      eswitch: 'switchdev, steering dmfs',
      'hw-offload': 'on',
      'ipsec-sas': '2 (2 packet)',
    });
  });
});

describe('an MTU that is set for a measurement', () => {
  it('is good when packets of that size get through, and an error names the path when they do not', async () => {
    const good = contextWith({ ping: fixture('ping/answered.txt') });
    expect(await codeOf(async () => setProvenMtu(good, 9000, 'raw'))).toBe('no error');

    const bad = contextWith({ ping: fixture('ping/silent.txt') });
    const code = await codeOf(async () => setProvenMtu(bad, 9000, 'raw'));
    expect(code).toBe('path-dead');
  });
});
