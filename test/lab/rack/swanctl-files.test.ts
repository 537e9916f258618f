import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connectionFile, ends, protectedWire, testpmd, tunedWire } from './wire-helpers.ts';

describe('a dead peer', () => {
  it('is not noticed by the other side: its SA stays, packets go out and none comes back', () => {
    const wire = protectedWire();
    wire.rack.card('as8-dpu0').resetArm();
    wire.advance(120_000);
    for (const { card, number } of ends.slice(1)) {
      wire.arm(card, `sudo -n ovs-vsctl del-port ovsbr1 p0; sudo -n ip addr add 192.168.50.${number}/24 dev p0`);
      wire.arm(card, 'for each in p0 pf0hpf; do sudo -n ip link set $each mtu 9216; done');
    }

    testpmd(wire, { frame: 1500 });
    const raw = wire.arm('as7-dpu0', 'sudo -n swanctl --list-sas --raw').stdout;

    expect(raw).toContain('state=INSTALLED');
    expect(Number(/packets-out=(\d+)/.exec(raw)?.[1])).toBeGreaterThan(1_000_000);
    expect(raw).toContain('packets-in=0');
    expect(wire.host('as7', 'ping -c 1 -W 1 192.168.60.2').exitCode).toBe(1);
  });
});

describe('loading', () => {
  it('refuses values it does not know, keeps the good connections, and unloads what is gone', () => {
    const wire = tunedWire();
    const [card] = ends.map((end) => end.card);
    const file = '/etc/swanctl/conf.d/wire.conf';
    wire.arm(card ?? '', `sudo -n tee ${file}`, connectionFile(1));
    wire.arm(
      card ?? '',
      'sudo -n tee /etc/swanctl/conf.d/bad.conf',
      connectionFile(1, { offload: 'fast' }).replaceAll('wire', 'bad'),
    );

    expect(wire.arm(card ?? '', 'sudo -n swanctl --load-conns')).toMatchObject({
      exitCode: 22,
      stdout: "loaded connection 'wire'\n",
      stderr:
        "loading connection 'bad' failed: invalid value for: hw_offload, config discarded\nloaded 1 of 2 connections, 1 failed to load, 0 unloaded\n",
    });
    wire.arm(card ?? '', 'sudo -n rm /etc/swanctl/conf.d/bad.conf /etc/swanctl/conf.d/wire.conf');

    expect(wire.arm(card ?? '', 'sudo -n swanctl --load-conns').stdout).toBe('no connections found, 1 unloaded\n');
  });

  it('takes a file that ends too early for an empty one and says so, and needs root and the daemon', () => {
    const wire = tunedWire();
    const { card } = ends[0];
    wire.arm(card, 'sudo -n tee /etc/swanctl/conf.d/wire.conf', 'connections {\n  wire {\n');

    expect(wire.arm(card, 'sudo -n swanctl --load-all')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('no connections found, 0 unloaded\n'),
      stderr: expect.stringContaining('syntax error, unexpected end of file'),
    });
    expect(wire.arm(card, 'swanctl --load-all')).toMatchObject({ exitCode: 13 });
    wire.arm(card, 'sudo -n systemctl stop strongswan');

    expect(wire.arm(card, 'systemctl is-active strongswan')).toMatchObject({ exitCode: 3, stdout: 'inactive\n' });
    expect(wire.arm(card, 'sudo -n swanctl --list-sas').stderr).toContain(
      "connecting to 'unix:///var/run/charon.vici' failed: Connection refused",
    );
  });

  it('reads any names and values that strongSwan reads', () => {
    const wire = tunedWire();
    const { card } = ends[0];
    const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,12}$/);

    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 4 }), fc.boolean(), (names, inOneLine) => {
        const blank = inOneLine ? ' ' : '\n  ';
        const text = names.map(
          (each) =>
            `${each} {${blank}version = 2\n local_addrs = 10.0.0.1 # here\n children { c { mode = tunnel\n } } }\n`,
        );
        wire.arm(card, 'sudo -n tee /etc/swanctl/conf.d/x.conf', `connections {\n${text.join('')}}\n`);
        const { stdout } = wire.arm(
          card,
          'sudo -n swanctl --load-conns > /dev/null; sudo -n swanctl --list-conns --raw',
        );

        expect([...stdout.matchAll(/^list-conn event \{([\w-]+) /gm)].map((match) => match[1])).toEqual(names);
      }),
      { numRuns: 25 },
    );
  });
});
