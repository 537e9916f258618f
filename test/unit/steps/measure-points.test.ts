import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { PairEnd } from '../../../src/domain/pairs.ts';
import { hostCidrs, isRouted, subnetOf, whyNot } from '../../../src/steps/bench-topology.ts';
import { longestFrame, pointGroups } from '../../../src/steps/measure-points.ts';
import { Profile } from '../../../src/domain/inventory.ts';
import { shortBench } from '../../support/bench-measuring.ts';
import { progressText } from '../../../src/steps/measure-follow.ts';

describe('the points of a bench', () => {
  it('are one each way, with a frame that every link lets through', () => {
    const [group, ...others] = pointGroups(shortBench, 9000);

    expect(others).toEqual([]);
    expect(group?.points.map(({ id, point }) => [id, point.direction, point.frameBytes, point.sas])).toEqual([
      ['p1', 'a-to-b', 1500, 0],
      ['p2', 'b-to-a', 1500, 0],
    ]);
  });

  it('of iperf3 have no frame', () => {
    const [group] = pointGroups({ ...shortBench, tool: 'iperf3' }, 9000);

    expect(group?.points.every(({ point }) => !('frameBytes' in point))).toBe(true);
  });

  it('of a sweep are all combinations, each once, under numbers without a gap', () => {
    const values = fc.uniqueArray(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(values, values, values, values, (mtus, sas, streams, frames) => {
        const params = {
          ...shortBench,
          kind: 'ipsec' as const,
          mtusBytes: mtus.map((value) => 1300 + value),
          sas,
          streams,
          framesBytes: frames.map((value) => 64 + value),
        };
        const groups = pointGroups(params, 1500);
        const points = groups.flatMap((group) => group.points);
        expect(new Set(points.map(({ point }) => JSON.stringify(point))).size).toBe(points.length);
        expect(points).toHaveLength(2 * mtus.length * sas.length * streams.length * frames.length);
        expect(points.map(({ id }) => id)).toEqual(points.map((_one, index) => `p${index + 1}`));
        for (const group of groups)
          for (const { point } of group.points)
            expect([point.mtuBytes, point.sas]).toEqual([group.mtuBytes, group.sas]);
      }),
    );
  });

  it('have frames of at most the MTU and its Ethernet header', () => {
    const [group] = pointGroups(shortBench, 1400);

    expect(longestFrame(1400)).toBe(1414);
    expect(group?.points[0]?.point.frameBytes).toBe(1414);
  });
});

describe('addresses of a pair', () => {
  const end = PairEnd.parse({
    card: 'as7-dpu0',
    hostAddress: '192.168.50.1/24',
    routed: { host: '10.1.0.2/24', card: '10.1.0.1/24' },
  });
  const entry = { ...end, host: 'as7' };

  it('are that of the host where the cards bridge, and one for each association where they route', () => {
    expect(hostCidrs(entry, undefined)).toEqual(['192.168.50.1/24']);
    expect(hostCidrs(entry, { sas: 2 })).toEqual(['10.1.0.2/24', '10.1.0.3/24']);
  });

  it.each([
    ['10.1.0.2/24', '10.1.0.0/24'],
    ['172.16.5.200/20', '172.16.0.0/20'],
    ['192.168.1.6/30', '192.168.1.4/30'],
    ['255.255.255.254/30', '255.255.255.252/30'],
  ])('lie in their subnet: %s in %s', (address, subnet) => {
    expect(subnetOf(address)).toBe(subnet);
  });

  it('may be as many as lie below the broadcast address, and none may be the card itself', () => {
    expect(whyNot(entry, 253)).toBeUndefined();
    expect(whyNot(entry, 254)).toContain('has no 254 addresses');
    const above = { ...entry, routed: { host: '10.1.0.2/24', card: '10.1.0.4/24' } };
    expect(whyNot(above, 2)).toBeUndefined();
    expect(whyNot(above, 3)).toContain('10.1.0.4');
    const { routed: _none, ...bridged } = entry;
    expect(whyNot(bridged, 1)).toContain('no `routed` addresses');
  });

  it('are routed in tunnel mode of IPsec only', () => {
    const ipsec = { auth: { kind: 'psk', secret: 'psk' } };
    expect(isRouted('ipsec', Profile.parse({ ipsec: { ...ipsec, mode: 'tunnel' } }))).toBe(true);
    expect(isRouted('ipsec', Profile.parse({ ipsec }))).toBe(false);
    expect(isRouted('raw', Profile.parse({ ipsec: { ...ipsec, mode: 'tunnel' } }))).toBe(false);
  });
});

describe('the sign of life', () => {
  it.each([
    [{ ranS: 1, warmUpS: 3, durationS: 30, rate: undefined }, 'x, warming up'],
    [{ ranS: 15.4, warmUpS: 3, durationS: 30, rate: 388.4 }, 'x, 12 of 30 s, 388 Gb/s'],
    [{ ranS: 40, warmUpS: 3, durationS: 30, rate: 3.456 }, 'x, 30 of 30 s, 3.46 Gb/s'],
  ])('of %j is "%s"', (at, text) => {
    expect(progressText('x', at)).toBe(text);
  });
});
