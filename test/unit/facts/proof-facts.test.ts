import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CommandResult, HostReader } from '../../../src/domain/device-ports.ts';
import { readGovernor } from '../../../src/facts/cpu-governor.ts';
import { cpuLoad, parseCpuTimes } from '../../../src/facts/cpu-load.ts';
import { readIpsecSas } from '../../../src/facts/ipsec-sas.ts';
import { parseIommuSetting } from '../../../src/facts/kernel-line.ts';
import { readNumaNodes } from '../../../src/facts/numa-nodes.ts';
import { parseOvsDaemon } from '../../../src/facts/ovs-daemon.ts';
import { countFlows, parseFlowList, parseFlows, readFlows } from '../../../src/facts/ovs-flows.ts';
import { parsePortCounters, readPortCounters } from '../../../src/facts/port-counters.ts';
import { codeOf } from '../../support/arm-world.ts';
import { fixture } from '../../support/fixture.ts';

const { signal } = new AbortController();

/** A machine that answers by the last word of the command line. */
function machine(answers: Readonly<Record<string, Partial<CommandResult>>>): HostReader {
  return {
    name: 'as7',
    read: async ({ argv }) => {
      const answer = answers[argv.at(-1) ?? ''] ?? {
        exitCode: 1,
        stderr: `cat: ${argv.at(-1)}: No such file or directory\n`,
      };
      return Promise.resolve({ stdout: '', stderr: '', exitCode: 0, truncated: false, durationMs: 1, ...answer });
    },
  };
}

describe('counters of a port', () => {
  it('tell what the card has encrypted, by the names of the kernel and by those of older drivers', () => {
    expect(parsePortCounters('a', fixture('ethtool/counters-ipsec.txt')).ipsec).toEqual({
      tx: { packets: 640_017, bytes: 947_225_160 },
      rx: { packets: 731_002, bytes: 1_082_774_412, droppedPackets: 0 },
    });
    expect(parsePortCounters('a', fixture('ethtool/counters-ofed.txt'))).toEqual({
      ipsec: {
        tx: { packets: 12, bytes: 1_440, droppedPackets: 0 },
        rx: { packets: 648_120_114, bytes: 965_698_969_860, droppedPackets: 3 },
      },
      wire: { txBytes: 18_220_113, rxBytes: 971_033_712_004 },
    });
  });

  it('leave out what a driver does not count', () => {
    expect(parsePortCounters('a', fixture('ethtool/counters-veth.txt'))).toEqual({});
    expect(parsePortCounters('a', 'NIC statistics:\n     ipsec_rx_pkts: 3\n     ipsec_tx_pkts: 4\n').ipsec).toEqual({
      tx: { packets: 4 },
      rx: { packets: 3 },
    });
  });

  it('are no counters where the text is another, empty, or breaks off', async () => {
    for (const text of ['', 'no stats available', 'p0: 12'])
      expect(await codeOf(async () => Promise.resolve(parsePortCounters('a', text)))).toBe('output-unreadable');
    const cut = machine({ p0: { stdout: fixture('ethtool/counters-ipsec.txt'), truncated: true } });
    expect(await codeOf(async () => readPortCounters(cut, 'p0', signal))).toBe('output-unreadable');
    const none = machine({ p0: { exitCode: 94, stderr: 'no stats available\n' } });
    expect(await codeOf(async () => readPortCounters(none, 'p0', signal))).toBe('command-failed');
  });
});

describe('the load of CPUs', () => {
  it('is the share of time that each has worked between two looks', () => {
    const before = parseCpuTimes(
      'a',
      'cpu  400 0 0 600 0 0 0 0 0 0\ncpu0 100 0 0 100 0 0 0 0 0 0\ncpu1 300 0 0 500 0 0 0 0 0 0\n',
    );
    const after = parseCpuTimes('a', 'cpu0 100 0 0 290 10 0 0 0 0 0\ncpu1 300 0 20 510 0 0 170 0 0 0\n');

    expect(cpuLoad(before, after)).toEqual({ meanPercent: 47.5, busiestPercent: 95, busiestCpu: 1 });
  });

  it('is read from what real and older kernels print, without interrupts and without the sum of all', () => {
    const times = parseCpuTimes('a', fixture('proc/stat.txt'));
    expect(times.map(({ cpu }) => cpu)).toEqual([0, 1]);
    expect(times.every(({ busy, total }) => busy > 0 && total > busy)).toBe(true);
    expect(parseCpuTimes('a', 'cpu  1 2 3 4\ncpu0 1 2 3 4\n')).toEqual([{ cpu: 0, total: 10, busy: 6 }]);
  });

  it('is not known where no time has passed, or the CPU was started anew', () => {
    const [one] = parseCpuTimes('a', 'cpu0 5 0 0 5\n');
    const times = one === undefined ? [] : [one];
    expect(cpuLoad(times, times)).toBeUndefined();
    expect(cpuLoad(times, [{ cpu: 0, total: 3, busy: 1 }])).toBeUndefined();
    expect(cpuLoad([], times)).toBeUndefined();
  });

  it('stays between 0 and 100, and the busiest is never below the mean', () => {
    const ticks = fc.record({ cpu: fc.nat(3), total: fc.nat(1000), busy: fc.nat(1000) });
    fc.assert(
      fc.property(fc.array(ticks), fc.array(ticks), (before, after) => {
        const load = cpuLoad(before, after);
        if (load === undefined) return;
        expect(load.meanPercent).toBeGreaterThanOrEqual(0);
        expect(load.busiestPercent).toBeLessThanOrEqual(100);
        expect(load.busiestPercent).toBeGreaterThanOrEqual(load.meanPercent - 1e-9);
      }),
    );
  });

  it('cannot be read from another text', async () => {
    for (const text of ['', 'cpu  1 2 3 4\n', 'intr 12'])
      expect(await codeOf(async () => Promise.resolve(parseCpuTimes('a', text)))).toBe('output-unreadable');
  });
});

describe('Open vSwitch', () => {
  const log = fixture('ovs/show-log.txt');

  it('was started, and its offload was set, at moments that can be held against each other', () => {
    const { startedAtMs, offloadSetAtMs } = parseOvsDaemon('a', log);

    expect(new Date(startedAtMs ?? 0).toISOString()).toBe('2026-11-23T12:38:02.033Z');
    expect(new Date(offloadSetAtMs ?? 0).toISOString()).toBe('2026-11-23T12:38:03.079Z');
  });

  it('has no such moment where the database was compacted since, or it was switched off again', () => {
    const [started = ''] = log.split('\n');
    expect(parseOvsDaemon('a', `${started}\n`)).toMatchObject({ offloadSetAtMs: undefined });
    expect(parseOvsDaemon('a', '')).toEqual({ startedAtMs: undefined, offloadSetAtMs: undefined });
    const off = log.replaceAll('=true other', '=false other');
    expect(parseOvsDaemon('a', off).offloadSetAtMs).toBeUndefined();
  });

  it('is not understood where another text comes', async () => {
    const text = 'ovsdb-tool: /etc/openvswitch/conf.db: open failed';
    expect(await codeOf(async () => Promise.resolve(parseOvsDaemon('a', text)))).toBe('output-unreadable');
  });
});

describe('a flow', () => {
  it('has a carrier, a layer, and addresses where it is bound to them', () => {
    expect(parseFlowList('a', fixture('ovs/flows-offloaded.txt'))[0]).toEqual({
      carriedBy: 'hardware',
      layer: 'tc',
      packets: 98_421,
      from: 'a0:88:c2:aa:bb:c0',
      to: 'a0:88:c2:aa:bb:d0',
      isDropped: false,
    });
    const rack = parseFlowList('a', fixture('ovs/rack-flows-userspace.txt'));
    expect(rack).toHaveLength(8);
    expect(new Set(rack.map(({ carriedBy, layer }) => `${carriedBy} ${layer}`))).toEqual(new Set(['software ovs']));
    expect(rack.every(({ from, to }) => from !== undefined && to !== undefined)).toBe(true);
  });

  it('behind a tunnel has the inner addresses, and one with masks has none', () => {
    const line = (eth: string): string =>
      `ufid:1, recirc_id(0),tunnel(tun_id=0x64,src=192.168.50.2,dst=192.168.50.1,tp_dst=4789,flags(+key)),in_port(vxlan_sys_4789),eth(${eth}),eth_type(0x0800), packets:5, bytes:500, used:0.1s, offloaded:yes, dp:tc, actions:pf0hpf`;
    const [inner] = parseFlowList('a', line('src=a0:88:c2:aa:bb:c0,dst=a0:88:c2:aa:bb:d0'));
    expect(inner).toMatchObject({ from: 'a0:88:c2:aa:bb:c0', to: 'a0:88:c2:aa:bb:d0' });
    const [masked] = parseFlowList('a', line('src=a0:88:c2:aa:bb:c0/01:00:00:00:00:00,dst=a0:88:c2:aa:bb:d0'));
    expect(masked?.from).toBeUndefined();
  });

  it('is counted as it is listed', () => {
    const text = fixture('ovs/flows-offloaded.txt');
    expect(countFlows(parseFlowList('a', text))).toEqual(parseFlows('a', text));
  });

  it('that is cut off in a long list is left out, and an error says that there is no switch', async () => {
    const text = fixture('ovs/flows-offloaded.txt').slice(0, 700);
    expect(await readFlows(machine({ '-m': { stdout: text, truncated: true } }), signal)).toHaveLength(1);
    const dead = { exitCode: 1, stderr: 'ovs-appctl: cannot connect to "/var/run/openvswitch/ovs-vswitchd.pid"' };
    expect(await codeOf(async () => readFlows(machine({ '-m': dead }), signal))).toBe('command-failed');
  });
});

describe('associations of the kernel', () => {
  const words = 'ip=/opt/mellanox/iproute2/sbin/ip; [ -x "$ip" ] || ip=ip; "$ip" xfrm state list nokeys';

  it('are asked for without keys, and a key that comes all the same goes nowhere', async () => {
    const text = fixture('ip/xfrm-with-keys.txt');
    const arm = (change: Partial<CommandResult>): HostReader => machine({ [words]: change });

    expect(await readIpsecSas(arm({ stdout: text }), signal)).toMatchObject([{ offload: 'packet' }]);
    for (const broken of [
      { stdout: text, exitCode: 2 },
      { stdout: text.replace('spi', '') },
      { stdout: text, truncated: true },
    ]) {
      const failure = await readIpsecSas(arm(broken), signal).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(Error);
      expect(JSON.stringify(failure) + String(failure)).not.toContain('5e5e5e');
    }
  });
});

describe('the IOMMU', () => {
  it.each([
    ['BOOT_IMAGE=/vmlinuz root=/dev/sda1 iommu=pt intel_iommu=on', 'pt'],
    ['quiet amd_iommu=on iommu.passthrough=1', 'pt'],
    ['intel_iommu=on,sm_on quiet', 'on'],
    ['iommu=pt iommu=nopt', 'on'],
    ['intel_iommu=off iommu=pt', 'off'],
    ['quiet splash', 'default'],
    ['quiet -- iommu=pt', 'default'],
    ['xiommu=pt', 'default'],
  ])('of the kernel line %j is %s', (line, setting) => {
    expect(parseIommuSetting('as7', `${line}\n`)).toBe(setting);
  });

  it('is not told by an empty line', async () => {
    expect(await codeOf(async () => Promise.resolve(parseIommuSetting('as7', '\n')))).toBe('output-unreadable');
  });
});

describe('the governor of a CPU', () => {
  const path = '/sys/devices/system/cpu/cpu3/cpufreq/scaling_governor';

  it('is one word, and there is none in a virtual machine', async () => {
    expect(await readGovernor(machine({ [path]: { stdout: 'schedutil\n' } }), 3, signal)).toBe('schedutil');
    expect(await readGovernor(machine({}), 3, signal)).toBeUndefined();
    const strange = machine({ [path]: { stdout: 'two words\n' } });
    expect(await codeOf(async () => readGovernor(strange, 3, signal))).toBe('output-unreadable');
  });
});

describe('NUMA nodes', () => {
  const at = '/sys/devices/system/node';

  it('have their CPUs, and one of memory alone has none', async () => {
    const host = machine({
      [`${at}/online`]: { stdout: '0-1,4\n' },
      [`${at}/node0/cpulist`]: { stdout: '0-1,4-5\n' },
      [`${at}/node1/cpulist`]: { stdout: '2-3\n' },
      [`${at}/node4/cpulist`]: { stdout: '\n' },
    });

    expect([...(await readNumaNodes(host, signal))]).toEqual([
      [0, [0, 1, 4, 5]],
      [1, [2, 3]],
      [4, []],
    ]);
  });

  it('are an error where the kernel has none', async () => {
    expect(await codeOf(async () => readNumaNodes(machine({}), signal))).toBe('command-failed');
  });
});
