import { describe, expect, it } from 'vitest';
import type { HostSession } from '../../../src/domain/device-ports.ts';
import type { Diff, End } from '../../../src/domain/step.ts';
import { parseSas } from '../../../src/facts/swanctl.ts';
import { checkPath } from '../../../src/steps/check-path.ts';
import { beliefText } from '../../../src/steps/ipsec-belief.ts';
import { setUpIpsec } from '../../../src/steps/set-up-ipsec.ts';
import { createBenchMemory } from '../../support/bench-context.ts';
import { fixture } from '../../support/fixture.ts';
import type { IpsecWorld } from '../../support/ipsec-world.ts';
import { createIpsecWorld, ipsecContext, tunnel } from '../../support/ipsec-world.ts';

/** IPsec is up, and then every ping is lost. */
async function checkAfter(trouble: (world: IpsecWorld) => void, ipsec = true): Promise<Diff> {
  const world = createIpsecWorld();
  const context = ipsecContext(world, createBenchMemory(), tunnel);
  const observed = await setUpIpsec.observe(context, { sas: 1 });
  await setUpIpsec.apply?.(context, [], { sas: 1 }, observed);
  trouble(world);
  const silent = (end: End<HostSession>): End<HostSession> => {
    const read: HostSession['read'] = async (command, options) =>
      command.argv[0] === 'ping'
        ? { stdout: fixture('ping/nobody.txt'), stderr: '', exitCode: 1, truncated: false, durationMs: 1 }
        : end.host.read(command, options);
    return { ...end, host: { ...end.host, read } };
  };
  if (context.pair === undefined) throw new Error('no pair');
  const [a, b] = context.pair.ends;
  const seen = { ...context, pair: { ...context.pair, ends: [silent(a), silent(b)] as const } };
  const params = { routed: true, ipsec };
  return checkPath.diff(await checkPath.observe(seen, params), params, context.dpu);
}

describe('a path through IPsec on which nothing answers', () => {
  it('is told with what each card believes: INSTALLED on one, and no strongSwan on the other', async () => {
    const diff = await checkAfter((world) => {
      world.cards[1].isRunning = false;
    });

    expect(diff).toMatchObject({ kind: 'refused', failure: { code: 'ipsec-path-dead' } });
    expect(diff.kind === 'refused' && diff.failure.why).toMatch(
      /On as7-dpu0 strongSwan says INSTALLED \(8 packets out, 0 in\), on as8-dpu0 strongSwan does not run/,
    );
  });

  it('is told where the other card has forgotten the association, or cannot be asked', async () => {
    const forgotten = await checkAfter((world) => {
      world.cards[1].sas.length = 0;
    });
    const mute = await checkAfter((world) => {
      world.cards[1].isInstalled = false;
    });

    expect(forgotten.kind === 'refused' && forgotten.failure.why).toMatch(/as8-dpu0 strongSwan has no association/);
    expect(mute.kind === 'refused' && mute.failure.why).toMatch(/as8-dpu0 strongSwan could not be asked \(.*swanctl/);
  });

  it('is a dead wire where nothing is encrypted', async () => {
    const diff = await checkAfter(() => undefined, false);

    expect(diff).toMatchObject({ kind: 'refused', failure: { code: 'path-dead' } });
  });
});

describe('what a card believes of its connection', () => {
  it.each([
    ['list-sas-dead-peer', 'says INSTALLED (8 packets out, 0 in)'],
    ['list-sas-connecting', 'is CONNECTING without an association in use'],
    ['list-sas-none', 'has no association of this pair'],
  ])('is read off its list: %s', (name, text) => {
    const sas = parseSas('a', fixture(`swanctl/${name}.txt`));

    expect(beliefText('wire', { connections: ['wire'], sas })).toBe(text);
  });
});
