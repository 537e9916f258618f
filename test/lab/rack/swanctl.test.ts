import { describe, expect, it } from 'vitest';
import { variations } from '../../../src/lab/rack/layouts.ts';
import { connectionFile, ends, fullOffload, ipsecWire, protectedWire, testpmd } from './wire-helpers.ts';
import type { TestWire } from './wire-helpers.ts';

const initiate = 'sudo -n swanctl --initiate --child bf';
const newIp = '/opt/mellanox/iproute2/sbin/ip';

function xfrm(wire: TestWire, card: string, ip = newIp): string {
  return wire.arm(card, `sudo -n ${ip} xfrm state`).stdout;
}

describe('two daemons with the same secret', () => {
  it('agree on an SA that both cards hold', () => {
    const wire = ipsecWire();

    const { stdout, exitCode } = wire.arm('as7-dpu0', initiate);

    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /\[IKE\] CHILD_SA bf\{1\} established with SPIs c[\da-f]{7}_i c[\da-f]{7}_o and TS 192\.168\.50\.1\/32\[udp\/4789\] === 192\.168\.50\.2\/32\[udp\/4789\]\ninitiate completed successfully\n$/,
    );
    for (const { card } of ends) {
      expect(xfrm(wire, card).match(/crypto offload parameters: dev p0 dir (in|out) mode packet/g)).toHaveLength(2);
      expect(wire.arm(card, 'sudo -n swanctl --list-sas').stdout).toContain(
        '  bf: #1, reqid 1, INSTALLED, TRANSPORT, ESP:AES_GCM_16-128/ESN\n',
      );
    }
  });

  it('list it with --raw as the daemon sends it', () => {
    const raw = protectedWire().arm('as8-dpu0', 'sudo -n swanctl --list-sas --raw').stdout;

    expect(raw).toMatch(
      /^list-sa event \{wire \{uniqueid=1 version=2 state=ESTABLISHED local-host=192\.168\.50\.2 local-port=500 local-id=dpu2 /,
    );
    expect(raw).toMatch(
      /child-sas \{bf-1 \{name=bf uniqueid=1 reqid=1 state=INSTALLED mode=TRANSPORT protocol=ESP spi-in=c/,
    );
    expect(raw).toMatch(/\nlist-sas reply \{\}\n$/);
  });

  it('count what it carries: in swanctl, in ip -s, and in the engine of the card', () => {
    const wire = protectedWire();

    testpmd(wire, { frame: 8900 });

    const { stdout } = wire.arm(
      'as8-dpu0',
      'ethtool -S p0; sudo -n swanctl --list-sas --raw; sudo -n ip -s xfrm state',
    );
    const engine = Number(/ipsec_rx_pkts: (\d+)/.exec(stdout)?.[1]);
    expect(engine).toBeGreaterThan(1_000_000);
    expect(Number(/packets-in=(\d+)/.exec(stdout)?.[1])).toBe(engine);
    expect(stdout).toMatch(/lifetime current:\n\t {2}\d{10,}\(bytes\), \d{6,}\(packets\)/);
  });

  it('see no mode in the lines of the iproute2 of the system, and no key that anybody uses', () => {
    const wire = protectedWire();

    const old = xfrm(wire, 'as7-dpu0', 'ip');

    expect(old).toContain('\tcrypto offload parameters: dev p0 dir out\n');
    expect(old).not.toContain('mode packet');
    expect(wire.arm('as7-dpu0', `sudo -n ${newIp} xfrm policy`).stdout).toContain(
      '\tcrypto offload parameters: dev p0 mode packet\n',
    );
    expect(wire.arm('as7-dpu0', 'sudo -n ip xfrm state count').stdout).toBe('\t SAD count 2\n');
  });

  it('end it on both sides when one side says so, and nothing else', () => {
    const wire = protectedWire();

    expect(wire.arm('as7-dpu0', 'sudo -n swanctl --terminate --ike other')).toMatchObject({ exitCode: 1 });
    expect(wire.arm('as7-dpu0', 'sudo -n swanctl --terminate --ike wire').exitCode).toBe(0);

    for (const { card } of ends) expect(wire.arm(card, 'sudo -n swanctl --list-sas').stdout).toBe('');
    expect(wire.arm('as7-dpu0', 'sudo -n swanctl --list-conns').stdout).toMatch(/^wire: IKEv2, /);
  });

  it('bring it up by themselves when a packet meets a trap', () => {
    const wire = ipsecWire();
    const file = '/etc/swanctl/conf.d/wire.conf';
    wire.arm(
      'as7-dpu0',
      `sudo -n sed -i 's/mode = transport/mode = transport\\n        start_action = trap/' ${file} && sudo -n swanctl --load-all`,
    );
    expect(xfrm(wire, 'as7-dpu0')).toBe('');

    expect(wire.host('as7', 'ping -c 1 192.168.60.2').exitCode).toBe(0);

    expect(xfrm(wire, 'as8-dpu0')).toContain('mode packet');
  });
});

describe('an attempt that fails', () => {
  const reasons: [string, (wire: TestWire) => void, RegExp][] = [
    [
      'the secrets differ',
      (wire) => other(wire, connectionFile(2, { secret: 'xyz' })),
      /received AUTHENTICATION_FAILED notify error/,
    ],
    [
      'the names differ',
      (wire) => other(wire, connectionFile(2).replaceAll('dpu1', 'dpu9')),
      /received AUTHENTICATION_FAILED notify error/,
    ],
    [
      'the algorithms differ',
      (wire) => other(wire, connectionFile(2, { esp: 'aes256gcm128-esn' })),
      /received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built/,
    ],
    [
      'the selectors do not meet',
      (wire) => other(wire, connectionFile(2).replaceAll('4789', '4790')),
      /received TS_UNACCEPTABLE notify, no CHILD_SA built/,
    ],
    ['the other side has no such connection', (wire) => other(wire, ''), /received NO_PROPOSAL_CHOSEN notify error/],
    [
      'the other daemon is stopped',
      (wire) => void wire.arm('as8-dpu0', 'sudo -n systemctl stop strongswan'),
      /giving up after 5 retransmits/,
    ],
    ['the cable is out', (wire) => wire.rack.injectFault('link-down', { target: 'as8-dpu0' }), /peer not responding/],
    [
      'the uplink is a port of a bridge',
      (wire) => void wire.arm('as8-dpu0', 'sudo -n ovs-vsctl add-port ovsbr1 p0'),
      /peer not responding/,
    ],
  ];

  it.each(reasons)('because %s says so and exits with 1', (_title, spoil, text) => {
    const wire = ipsecWire();
    spoil(wire);

    const { stdout, stderr, exitCode } = wire.arm('as7-dpu0', initiate);

    expect(exitCode).toBe(1);
    expect(stdout).toMatch(text);
    expect(stderr).toBe("initiate failed: establishing CHILD_SA 'bf' failed\n");
    expect(xfrm(wire, 'as7-dpu0')).toBe('');
  });

  it('ends sooner with --timeout, and names a child that is not loaded', () => {
    const wire = ipsecWire();
    wire.arm('as8-dpu0', 'sudo -n systemctl stop strongswan');

    expect(wire.arm('as7-dpu0', `${initiate} --timeout 10`)).toMatchObject({
      exitCode: 1,
      stderr: "initiate failed: CHILD_SA 'bf' not established after 10000ms\n",
    });
    expect(wire.arm('as7-dpu0', 'sudo -n swanctl -i --child nope').stderr).toBe(
      "initiate failed: CHILD_SA config 'nope' not found\n",
    );
  });
});

describe('what the hardware takes of an SA', () => {
  const refusals: [string, () => TestWire, RegExp][] = [
    [
      'a card without crypto engines',
      () => ipsecWire([{}, { offload: 'no' }], variations.noCrypto()),
      /\[KNL\] HW offload is not supported by device p0/,
    ],
    [
      'one that looks like it',
      () => withFault('crypto-less-no-offload'),
      /\[KNL\] HW offload is not supported by device p0/,
    ],
    [
      'a driver that refuses',
      () => withFault('hw-offload-refused'),
      /mlx5_core: Device failed to offload this state \(22\)\n\[KNL\] unable to add SAD entry with SPI c[\da-f]{7} \(FAILED\)/,
    ],
    ['software-managed steering', softwareSteering, /mlx5_core: Device failed to offload this state \(22\)/],
  ];

  it.each(refusals)('%s refuses packet offload aloud, and leaves an IKE SA without a child', (_title, make, text) => {
    const wire = make();

    const { stdout, exitCode } = wire.arm('as7-dpu0', initiate);

    expect(exitCode).toBe(1);
    expect(stdout).toMatch(text);
    expect(wire.arm('as7-dpu0', 'sudo -n swanctl --list-sas --raw').stdout).toContain('child-sas {}');
  });

  it('auto falls back in silence', () => {
    const wire = ipsecWire([{ offload: 'auto' }, { offload: 'auto' }]);
    for (const { card } of ends) wire.rack.injectFault('hw-offload-refused', { target: card });

    expect(wire.arm('as7-dpu0', initiate).exitCode).toBe(0);

    expect(xfrm(wire, 'as7-dpu0')).toContain('proto esp');
    expect(xfrm(wire, 'as7-dpu0')).not.toContain('offload');
  });

  it('a strongSwan that takes packet for auto says nothing and leaves crypto', () => {
    const wire = ipsecWire();
    wire.rack.injectFault('ipsec-auto-fallback');

    expect(wire.arm('as7-dpu0', initiate).exitCode).toBe(0);

    expect(xfrm(wire, 'as7-dpu0').match(/mode crypto/g)).toHaveLength(2);
    expect(testpmd(wire, { frame: 8900 }).receivedGbps).toBeLessThan(10);
    expect(wire.arm('as7-dpu0', 'ethtool -S p0 | grep ipsec_tx_pkts').stdout.trim()).toBe('ipsec_tx_pkts: 0');
  });
});

function other(wire: TestWire, text: string): void {
  wire.arm('as8-dpu0', 'sudo -n tee /etc/swanctl/conf.d/wire.conf', text);
  wire.arm('as8-dpu0', 'sudo -n swanctl --load-all');
}

function withFault(name: string): TestWire {
  const wire = ipsecWire();
  wire.rack.injectFault(name, { target: 'as7-dpu0' });
  return wire;
}

function softwareSteering(): TestWire {
  const wire = ipsecWire();
  wire.arm('as7-dpu0', `sudo -n sed -i 's/="yes"/="no"/' /etc/mellanox/mlnx-bf.conf; sudo -n mlnx_bf_configure`);
  fullOffload(wire, 'as8-dpu0');
  return wire;
}
