import { describe, expect, it } from 'vitest';
import { link, plainWire, testpmd, tunedWire } from './wire-helpers.ts';
import type { Result, TestWire } from './wire-helpers.ts';

const eal = '-l 16-24 -n 6 --socket-mem=0,2048 -a 0000:e1:00.0';

function sending(wire: TestWire, options = '', seconds = 3): Result {
  return wire.host(
    'as7',
    `sudo -n timeout -s INT ${seconds} dpdk-testpmd ${eal} -- --forward-mode=txonly ${options} --stats-period 1`,
  );
}

describe('dpdk-testpmd', () => {
  it('says what it found, a block a second, and the totals when it is interrupted', () => {
    const { stdout, stderr, exitCode } = sending(tunedWire(), '--txpkts=1500');

    expect(exitCode).toBe(124);
    expect(stderr).toMatch(/^EAL: Detected CPU lcores: 64\nEAL: Detected NUMA nodes: 2\n/);
    expect(stderr).toContain('EAL: Probe PCI driver: mlx5_pci (15b3:a2dc) device: 0000:e1:00.0 (socket 1)\n');
    expect(stdout).toMatch(
      /^Set txonly packet forwarding mode\ntestpmd: create a new mbuf pool <mb_pool_1>: n=\d+, size=2176, socket=1\n/,
    );
    expect(stdout).toContain(
      'Configuring Port 0 (socket 1)\nPort 0: A0:88:C2:46:A7:00\nChecking link statuses...\nDone\n',
    );
    expect(stdout.split('\u001B[2J\u001B[1;1H\nPort statistics ====')).toHaveLength(4);
    expect(stdout).toMatch(/  Tx-pps: {12}0 {10}Tx-bps: {12}0\n/);
    expect(stdout).toMatch(/\nSignal 2 received, preparing to exit\.\.\.\n/);
    expect(stdout).toMatch(
      /\+{15} Accumulated forward statistics for all ports\+{15}\n  RX-packets: 0 {14}RX-dropped: 0/,
    );
    expect(stdout).toMatch(/\nBye\.\.\.\n$/);
  });

  it('tells rates that are packets since the last show, without framing', () => {
    const { stdout } = sending(tunedWire(), '--txpkts=1500', 5);

    const rows = [...stdout.matchAll(/Tx-pps: +(\d+) +Tx-bps: +(\d+)/g)].map((match) => [
      Number(match[1]),
      Number(match[2]),
    ]);
    const [, , [pps = 0, bps = 0] = []] = rows;
    expect(pps).toBeGreaterThan(1_000_000);
    expect(Math.abs(bps / (pps * 1500 * 8) - 1)).toBeLessThan(1e-6);
  });

  it('is content without the device that it was given, and sends nothing', () => {
    const wire = tunedWire();
    const line =
      'sudo -n timeout -s INT 3 dpdk-testpmd -l 16-24 --socket-mem=0,1024 -a 0000:aa:00.0 -- --forward-mode=txonly --stats-period 1';

    const { stdout, exitCode } = wire.host('as7', line);

    expect(exitCode).toBe(124);
    expect(stdout).toContain('testpmd: No probed ethernet devices\n');
    expect(stdout).not.toContain('NIC statistics');
  });

  it('ends with 0 when the signal comes to itself', () => {
    const wire = tunedWire();

    wire.host(
      'as7',
      `sudo -n sh -c 'dpdk-testpmd ${eal} -- --forward-mode=rxonly --stats-period 1 > /tmp/log 2>&1; echo $? > /tmp/code' &`,
    );
    wire.host('as7', 'sleep 3; sudo -n pkill -INT -x dpdk-testpmd; sleep 1');

    expect(wire.host('as7', 'cat /tmp/code; tail -1 /tmp/log; pgrep -c testpmd').stdout).toMatch(/^0\nBye\.\.\.\n/);
  });

  it.each([
    ['without huge pages', plainWire, eal, 'EAL: FATAL: Cannot get hugepage information.'],
    [
      'with more memory than there is',
      tunedWire,
      '-l 16-24 --socket-mem=0,65536 -a 0000:e1:00.0',
      'EAL: Not enough memory available on socket 1! Requested: 65536MB, available: 8192MB',
    ],
    ['on a core that is not there', tunedWire, '-l 16,99 -a 0000:e1:00.0', 'EAL: lcore 99 >= RTE_MAX_LCORE (128)'],
  ])('%s it exits with 1', (_title, make, options, text) => {
    const { stderr, exitCode } = make().host('as7', `sudo -n dpdk-testpmd ${options} -- --stats-period 1`);

    expect(exitCode).toBe(1);
    expect(stderr).toContain(text);
    expect(stderr).toMatch(/EAL: Error - exiting with code: 1\n  Cause: /);
  });

  it('takes no more cores than it was given, and no option that it does not know', () => {
    const wire = tunedWire();

    expect(wire.host('as7', 'sudo -n dpdk-testpmd -l 16,17 -a 0000:e1:00.0 -- --nb-cores=4').stderr).toContain(
      'Cause: nb-cores should be > 0 and <= 1\n',
    );
    expect(wire.host('as7', 'sudo -n dpdk-testpmd -l 16,17 -- --fast').stderr).toContain(
      "unrecognized option '--fast'",
    );
  });

  it('goes on with frames of 64 bytes when the wished ones do not fit its buffers', () => {
    const { stdout, stderr } = sending(tunedWire(), '--txpkts=9000');

    expect(stderr).toContain('length[0]=9000 > mbuf_data_size=2176 - give up\n');
    expect(stdout).toContain('  packet len=64 - nb packet segments=1\n');
  });

  it('gives its huge pages back however it ends', () => {
    const wire = tunedWire();
    const free = (): string => wire.host('as7', 'grep HugePages_Free /proc/meminfo').stdout;
    const before = free();
    wire.host('as7', `sudo -n sh -c 'dpdk-testpmd ${eal} -- --forward-mode=rxonly --stats-period 1 > /tmp/log 2>&1 &'`);
    wire.host('as7', 'sleep 2');
    expect(free()).not.toBe(before);

    wire.host('as7', 'sudo -n pkill -KILL -x dpdk-testpmd; sleep 1');

    expect(free()).toBe(before);
  });

  it('loses a fifth for want of buffers while the pool runs dry', () => {
    const wire = tunedWire();
    wire.rack.injectFault('rx-nombuf', { target: 'as8' });

    const { received, receivedGbps, sentGbps } = testpmd(wire);

    expect(Number(/RX-nombuf: +(\d{6,})/.exec(received)?.[1])).toBeGreaterThan(0);
    expect(received).toMatch(/RX-nombufs: \d{6,}/);
    expect(receivedGbps / sentGbps).toBeCloseTo(0.8, 1);
  });

  it('reaches whoever listens when nobody has the address, and counts on the ports of Arms', () => {
    const wire = tunedWire();
    const count = (): number => Number(/rx_packets_phy: (\d+)/.exec(wire.arm('as8-dpu0', 'ethtool -S p0').stdout)?.[1]);
    const before = count();

    sending(wire, '--txpkts=1500');

    expect(count() - before).toBeGreaterThan(1_000_000);
    expect(Number(wire.host('as8', `cat /sys/class/net/${link}/statistics/rx_packets`).stdout)).toBeGreaterThan(
      1_000_000,
    );
  });

  it('tells its version while it reads its options, and ends there only with -h', () => {
    const wire = plainWire();

    expect(wire.host('as7', 'dpdk-testpmd -v -h')).toMatchObject({
      exitCode: 0,
      stderr: "EAL: RTE Version: 'DPDK 22.11.2410.1.0'\n",
      stdout: expect.stringContaining('Usage: dpdk-testpmd [options]') as string,
    });
    expect(wire.host('as7', 'dpdk-testpmd --version')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/^EAL: RTE Version: [^]*hugepage information/) as string,
    });
  });
});
