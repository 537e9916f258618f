import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PairSliceEnd } from '../../../src/domain/pairs.ts';
import { PairEnd } from '../../../src/domain/pairs.ts';
import { Ipsec, Name } from '../../../src/domain/profile.ts';
import { Secret } from '../../../src/domain/secret.ts';
import type { IpsecSides } from '../../../src/steps/ipsec-conf.ts';
import { childrenOf, connectionName, connectionText, ipsecFiles } from '../../../src/steps/ipsec-conf.ts';
import { offloadRefusal, whoRefused } from '../../../src/steps/ipsec-failure.ts';
import { connectionWithSecret, pemPart, quoted } from '../../../src/steps/ipsec-secret.ts';
import { fixture } from '../../support/fixture.ts';

const auth = { kind: 'psk', secret: 'ipsec-psk' };

function endOf(index: 1 | 2): PairSliceEnd {
  const entry = {
    card: `as${index}-dpu0`,
    hostAddress: `192.168.50.${index}/24`,
    wireAddress: `10.0.0.${index}/30`,
    routed: { host: `10.${index}.0.2/24`, card: `10.${index}.0.1/24` },
  };
  return { ...PairEnd.parse(entry), host: `as${index}` };
}

function sidesOf(end: 'a' | 'b', change: object = {}, sas = 1): IpsecSides {
  const [own, other] = end === 'a' ? [endOf(1), endOf(2)] : [endOf(2), endOf(1)];
  return { pair: 'wire1', end, own, other, ipsec: Ipsec.parse({ auth, ...change }), sas };
}

/** As strongSwan reads a quoted string and decodes a secret. */
function readBack(text: string): string {
  const inner = text.slice(1, -1).replace(/\\(.)/gs, '$1');
  return inner.startsWith('0s') ? Buffer.from(inner.slice(2), 'base64').toString('utf8') : inner;
}

describe('what is encrypted', () => {
  it('in transport mode is VXLAN, whose source port is any, with associations of its own each way', () => {
    expect(childrenOf(sidesOf('a'))).toEqual([
      { name: 'a-to-b', localTs: '10.0.0.1/32[udp]', remoteTs: '10.0.0.2/32[udp/4789]' },
      { name: 'b-to-a', localTs: '10.0.0.1/32[udp/4789]', remoteTs: '10.0.0.2/32[udp]' },
    ]);
  });

  it.each([
    ['transport', 1],
    ['tunnel', 1],
    ['tunnel', 5],
  ])('in %s mode with %i associations is the same on both cards, seen from the other side', (mode, sas) => {
    const [a, b] = [childrenOf(sidesOf('a', { mode }, sas)), childrenOf(sidesOf('b', { mode }, sas))];

    expect(a.map(({ name }) => name)).toEqual(b.map(({ name }) => name));
    expect(a.map(({ localTs, remoteTs }) => [localTs, remoteTs])).toEqual(
      b.map(({ localTs, remoteTs }) => [remoteTs, localTs]),
    );
  });

  it('in tunnel mode is the whole subnets, or one host address for each of several associations', () => {
    expect(childrenOf(sidesOf('a', { mode: 'tunnel' }))).toEqual([
      { name: 'sa1', localTs: '10.1.0.0/24', remoteTs: '10.2.0.0/24' },
    ]);
    expect(
      childrenOf(sidesOf('a', { mode: 'tunnel' }, 3)).map(({ localTs, remoteTs }) => `${localTs} ${remoteTs}`),
    ).toEqual(['10.1.0.2/32 10.2.0.2/32', '10.1.0.3/32 10.2.0.3/32', '10.1.0.4/32 10.2.0.4/32']);
  });
});

describe('the connection file', () => {
  it('asks for packet offload, so that a fall-back to the Arm fails', () => {
    expect(connectionText(sidesOf('b'))).toBe(`# Written by dpubot, and removed when the measurement is over.
connections {
  dpubot-wire1 {
    version = 2
    mobike = no
    reauth_time = 0
    local_addrs = 10.0.0.2
    remote_addrs = 10.0.0.1
    proposals = aes128-sha256-x25519
    local {
      auth = psk
      id = dpubot-wire1-b
    }
    remote {
      auth = psk
      id = dpubot-wire1-a
    }
    children {
      a-to-b {
        mode = transport
        local_ts = 10.0.0.2/32[udp/4789]
        remote_ts = 10.0.0.1/32[udp]
        esp_proposals = aes128gcm128-x25519-esn
        policies_fwd_out = yes
        hw_offload = packet
      }
      b-to-a {
        mode = transport
        local_ts = 10.0.0.2/32[udp]
        remote_ts = 10.0.0.1/32[udp/4789]
        esp_proposals = aes128gcm128-x25519-esn
        policies_fwd_out = yes
        hw_offload = packet
      }
    }
  }
}
`);
  });

  it('leaves the key of the offload out where none is wanted, and forces UDP where the profile says so', () => {
    const text = connectionText(sidesOf('a', { mode: 'tunnel', offload: 'no', encap: true }));

    expect(text).not.toContain('hw_offload');
    expect(text).toContain('encap = yes');
  });

  it('is a secret as a whole, and holds the shared one unchanged, whatever is in it', () => {
    const word = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.string({ unit: 'binary', minLength: 1 }),
      fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', '#', '\n', '=', '0', 's', 'x'), minLength: 1 }),
    );
    const around = connectionWithSecret(sidesOf('a'), new Secret('x')).reveal().split('secret = "x"');
    fc.assert(
      fc.property(word, (psk) => {
        const file = connectionWithSecret(sidesOf('a'), new Secret(psk));
        const text = file.reveal();

        expect(JSON.stringify({ file, text: String(file) })).toBe('{"file":"[secret]","text":"[secret]"}');
        expect([text.slice(0, around[0]?.length), text.slice(-(around[1]?.length ?? 0))]).toEqual(around);
        const value = text.slice((around[0]?.length ?? 0) + 'secret = '.length, -(around[1]?.length ?? 0));
        expect(value).toMatch(/^"(?:[^"\\\n]|\\["\\])*"$/);
        expect(readBack(value)).toBe(psk.trim());
      }),
    );
  });

  it('shows no value as an encoding that it is not', () => {
    expect(quoted('0x1234')).toBe('"0sMHgxMjM0"');
    expect(quoted('0Sabc')).not.toBe('"0Sabc"');
    expect(quoted('a "b" \\')).toBe(String.raw`"a \"b\" \\"`);
  });

  it('has for every pair a name and files of its own that strongSwan can read', () => {
    const name = fc
      .stringMatching(/^[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?$/)
      .filter((one) => Name.safeParse(one).success);
    fc.assert(
      fc.property(name, name, (one, other) => {
        expect(connectionName(one)).toMatch(/^dpubot-[a-z0-9_-]+$/);
        expect(connectionName(one) === connectionName(other)).toBe(one === other);
        expect(ipsecFiles(one).connection).toMatch(/^\/etc\/swanctl\/conf\.d\/[^/]+\.conf$/);
      }),
    );
  });

  it('takes the first part of the kind out of PEM, and knows when there is none', () => {
    const block = (kind: string): string => `-----BEGIN ${kind}-----\nMII\n-----END ${kind}-----`;
    const bundle = new Secret(`text\n${block('RSA PRIVATE KEY')}\n${block('CERTIFICATE')}\n${block('CERTIFICATE')}\n`);

    expect(pemPart(bundle, 'PRIVATE KEY')?.reveal()).toBe(`${block('RSA PRIVATE KEY')}\n`);
    expect(pemPart(bundle, 'CERTIFICATE')?.reveal()).toBe(`${block('CERTIFICATE')}\n`);
    expect(pemPart(new Secret('no PEM'), 'CERTIFICATE')).toBeUndefined();
    expect(String(pemPart(bundle, 'PRIVATE KEY'))).toBe('[secret]');
  });
});

describe('a refusal of the hardware', () => {
  const refused = '06[KNL] <wire|1> HW offload is not supported by device p0';

  it('is known by what strongSwan says of it', () => {
    expect(offloadRefusal('[KNL] HW offload is not supported by kernel\n')).toBe(
      'HW offload is not supported by kernel',
    );
    expect(
      offloadRefusal('[KNL] received netlink error: mlx5_core: Device failed to offload this state (22)'),
    ).toContain('(22)');
    expect(offloadRefusal(fixture('swanctl/initiate-no-esp.txt'))).toBeUndefined();
    expect(offloadRefusal(fixture('swanctl/initiate-wrong-psk.txt'))).toBeUndefined();
  });

  it('of the other card stands in its log only, and counts only where hardware was asked', () => {
    const output = fixture('swanctl/initiate-no-esp.txt');

    expect(whoRefused({ isOffloadWanted: true }, output, refused)?.side).toBe('other');
    expect(whoRefused({ isOffloadWanted: true }, refused, '')?.side).toBe('own');
    expect(whoRefused({ isOffloadWanted: false }, output, refused)).toBeUndefined();
    expect(whoRefused({ isOffloadWanted: true }, fixture('swanctl/initiate-wrong-psk.txt'), refused)).toBeUndefined();
  });
});
