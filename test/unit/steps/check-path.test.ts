import { describe, expect, it } from 'vitest';
import type { HostSession } from '../../../src/domain/device-ports.ts';
import type { Diff, ObserveContext } from '../../../src/domain/step.ts';
import { checkPath } from '../../../src/steps/check-path.ts';
import { benchContext, createBenchMemory } from '../../support/bench-context.ts';
import { createBenchWorld } from '../../support/bench-world.ts';
import { fixture } from '../../support/fixture.ts';

/** What ping prints on a host for small packets and for large ones. */
interface Pings {
  readonly small: string;
  readonly large: string;
}

const good: Pings = { small: 'answered', large: 'answered' };

/** Both hosts with pings of their own; every other command is that of the fake hosts. `asked`: what was pinged. */
async function check(pings: readonly [Pings, Pings], asked: string[] = [], routed = false): Promise<Diff> {
  const context = benchContext(createBenchWorld(), createBenchMemory());
  const { pair } = context;
  if (pair === undefined) throw new Error('no pair');
  const [a, b] = pair.ends.map((end, index) => {
    const read: HostSession['read'] = async (command, options) => {
      if (command.argv[0] !== 'ping') return end.host.read(command, options);
      asked.push(command.argv.slice(-5).join(' '));
      const size = Number(command.argv.at(command.argv.indexOf('-s') + 1));
      const name = size < 1_000 ? pings[index]?.small : pings[index]?.large;
      const stdout = fixture(`ping/${name ?? ''}.txt`);
      return Promise.resolve({ stdout, stderr: '', exitCode: 0, truncated: false, durationMs: 1 });
    };
    return { ...end, host: { ...end.host, read } };
  });
  if (a === undefined || b === undefined) throw new Error('no ends');
  const seen: ObserveContext = { ...context, host: a.host, pair: { ...pair, ends: [a, b] } };
  const params = { mtuBytes: 9000, routed };
  const observed = await checkPath.observe(seen, params);
  return checkPath.diff(observed, params, a.dpu);
}

describe('check-path', () => {
  it('pings both ways, small and as large as the MTU, less the headers that ping does not count', async () => {
    const asked: string[] = [];

    await expect(check([good, good], asked)).resolves.toMatchObject({ kind: 'satisfied' });

    expect(asked).toEqual([
      '-s 548 -I 192.168.50.1 192.168.50.2',
      '-s 8972 -I 192.168.50.1 192.168.50.2',
      '-s 548 -I 192.168.50.2 192.168.50.1',
      '-s 8972 -I 192.168.50.2 192.168.50.1',
    ]);
  });

  it('uses the subnets behind the cards where these route', async () => {
    const asked: string[] = [];

    await check([good, good], asked, true);

    expect(asked[0]).toBe('-s 548 -I 10.1.0.2 10.2.0.2');
  });

  it('says that nothing gets through, and in which direction', async () => {
    const diff = await check([good, { small: 'nobody', large: 'nobody' }]);

    expect(diff).toMatchObject({ kind: 'refused', failure: { code: 'path-dead', deviceState: 'unchanged' } });
    expect(diff.kind === 'refused' && diff.failure.what).toMatch(/from as8 to as7/);
  });

  it.each([
    ['too-long-on-the-way', /10\.99\.0\.2 lets 1500 bytes through/],
    ['too-long-here', /as7 lets 1500 bytes through/],
    ['silent', /dropped without a word/],
  ])('says where large packets stop: %s', async (large, why) => {
    const diff = await check([{ small: 'answered', large }, good]);

    expect(diff).toMatchObject({ kind: 'refused', failure: { code: 'path-mtu', why: expect.stringMatching(why) } });
  });
});
