import { describe, expect, it } from 'vitest';
import { hostAddress, plainWire, receivedOf, tunedWire } from './wire-helpers.ts';
import type { TestWire } from './wire-helpers.ts';

interface Report {
  start: { connected: { remote_port: number }[]; test_start?: { omit: number; num_streams: number } };
  intervals: { sum: { bytes: number; omitted: boolean } }[];
  end: object;
  error?: string;
}

function client(wire: TestWire, options = ''): { report: Report; exitCode: number | null } {
  const { stdout, exitCode } = wire.host('as7', `iperf3 -c ${hostAddress(2)} -J ${options}`);
  return { report: JSON.parse(stdout) as Report, exitCode };
}

describe('an iperf3 server', () => {
  it('takes one test at a time, and with -1 no second one', () => {
    const wire = tunedWire();
    wire.host('as8', 'iperf3 -s -1 -D -p 5201');
    wire.host('as7', `iperf3 -c ${hostAddress(2)} -t 20 -J > /tmp/first.json 2>&1 &`);
    wire.host('as7', 'sleep 2');

    expect(client(wire, '-t 1')).toMatchObject({
      exitCode: 0,
      report: { intervals: [], end: {}, error: 'the server is busy running a test. try again later' },
    });
    wire.host('as7', 'sleep 25');

    expect(receivedOf(JSON.parse(wire.host('as7', 'cat /tmp/first.json').stdout))).toBeGreaterThan(20);
    expect(wire.host('as8', 'pgrep -x iperf3').exitCode).toBe(1);
    expect(client(wire, '-t 1').report.error).toBe('unable to connect to server: Connection refused');
  });

  it('stays without -1, is seen by ss, and refuses a port that is taken', () => {
    const wire = tunedWire();
    wire.host('as8', 'iperf3 -s -D -p 5300');

    expect(client(wire, '-p 5300 -t 1').report.error).toBeUndefined();
    expect(client(wire, '-p 5300 -t 1').report.error).toBeUndefined();
    expect(wire.host('as8', "ss -Hltn 'sport = :5300'").stdout).toMatch(/^LISTEN .*:5300 /);
    expect(wire.host('as8', 'iperf3 -s -p 5300')).toMatchObject({
      exitCode: 1,
      stderr: 'iperf3: error - unable to start listener for connections: Address already in use\niperf3: exiting\n',
    });
  });

  it('that is killed breaks the test of its client', () => {
    const wire = tunedWire();
    wire.host('as8', 'iperf3 -s -D -p 5201');
    wire.host('as7', `iperf3 -c ${hostAddress(2)} -t 60 -J > /tmp/first.json &`);
    wire.host('as8', 'sleep 3; pkill -KILL iperf3; sleep 1');

    const report = JSON.parse(wire.host('as7', 'cat /tmp/first.json').stdout) as Report;

    expect(report.error).toBe('control socket has closed unexpectedly');
    expect(report.intervals.length).toBeGreaterThan(1);
    expect(wire.host('as7', 'pgrep iperf3').exitCode).toBe(1);
  });

  it('is busy while somebody else measures with it', () => {
    const wire = tunedWire();
    wire.rack.injectFault('iperf3-busy', { target: 'as8' });
    wire.host('as8', 'iperf3 -s -1 -D');

    expect(client(wire).report.error).toBe('the server is busy running a test. try again later');
    wire.rack.clearFault('iperf3-busy');

    expect(client(wire, '-t 1').report.error).toBeUndefined();
  });
});

describe('an iperf3 client', () => {
  it('keeps what it omits apart, and counts a sample a second', () => {
    const wire = tunedWire();
    wire.host('as8', 'iperf3 -s -1 -D');

    const { report } = client(wire, '-t 4 -O 2 -P 2');

    expect(report.intervals.map(({ sum }) => sum.omitted)).toEqual([true, true, false, false, false, false]);
    expect(report.start.test_start).toMatchObject({ omit: 2, num_streams: 2 });
    expect(report.start.connected).toHaveLength(2);
    expect(receivedOf(report)).toBeGreaterThan(30);
  });

  it('holds the bit rate that it was given, and goes backwards', () => {
    const wire = tunedWire();
    wire.host('as8', 'iperf3 -s -D');

    expect(receivedOf(client(wire, '-t 3 -b 2G').report)).toBeCloseTo(2, 1);
    expect(receivedOf(client(wire, '-t 3 -R').report)).toBeGreaterThan(30);
  });

  it.each([
    ['nobody has the address', '-c 192.168.60.9 --connect-timeout 1000', 'Connection timed out'],
    ['nobody has the address and it waits', '-c 192.168.60.9', 'No route to host'],
    ['there is no route', '-c 172.20.0.1', 'Network is unreachable'],
    ['it is to send from a foreign address', '-c 192.168.60.2 -B 192.168.70.1', 'Cannot assign requested address'],
  ])('says so in JSON with status 0 and in text with status 1 when %s', (_title, options, reason) => {
    const wire = tunedWire();

    const asJson = wire.host('as7', `iperf3 ${options} -J`);
    const asText = wire.host('as7', `iperf3 ${options}`);

    expect(asJson.exitCode).toBe(0);
    expect((JSON.parse(asJson.stdout) as Report).error).toBe(`unable to connect to server: ${reason}`);
    expect(asText).toMatchObject({ exitCode: 1, stderr: `iperf3: error - unable to connect to server: ${reason}\n` });
  });

  it('that is ended by a signal ends its server too', () => {
    const wire = tunedWire();
    wire.host('as8', 'iperf3 -s -1 -D');
    wire.host('as7', `iperf3 -c ${hostAddress(2)} -t 60 -J > /dev/null &`);
    wire.host('as7', 'sleep 2; pkill iperf3; sleep 1');

    expect(wire.host('as8', 'pgrep iperf3').exitCode).toBe(1);
  });

  it('tells its version', () => {
    expect(plainWire().host('as7', 'iperf3 --version').stdout).toMatch(/^iperf 3\.12 \(cJSON/);
  });
});
