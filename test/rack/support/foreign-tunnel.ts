import type { CardName } from './layout.ts';
import type { Rack } from './rack.ts';

const subnets = { 'dpu-a': '10.98.1', 'dpu-b': '10.98.2' } as const;
const others = { 'dpu-a': 'dpu-b', 'dpu-b': 'dpu-a' } as const;
const file = '/etc/swanctl/conf.d/backup.conf';

function configuration(rack: Rack, card: CardName): string {
  const other = others[card];
  return `connections {
  backup {
    version = 2
    local_addrs = ${rack.address(card)}
    remote_addrs = ${rack.address(other)}
    proposals = aes256gcm16-prfsha384-ecp384
    encap = yes
    local {
      auth = psk
      id = ${card}.backup
    }
    remote {
      auth = psk
      id = ${other}.backup
    }
    children {
      night {
        mode = tunnel
        local_ts = ${subnets[card]}.0/24
        remote_ts = ${subnets[other]}.0/24
        esp_proposals = aes256gcm16-ecp384
      }
    }
  }
}
secrets {
  ike-backup {
    id-a = dpu-a.backup
    id-b = dpu-b.backup
    secret = "of somebody else"
  }
}
`;
}

/** Somebody else's tunnel between the two cards, over the management network: up, and with traffic. */
export async function setUpForeignTunnel(rack: Rack): Promise<void> {
  for (const card of ['dpu-a', 'dpu-b'] as const) {
    await rack.ok(card, ['tee', file], configuration(rack, card));
    await rack.sh(card, `ip address add ${subnets[card]}.1/24 dev oob0; swanctl --load-all >/dev/null`);
  }
  await rack.ok('dpu-a', ['swanctl', '--initiate', '--child', 'night']);
}

/** Its associations as strongSwan knows them, and its file: what nobody else may touch. */
export async function foreignTunnel(
  rack: Rack,
  card: CardName,
): Promise<{ readonly spis: string; readonly file: string }> {
  const sas = await rack.sh(
    card,
    "swanctl --list-sas --raw --ike backup | grep -oE 'state=[A-Z]+|spi-(in|out)=[0-9a-f]+'",
  );
  return { spis: sas, file: await rack.ok(card, ['cat', file]) };
}

/** Does it carry packets? */
export async function foreignTunnelCarries(rack: Rack): Promise<boolean> {
  const from = `${subnets['dpu-a']}.1`;
  const to = `${subnets['dpu-b']}.1`;
  return (await rack.run('dpu-a', ['ping', '-c', '2', '-i', '0.2', '-W', '1', '-I', from, to])).exitCode === 0;
}
