import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { iperf3ClientArgv, iperf3ServerArgv, parseIperf3, type Iperf3Wish } from '../../src/bench/iperf3.ts';
import { repeatOfTestpmd } from '../../src/bench/repeat.ts';
import { testpmdArgv, type TestpmdWish } from '../../src/bench/testpmd-arguments.ts';
import { parseTestpmdLog } from '../../src/bench/testpmd-log.ts';
import { Profile } from '../../src/domain/inventory.ts';
import { eventually } from '../support/lab/eventually.ts';
import { alone } from './support/by-hand.ts';
import { addresses, profile } from './support/inventory.ts';
import { Rack } from './support/rack.ts';

const { tools } = Profile.parse(profile);
const frameBytes = 1400;
let rack: Rack;

beforeAll(async () => {
  rack = await Rack.start();
  for (const [host, card] of [
    ['host-a', 'dpu-a'],
    ['host-b', 'dpu-b'],
  ] as const)
    await rack.ok(host, ['ip', 'address', 'add', `${addresses[card].host}/24`, 'dev', 'ens1f0np0']);
});
afterAll(async () => rack.stop());

describe('iperf3, real', () => {
  const wish: Iperf3Wish = { address: addresses['dpu-b'].host, port: 5201, durationS: 2, warmUpS: 0, cpus: [] };
  const client = async (): Promise<{ readonly exitCode: number; readonly report: ReturnType<typeof parseIperf3> }> => {
    const { exitCode, stdout } = await rack.run('host-a', iperf3ClientArgv(wish));
    return { exitCode, report: parseIperf3(stdout) };
  };
  const serve = async (): Promise<void> => {
    await rack.sh('host-b', `${iperf3ServerArgv(wish).join(' ')} >/tmp/server.log 2>&1 </dev/null &`);
    await eventually(
      'the server of iperf3',
      async () => ((await rack.ok('host-b', ['ss', '-Htln'])).includes(':5201 ') ? true : undefined),
      5_000,
    );
  };

  it('ends with 0 when nobody listens, and is an error all the same', async () => {
    const { exitCode, report } = await client();

    expect(exitCode).toBe(0);
    expect(report).toEqual({ error: expect.stringMatching(/refused/i) });
  });

  it('is an error when its server is killed in the middle', async () => {
    await serve();

    const running = client();
    await eventually(
      'the connections of the test',
      async () =>
        (await rack.ok('host-b', ['ss', '-Htn', 'sport', '=', ':5201'])).split('\n').length > 2 ? true : undefined,
      5_000,
    );
    await rack.ok('host-b', ['pkill', '-KILL', '-x', 'iperf3']);

    expect((await running).report).toEqual({ error: expect.stringMatching(/\w/) });
  });

  it('gives a figure that both ends agree on', async () => {
    await serve();

    const { report } = await client();

    if ('error' in report) throw new Error(report.error);
    expect(report.receivedBitsPerSecond).toBeGreaterThan(1e6);
    expect(report.receivedBitsPerSecond).toBeLessThanOrEqual(report.sentBitsPerSecond * 1.01);
    expect(report.intervals.length).toBeGreaterThanOrEqual(2);
  });
});

describe('testpmd, real', () => {
  const start = (role: 'send' | 'receive', wish: TestpmdWish, seconds: number): Promise<string> =>
    rack
      .run(role === 'send' ? 'host-a' : 'host-b', ['timeout', '-s', 'INT', String(seconds), ...testpmdArgv(role, wish)])
      .then(({ stdout, stderr }) => stdout + stderr);

  async function wishFor(link: string): Promise<TestpmdWish> {
    const peerMac = (await rack.ok('host-b', ['cat', '/sys/class/net/ens1f0np0/address'])).trim();
    const settings = tools?.testpmd;
    if (settings === undefined) throw new Error('the profile has no tools');
    const pciFunction = '0000:e1:00.0';
    return { settings, pciFunction, link, cpus: [0, 1], frameBytes, mtuBytes: 1500, streams: 1, peerMac };
  }

  it('without a device gives no figure, however it ends', async () => {
    const log = parseTestpmdLog(await start('send', await wishFor('not-there'), 5));

    expect(log.problem).toMatch(/testpmd cannot measure/);
    expect(log.samples).toEqual([]);
  });

  // Once more where the machine had no core left for the receiver.
  it('counts at the far end what really crossed both cards', { retry: 2 }, async () => {
    const wish = await wishFor('ens1f0np0');
    const counter = ['cat', '/sys/class/net/p0/statistics/rx_packets'];
    const before = Number(await rack.ok('dpu-b', counter));

    const [sent, received] = await alone(async () => Promise.all([start('send', wish, 6), start('receive', wish, 9)]));
    const repeat = repeatOfTestpmd(parseTestpmdLog(sent), parseTestpmdLog(received), { frameBytes, warmUpS: 1 });
    const crossed = Number(await rack.ok('dpu-b', counter)) - before;

    if ('error' in repeat) throw new Error(`${repeat.error}\n${received.slice(-2000)}`);
    const total = parseTestpmdLog(received).total?.rxPackets ?? 0;
    expect(total).toBeGreaterThan(1000);
    expect(total).toBeLessThanOrEqual(crossed);
    expect(repeat.receivedGbps).toBeGreaterThan(0.01);
    expect(repeat.receivedGbps).toBeLessThanOrEqual((repeat.sentGbps ?? 0) * 1.02);
  });
});
