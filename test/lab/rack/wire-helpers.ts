/** Two hosts and two Arms with a cable between them, as somebody would set them up by hand. */
import { rack1 } from '../../../src/lab/rack/layouts.ts';
import type { RackLayout } from '../../../src/lab/rack/layout.ts';
import { testRack } from './helpers.ts';
import type { TestRack } from './helpers.ts';

export interface Result {
  stdout: string;
  stderr: string;
  exitCode: number | null;
}

/** One end: its host, its card, the last byte of its addresses. */
export const ends = [
  { host: 'as7', card: 'as7-dpu0', number: 1 },
  { host: 'as8', card: 'as8-dpu0', number: 2 },
] as const;

/** The link of the card's first port on a host, and the address it gets. */
export const link = 'ens3f0np0';
export const hostAddress = (number: number): string => `192.168.60.${number}`;
export const wireAddress = (number: number): string => `192.168.50.${number}`;

/** A wire with commands for both kinds of machine; the clock goes on by what each takes. */
export interface TestWire extends TestRack {
  host(name: string, line: string, stdin?: string): Result;
  arm(name: string, line: string, stdin?: string): Result;
}

function wireOn(test: TestRack): TestWire {
  const done = (result: Result & { takesMs?: number }): Result => {
    test.advance(result.takesMs ?? 0);
    test.rack.tick();
    const { stdout, stderr, exitCode } = result;
    return { stdout, stderr, exitCode };
  };
  return {
    ...test,
    host: (name, line, stdin = '') => done(test.rack.host(name).exec('ops', line, stdin)),
    arm: (name, line, stdin = '') => done(test.rack.card(name).armExec('ubuntu', line, stdin)),
  };
}

/** A rack nobody has touched. */
export function plainWire(layout: RackLayout = rack1(), seed = 1): TestWire {
  return wireOn(testRack(layout, seed));
}

/** Jumbo frames, addresses and huge pages on both sides: what `raw` needs to be fast. */
export function tunedWire(layout: RackLayout = rack1(), seed = 1): TestWire {
  const wire = plainWire(layout, seed);
  for (const { host, card, number } of ends) {
    wire.arm(card, 'for each in p0 pf0hpf; do sudo -n ip link set $each mtu 9216; done');
    wire.host(host, `sudo -n ip link set ${link} mtu 9000; sudo -n ip addr add ${hostAddress(number)}/24 dev ${link}`);
    const pages = '/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages';
    wire.host(host, `echo 4096 | sudo -n tee ${pages}`);
  }
  return wire;
}

export interface IpsecWish {
  offload?: string;
  secret?: string;
  mode?: 'transport' | 'tunnel';
  esp?: string;
}

/** swanctl.conf of one end: VXLAN between the two Arms in ESP. */
export function connectionFile(number: number, { offload = 'packet', secret = 'abc', esp }: IpsecWish = {}): string {
  const other = 3 - number;
  return `connections {
  wire {
    local_addrs = ${wireAddress(number)}
    remote_addrs = ${wireAddress(other)}
    version = 2
    proposals = aes128-sha256-x25519
    local {
      auth = psk
      id = dpu${number}
    }
    remote {
      auth = psk
      id = dpu${other}
    }
    children {
      bf {
        local_ts = ${wireAddress(number)}/32[udp/4789]
        remote_ts = ${wireAddress(other)}/32[udp/4789]
        esp_proposals = ${esp ?? 'aes128gcm128-x25519-esn'}
        mode = transport
        hw_offload = ${offload}
      }
    }
  }
}
secrets {
  ike-wire {
    id-1 = dpu1
    id-2 = dpu2
    secret = "${secret}"
  }
}
`;
}

/** The image's own way to SAs in hardware. */
export function fullOffload(wire: TestWire, card: string): void {
  const file = '/etc/mellanox/mlnx-bf.conf';
  wire.arm(card, `sudo -n sed -i 's/^IPSEC_FULL_OFFLOAD=.*/IPSEC_FULL_OFFLOAD="yes"/' ${file}`);
  wire.arm(card, 'sudo -n mlnx_bf_configure; sudo -n ip link set pf0hpf mtu 9216');
}

/** p0 out of the bridge with an address of its own, and a tunnel in its place. */
export function tunnelBridge(wire: TestWire, card: string, number: number): void {
  wire.arm(
    card,
    `sudo -n ovs-vsctl --if-exists del-port ovsbr1 p0 && sudo -n ip addr add ${wireAddress(number)}/24 dev p0 && ` +
      'sudo -n ovs-vsctl --may-exist add-port ovsbr1 vxlan0 -- set interface vxlan0 type=vxlan ' +
      `options:local_ip=${wireAddress(number)} options:remote_ip=${wireAddress(3 - number)} options:key=100 options:dst_port=4789`,
  );
}

/** A tuned wire whose Arms put everything into VXLAN and ESP; `initiate` is left to the test. */
export function ipsecWire(wishes: [IpsecWish, IpsecWish] = [{}, {}], layout?: RackLayout): TestWire {
  const wire = tunedWire(layout);
  for (const [index, { card, number }] of ends.entries()) {
    fullOffload(wire, card);
    tunnelBridge(wire, card, number);
    wire.arm(card, 'sudo -n tee /etc/swanctl/conf.d/wire.conf', connectionFile(number, wishes[index]));
    wire.arm(card, 'sudo -n swanctl --load-all');
  }
  return wire;
}

/** The same with its SA up. */
export function protectedWire(wishes?: [IpsecWish, IpsecWish], layout?: RackLayout): TestWire {
  const wire = ipsecWire(wishes, layout);
  wire.arm('as7-dpu0', 'sudo -n swanctl --initiate --child bf');
  return wire;
}

export interface PmdWish {
  frame?: number;
  cores?: string;
  queues?: number;
  seconds?: number;
  multiFlow?: boolean;
  back?: boolean;
}

/** What a receiver of frames counted: Gb/s in its steadiest second, and the totals at its end. */
export interface PmdResult {
  receivedGbps: number;
  sentGbps: number;
  received: string;
  sent: string;
}

function rates(log: string, label: 'Rx' | 'Tx'): number {
  const found = [...log.matchAll(new RegExp(`${label}-bps: +(\\d+)`, 'g'))].map((match) => Number(match[1]) / 1e9);
  const whole = found.slice(2, -2);
  return whole.reduce((sum, each) => sum + each, 0) / Math.max(1, whole.length);
}

/** Frames from one host to the other, with the receiver started first. */
export function testpmd(wire: TestWire, wish: PmdWish = {}): PmdResult {
  const { frame = 1500, cores = '16-24', queues = 8, seconds = 8, multiFlow = true, back = false } = wish;
  const [from, to] = back ? ['as8', 'as7'] : ['as7', 'as8'];
  const mac = wire.host(to, `cat /sys/class/net/${link}/address`).stdout.trim();
  const nbCores = Math.min(8, queues);
  const eal = (prefix: string): string =>
    `-l ${cores} -n 6 --socket-mem=0,4096 -a 0000:e1:00.0 --file-prefix ${prefix}`;
  const app = `--mbuf-size=9400 --rxq=${queues} --txq=${queues} --nb-cores=${nbCores} --stats-period 1`;
  wire.host(
    to,
    `sudo -n sh -c 'timeout -s INT ${seconds + 2} dpdk-testpmd ${eal('rx')} -- --forward-mode=rxonly ${app} > /tmp/rx.log 2>&1 &'`,
  );
  const flows = multiFlow ? '--txonly-multi-flow' : '';
  const sent = wire.host(
    from,
    `sudo -n timeout -s INT ${seconds} dpdk-testpmd ${eal('tx')} -- --forward-mode=txonly ${flows} --txpkts=${frame} --eth-peer=0,${mac} ${app}`,
  ).stdout;
  const received = wire.host(to, 'sleep 3; cat /tmp/rx.log').stdout;
  const during = received.split('Signal 2')[0] ?? '';
  return {
    receivedGbps: rates(during.split('\n').slice(0, -60).join('\n'), 'Rx'),
    sentGbps: rates(sent, 'Tx'),
    received,
    sent,
  };
}

/** Gb/s of so many iperf3 processes together, as their servers counted. */
export function iperf3(wire: TestWire, processes: number, options = '', prefix = 'numactl --cpunodebind=1'): number {
  const ports = Array.from({ length: processes }, (_each, index) => 5201 + index);
  wire.host('as8', ports.map((port) => `iperf3 -s -1 -D -p ${port}`).join('; '));
  const clients = ports.map(
    (port) => `${prefix} iperf3 -c ${hostAddress(2)} -p ${port} -t 4 -J ${options} > /tmp/${port}.json &`,
  );
  wire.host('as7', `${clients.join(' ')} wait`);
  return ports.reduce((sum, port) => {
    const report: unknown = JSON.parse(wire.host('as7', `cat /tmp/${port}.json`).stdout);
    return sum + receivedOf(report);
  }, 0);
}

/** `end.sum_received` of a report, in Gb/s; NaN where there is none. */
export function receivedOf(report: unknown): number {
  const { end } = report as { end: { sum_received?: { bits_per_second: number } } };
  return (end.sum_received?.bits_per_second ?? Number.NaN) / 1e9;
}
