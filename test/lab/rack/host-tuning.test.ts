import { describe, expect, it } from 'vitest';
import { hostAddress, link, plainWire, tunedWire } from './wire-helpers.ts';

describe('processors of a host', () => {
  it('are told by lscpu, nproc, numactl and sysfs alike', () => {
    const wire = plainWire();

    expect(wire.host('as7', 'lscpu').stdout).toMatch(/NUMA node1 CPU\(s\): +16-31,48-63\n/);
    expect(wire.host('as7', 'lscpu -p=CPU,NODE | grep -v "#" | tail -1').stdout).toMatch(/,1\n$/);
    expect(wire.host('as7', 'cat /sys/devices/system/node/node1/cpulist').stdout).toBe('16-31,48-63\n');
    expect(wire.host('as7', 'numactl --hardware').stdout).toMatch(/^available: 2 nodes \(0-1\)\n/);
    expect(wire.host('as7', 'nproc; taskset -c 0-3 nproc; numactl --cpunodebind=1 nproc').stdout).toBe('64\n4\n32\n');
  });

  it('are near to the card that says so', () => {
    const wire = plainWire();

    const { stdout } = wire.host(
      'as7',
      `cat /sys/bus/pci/devices/0000:e1:00.0/numa_node /sys/class/net/${link}/device/local_cpulist`,
    );

    expect(stdout).toBe('1\n16-31,48-63\n');
  });

  it('run at the governor that was set, until a reboot', () => {
    const wire = plainWire();
    const governors = '/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor';
    expect(wire.host('as7', `cat ${governors} | sort -u`).stdout).toBe('performance\n');

    wire.host('as7', 'echo powersave | sudo -n tee /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor');

    expect(wire.host('as7', `cat ${governors} | sort -u`).stdout).toBe('powersave\n');
    expect(wire.host('as7', 'cat /proc/cmdline').stdout).toContain(' iommu=pt ');
  });
});

describe('huge pages', () => {
  const pages = '/sys/devices/system/node/node1/hugepages/hugepages-2048kB';

  it('are set per node, counted in all, and gone after a reboot', () => {
    const wire = plainWire();

    expect(wire.host('as7', `echo 1024 > ${pages}/nr_hugepages`).exitCode).not.toBe(0);
    wire.host('as7', `echo 1024 | sudo -n tee ${pages}/nr_hugepages`);
    expect(
      wire.host(
        'as7',
        `cat ${pages}/nr_hugepages ${pages}/free_hugepages /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages`,
      ).stdout,
    ).toBe('1024\n1024\n1024\n');
    expect(wire.host('as7', 'grep -E "HugePages_Total|Hugetlb" /proc/meminfo').stdout).toMatch(
      /1024\nHugetlb: +2097152 kB\n$/,
    );
    wire.rack.host('as7').warmReboot();
    wire.advance(300_000);

    expect(wire.host('as7', `cat ${pages}/nr_hugepages`).stdout).toBe('0\n');
  });

  it('come back at a boot when tmpfiles.d says so, and at once when it is carried out', () => {
    const wire = plainWire();
    const file = '/etc/tmpfiles.d/pages.conf';
    wire.host(
      'as7',
      `sudo -n tee ${file}`,
      `# pages\nw ${pages}/nr_hugepages - - - - 512\nw! /proc/sys/net/ipv4/ip_forward - - - - 1\n`,
    );
    expect(wire.host('as7', `sudo -n systemd-tmpfiles --create ${file}; cat ${pages}/nr_hugepages`).stdout).toBe(
      '512\n',
    );
    expect(wire.host('as7', 'sysctl -n net.ipv4.ip_forward').stdout).toBe('0\n');

    wire.rack.host('as7').warmReboot();
    wire.advance(300_000);

    expect(wire.host('as7', `cat ${pages}/nr_hugepages; sysctl -n net.ipv4.ip_forward`).stdout).toBe('512\n1\n');
  });

  it.each([
    ['sudo -n systemd-tmpfiles --create /etc/tmpfiles.d/none.conf', 1],
    ['sudo -n systemd-tmpfiles', 1],
    ['systemd-tmpfiles --create', 73],
    ['echo nonsense | sudo -n tee /etc/tmpfiles.d/a.conf > /dev/null; sudo -n systemd-tmpfiles --create', 65],
  ])('%s is refused', (line, exitCode) => {
    expect(plainWire().host('as7', line).exitCode).toBe(exitCode);
  });

  it('are fewer than asked for when memory is short', () => {
    const wire = plainWire();
    const large = '/sys/devices/system/node/node1/hugepages/hugepages-1048576kB/nr_hugepages';

    wire.host('as7', `echo 1000 | sudo -n tee ${large}`);

    expect(Number(wire.host('as7', `cat ${large}`).stdout)).toBeLessThan(128);
  });
});

describe('ping', () => {
  it('counts replies, and knows the longest packet', () => {
    const wire = tunedWire();

    expect(wire.host('as7', `ping -c 3 -i 0.2 ${hostAddress(2)}`).stdout).toMatch(
      /^PING 192\.168\.60\.2 \(192\.168\.60\.2\) 56\(84\) bytes of data\.\n64 bytes from 192\.168\.60\.2: icmp_seq=1 ttl=64 time=0\.\d{3} ms\n[^]*\n3 packets transmitted, 3 received, 0% packet loss, time \d+ms\nrtt min\/avg\/max\/mdev = /,
    );
    expect(wire.host('as7', `ping -c 1 -M do -s 8972 ${hostAddress(2)}`).exitCode).toBe(0);
    expect(wire.host('as7', `ping -c 1 -M do -s 8973 ${hostAddress(2)}`)).toMatchObject({
      exitCode: 1,
      stderr: 'ping: local error: message too long, mtu=9000\n',
    });
  });

  it('gets no answer to what a bridge on the way drops, with DF or without', () => {
    const wire = tunedWire();
    wire.arm('as8-dpu0', 'sudo -n ip link set pf0hpf mtu 1500');

    for (const way of ['do', 'dont']) {
      const { stdout, exitCode } = wire.host('as7', `ping -c 2 -W 1 -M ${way} -s 8000 ${hostAddress(2)}`);
      expect(stdout).toContain('2 packets transmitted, 0 received, 100% packet loss');
      expect(exitCode).toBe(1);
    }
  });

  it('says that nobody is there, and from where it asks', () => {
    const wire = tunedWire();

    expect(wire.host('as7', 'ping -c 1 192.168.60.77').stdout).toContain(
      'From 192.168.60.1 icmp_seq=1 Destination Host Unreachable\n',
    );
    expect(wire.host('as7', `ping -c 1 -I ${link} ${hostAddress(2)}`).stdout).toContain(
      `PING 192.168.60.2 (192.168.60.2) from 192.168.60.1 ${link}: 56(84) bytes of data.\n`,
    );
    expect(wire.host('as7', `ping -c 1 -I nope ${hostAddress(2)}`).exitCode).toBe(2);
    expect(wire.host('as7', 'ping -c 1 10.20.7.70').exitCode).toBe(0);
  });
});

describe('programs in processes of their own', () => {
  it('are found and ended by name, behind sudo, timeout and numactl too', () => {
    const wire = tunedWire();
    wire.host(
      'as8',
      'iperf3 -s -p 5301 > /dev/null & sudo -n numactl -N 1 iperf3 -s -p 5302 > /dev/null & timeout 60 iperf3 -s -p 5303 > /dev/null &',
    );
    wire.host('as8', 'sleep 1');
    expect(wire.host('as8', 'pgrep -x iperf3 | wc -l').stdout.trim()).toBe('3');

    wire.host('as8', 'sudo -n pkill -x iperf3; sleep 1');

    expect(wire.host('as8', 'pgrep -f "iperf3 -s"').exitCode).toBe(1);
    expect(wire.host('as8', "ss -Hltn 'sport = :5302'").stdout).toBe('');
  });
});
