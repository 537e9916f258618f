import { addresses } from './inventory.ts';
import { type CardName, cards, type HostName } from './layout.ts';
import type { Rack } from './rack.ts';

const ends = [
  { card: 'dpu-a', other: 'dpu-b' },
  { card: 'dpu-b', other: 'dpu-a' },
] as const satisfies readonly { card: CardName; other: CardName }[];
const file = '/etc/swanctl/conf.d/by-hand.conf';

function subnet(address: string): string {
  return address.replace(/\.\d+$/, '.0/24');
}

function configuration(card: CardName, other: CardName): string {
  return `connections {
  by-hand {
    version = 2
    local_addrs = ${addresses[card].wire}
    remote_addrs = ${addresses[other].wire}
    proposals = aes256gcm16-prfsha384-ecp384
    encap = yes
    local {
      auth = psk
      id = ${card}.by-hand
    }
    remote {
      auth = psk
      id = ${other}.by-hand
    }
    children {
      all {
        mode = tunnel
        local_ts = ${subnet(addresses[card].routedHost)}
        remote_ts = ${subnet(addresses[other].routedHost)}
        esp_proposals = aes256gcm16-ecp384
      }
    }
  }
}
secrets {
  ike-by-hand {
    id-a = dpu-a.by-hand
    id-b = dpu-b.by-hand
    secret = "typed by hand"
  }
}
`;
}

/** Puts a tunnel between the cards as a person would, does something over it, and takes it away again. */
export async function overTunnelByHand<T>(rack: Rack, work: () => Promise<T>): Promise<T> {
  for (const { card, other } of ends) {
    const { wire, routedCard, routedHost } = addresses[card];
    const host: HostName = cards[card].host;
    await rack.ok(card, ['tee', file], configuration(card, other));
    await rack.sh(
      card,
      `ovs-vsctl del-port ovsbr1 p0 -- del-port ovsbr1 pf0hpf
       ip address add ${wire}/30 dev p0
       ip address add ${routedCard}/24 dev pf0hpf
       sysctl -qw net.ipv4.ip_forward=1
       swanctl --load-all >/dev/null`,
    );
    await rack.sh(
      host,
      `ip address add ${routedHost}/24 dev ens1f0np0
       ip route add ${subnet(addresses[other].routedHost)} via ${routedCard}`,
    );
  }
  await rack.ok('dpu-a', ['swanctl', '--initiate', '--child', 'all']);
  try {
    return await work();
  } finally {
    await rack.run('dpu-a', ['swanctl', '--terminate', '--ike', 'by-hand']);
    for (const { card } of ends) {
      await rack.sh(cards[card].host, 'ip address flush dev ens1f0np0');
      await rack.sh(
        card,
        `rm ${file}; swanctl --load-all >/dev/null; sysctl -qw net.ipv4.ip_forward=0
         ip address flush dev p0; ip address flush dev pf0hpf
         ovs-vsctl add-port ovsbr1 p0 -- add-port ovsbr1 pf0hpf`,
      );
    }
  }
}
