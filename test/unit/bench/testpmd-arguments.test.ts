import { describe, expect, it } from 'vitest';
import type { TestpmdWish } from '../../../src/bench/testpmd-arguments.ts';
import { pacingCommands, testpmdArgv, testpmdSenders } from '../../../src/bench/testpmd-arguments.ts';
import { Tools } from '../../../src/domain/profile.ts';

const mac = '06:27:74:7f:1a:fa';

function wish(settings: object, rest: Partial<TestpmdWish> = {}): TestpmdWish {
  return {
    settings: Tools.parse({ testpmd: settings }).testpmd,
    pciFunction: '0000:e1:00.0',
    link: 'ens1f0np0',
    cpus: Array.from({ length: 16 }, (_, cpu) => 32 + cpu),
    frameBytes: 1500,
    mtuBytes: 1500,
    streams: 8,
    peerMac: mac,
    ...rest,
  };
}

const testbed = { device: 'af-packet', cores: 1, queues: 1, memoryMiB: 512, hugepages: false };

/** Words behind an option: `--lcores A` or `--rxq=A`. */
function valueOf(argv: readonly string[], option: string): string | undefined {
  const joined = argv.find((word) => word.startsWith(`${option}=`));
  return joined?.slice(option.length + 1) ?? argv[argv.indexOf(option) + 1];
}

describe('words of a testpmd on a card', () => {
  it('send frames to the far end in several flows, from CPUs near the card', () => {
    expect(testpmdArgv('send', wish({}))).toEqual([
      'dpdk-testpmd',
      '-v',
      '--lcores',
      '0@47,1@46,2@45,3@44,4@43,5@42,6@41,7@40,8@39',
      '--in-memory',
      '-m',
      '4096',
      '--no-telemetry',
      '--iova-mode=va',
      '-a',
      '0000:e1:00.0,mprq_en=1,rxqs_min_mprq=1,mprq_log_stride_num=9,txq_inline_mpw=128,rxq_pkt_pad_en=1',
      '--',
      '--forward-mode=txonly',
      '--nb-cores=8',
      '--rxq=8',
      '--txq=8',
      '--burst=64',
      '--mbcache=512',
      '--rxd=8192',
      '--txd=8192',
      '--max-pkt-len=1518',
      '--mbuf-size=2176',
      '--total-num-mbufs=139776',
      '--txpkts=1500',
      `--eth-peer=0,${mac}`,
      '--txonly-multi-flow',
      '--stats-period',
      '1',
    ]);
  });

  it('receive without a word of sending, on the CPUs from the other end of the list', () => {
    const argv = testpmdArgv('receive', wish({}));

    expect(argv.filter((word) => /tx(pkts|only)|eth-peer|tx-ip/.test(word))).toEqual([]);
    expect(argv).toContain('--forward-mode=rxonly');
    expect(valueOf(argv, '--lcores')).toBe('0@32,1@33,2@34,3@35,4@36,5@37,6@38,7@39,8@40');
  });

  it('keep the MTU of the link and hold jumbo frames, in buffers named before the frames', () => {
    const argv = testpmdArgv('send', wish({}, { frameBytes: 9000, mtuBytes: 9000 }));

    expect(valueOf(argv, '--max-pkt-len')).toBe('9018');
    expect(Number(valueOf(argv, '--mbuf-size'))).toBeGreaterThanOrEqual(9018 + 128);
    expect(argv.findIndex((word) => word.startsWith('--mbuf-size'))).toBeLessThan(argv.indexOf('--txpkts=9000'));
    expect(argv.join(' ')).not.toContain('mprq');
  });

  it('keep the MTU of the link also for short frames', () => {
    expect(valueOf(testpmdArgv('send', wish({}, { frameBytes: 64, mtuBytes: 9000 })), '--max-pkt-len')).toBe('9018');
  });

  it.each([
    ['jumbo frames, many queues', wish({ queues: 64, cores: 64 }, { streams: 64, mtuBytes: 9000 })],
    ['little memory', wish({ memoryMiB: 512 })],
  ])('take no more buffers than the memory holds: %s', (_situation, asked) => {
    const argv = testpmdArgv('receive', asked);
    const bytes = Number(valueOf(argv, '--total-num-mbufs')) * (Number(valueOf(argv, '--mbuf-size')) + 256);

    expect(bytes).toBeLessThanOrEqual(asked.settings.memoryMiB * 1024 * 1024);
    expect(Number(valueOf(argv, '--rxd'))).toBeGreaterThanOrEqual(512);
    expect(Number(valueOf(argv, '--total-num-mbufs'))).toBeGreaterThan(
      Number(valueOf(argv, '--rxq')) * Number(valueOf(argv, '--rxd')),
    );
  });

  it.each([
    [1, 8, '1', false],
    [4, 8, '4', true],
    [16, 8, '8', true],
    [16, 2, '2', true],
  ])('%i streams over at most %i queues are %s, and one stream is one flow', (streams, queues, expected, isMany) => {
    const argv = testpmdArgv('send', wish({ queues }, { streams }));

    expect([valueOf(argv, '--rxq'), valueOf(argv, '--txq')]).toEqual([expected, expected]);
    expect(argv.includes('--txonly-multi-flow')).toBe(isMany);
  });

  it('take the CPUs that there are, where there are fewer than cores', () => {
    const argv = testpmdArgv('send', wish({}, { cpus: [4, 5] }));

    expect(valueOf(argv, '--nb-cores')).toBe('2');
    expect(valueOf(argv, '--lcores')).toBe('0@5,1@5,2@4');
    expect(valueOf(testpmdArgv('send', wish({}, { cpus: [] })), '-l')).toBe('0-8');
  });
});

describe('words of a testpmd without a card', () => {
  it('are those that were tried: no PCI, no huge pages, a ring of the link', () => {
    const argv = testpmdArgv('send', wish(testbed, { cpus: [0, 1], frameBytes: 1400, streams: 1 }));

    expect(argv.join(' ')).toBe(
      'dpdk-testpmd -v --lcores 0@1,1@0 --no-huge --no-shconf -m 512 --no-telemetry --no-pci ' +
        '--vdev=net_af_packet0,iface=ens1f0np0 -- --forward-mode=txonly --nb-cores=1 --rxq=1 --txq=1 --mbuf-size=2176 ' +
        `--total-num-mbufs=2048 --txpkts=1400 --eth-peer=0,${mac} --stats-period 1`,
    );
  });

  it.each([
    [3000, ',framesz=4096,blocksz=4096', '4224'],
    [9014, ',framesz=16384,blocksz=16384', '16512'],
  ])('hold frames of %i bytes in its ring and in its buffers', (frameBytes, ring, buffer) => {
    const argv = testpmdArgv('receive', wish(testbed, { frameBytes }));

    expect(valueOf(argv, '--vdev')).toBe(`net_af_packet0,iface=ens1f0np0${ring}`);
    expect(valueOf(argv, '--mbuf-size')).toBe(buffer);
  });

  it('ask for pairs of queues, and take the buffers of the profile', () => {
    const argv = testpmdArgv('receive', wish({ ...testbed, cores: 2, queues: 2, mbufs: 3000 }, { streams: 2 }));

    expect(valueOf(argv, '--vdev')).toBe('net_af_packet0,iface=ens1f0np0,qpairs=2');
    expect(valueOf(argv, '--total-num-mbufs')).toBe('3000');
  });
});

describe('senders into a tunnel', () => {
  const flows = [
    { sourceIp: '10.1.0.2', destinationIp: '10.2.0.2' },
    { sourceIp: '10.1.0.3', destinationIp: '10.2.0.3', sourcePort: 49_152 },
  ];

  it('are one for each pair of addresses, and share CPUs and memory', () => {
    const argvs = testpmdSenders(wish({ memoryMiB: 1024 }, { streams: 2 }), flows);

    expect(argvs.map((argv) => valueOf(argv, '--tx-ip'))).toEqual(['10.1.0.2,10.2.0.2', '10.1.0.3,10.2.0.3']);
    expect(argvs.map((argv) => argv.find((word) => word.startsWith('--tx-udp')))).toEqual([
      undefined,
      '--tx-udp=49152,49152',
    ]);
    expect(argvs.map((argv) => valueOf(argv, '-m'))).toEqual(['512', '512']);
    expect(argvs.map((argv) => valueOf(argv, '--lcores'))).toEqual(['0@39,1@38', '0@47,1@46']);
  });

  it.each([
    [undefined, false],
    ['22.11.11', false],
    ['24.11.1', true],
    ['25.07.0', true],
  ])('vary no address that the selectors know (DPDK %s)', (version, mayVary) => {
    const [argv = []] = testpmdSenders(wish({}, version === undefined ? {} : { version }), flows.slice(0, 1));

    expect(argv.includes('--txonly-multi-flow')).toBe(mayVary);
  });

  it('are one sender where nothing routes', () => {
    expect(testpmdSenders(wish({}), [])).toEqual([testpmdArgv('send', wish({}))]);
  });
});

describe('a rate to be kept', () => {
  it('is set by commands that run before the start: a burst of each queue at its time', () => {
    const asked = wish({}, { streams: 8, commandsFile: '/run/x/commands' });

    expect(pacingCommands(asked, 10_000_000)).toBe(
      'port stop 0\nset txtimes 51200,0\nport config 0 tx_offload send_on_timestamp on\nport start 0\n',
    );
    expect(valueOf(testpmdArgv('send', asked), '--cmdline-file')).toBe('/run/x/commands');
  });

  it('cannot be had from a device without send scheduling', () => {
    expect(pacingCommands(wish(testbed), 1_000)).toBeUndefined();
  });
});
