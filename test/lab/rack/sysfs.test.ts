import { describe, expect, it } from 'vitest';
import { testRack } from './helpers.ts';
import type { ExecResult } from '../../../src/lab/rack/shell/types.ts';

function shell(): (line: string) => ExecResult {
  const host = testRack().rack.host('as7');
  return (line) => host.exec('ops', line);
}

const card = '/sys/bus/pci/devices/0000:e1:00.0';

describe('sysfs', () => {
  it('links a network device to its PCI function and back', () => {
    const run = shell();

    expect(run('readlink /sys/class/net/ens3f0np0').stdout).toBe(
      '../../devices/pci0000:e0/0000:e0:01.1/0000:e1:00.0/net/ens3f0np0\n',
    );
    expect(run('readlink -f /sys/class/net/ens3f0np0/device').stdout).toBe(
      '/sys/devices/pci0000:e0/0000:e0:01.1/0000:e1:00.0\n',
    );
    expect(run(`ls ${card}/net; cat ${card}/net/ens3f0np0/address`).stdout).toBe('ens3f0np0\na0:88:c2:46:a7:00\n');
    expect(run(`cat ${card}/vendor ${card}/device ${card}/class ${card}/numa_node`).stdout).toBe(
      '0x15b3\n0xa2dc\n0x020000\n1\n',
    );
    expect(run(`ls -l ${card}`).stdout).toMatch(
      / -> \.\.\/\.\.\/\.\.\/devices\/pci0000:e0\/0000:e0:01\.1\/0000:e1:00\.0\n$/,
    );
  });

  it('knows the third function of a card as one without driver and network', () => {
    const run = shell();

    expect(run('cat /sys/bus/pci/devices/0000:e1:00.2/device').stdout).toBe('0xc2d5\n');
    expect(run('ls /sys/bus/pci/devices/0000:e1:00.2/net').exitCode).toBe(2);
    expect(run('readlink /sys/bus/pci/devices/0000:e1:00.2/driver').exitCode).toBe(1);
  });

  it('leads from a partition to its drive and the drive to its own PCI function', () => {
    const run = shell();

    expect(run('ls /sys/class/block').stdout).toBe('nvme0n1\nnvme0n1p1\nnvme0n1p2\n');
    expect(run('readlink -f /sys/class/block/nvme0n1p2/..').stdout).toBe(
      '/sys/devices/pci0000:60/0000:60:01.1/0000:61:00.0/nvme/nvme0/nvme0n1\n',
    );
    expect(run('cat /sys/class/nvme/nvme0/address; ls /sys/class/block/nvme0n1/holders').stdout).toBe('0000:61:00.0\n');
  });

  it('hands a function to vfio-pci, which takes its network device away', () => {
    const run = shell();
    const bind = (driver: string, word: string): string => `echo 0000:e1:00.0 > /sys/bus/pci/drivers/${driver}/${word}`;

    expect(run(`sudo -n sh -c '${bind('vfio-pci', 'bind')}'`).exitCode).not.toBe(0);
    run(
      `sudo -n sh -c '${bind('mlx5_core', 'unbind')}; echo vfio-pci > ${card}/driver_override; ${bind('vfio-pci', 'bind')}'`,
    );

    expect(run(`readlink ${card}/driver`).stdout).toBe('../../../../bus/pci/drivers/vfio-pci\n');
    expect(run('ls /sys/class/net').stdout).not.toContain('ens3f0np0');
    expect(run('lspci -k -s e1:00.0').stdout).toContain('in use: vfio-pci\n\tKernel modules: mlx5_core\n');
  });

  it('makes virtual functions that point to their physical one', () => {
    const run = shell();

    run(`echo 2 | sudo -n tee ${card}/sriov_numvfs`);

    expect(run(`find ${card}/ -maxdepth 1 -name 'virtfn*' -printf '%f %l\n'`).stdout).toBe(
      'virtfn0 ../0000:e1:00.3\nvirtfn1 ../0000:e1:00.4\n',
    );
    expect(run('readlink /sys/bus/pci/devices/0000:e1:00.3/physfn').stdout).toBe('../0000:e1:00.0\n');
    expect(run('lspci -D -n -d 15b3:101e').stdout).toContain('0000:e1:00.4 0200: 15b3:101e (rev 01)\n');
    expect(run('ls /sys/bus/pci/devices/0000:e1:00.3/net').stdout).toBe('ens3f0v0\n');
    expect(run(`echo 4 | sudo -n tee ${card}/sriov_numvfs`).stderr).toContain('Device or resource busy');
  });

  it('finds no PCI bridge of the vendor of a card', () => {
    const run = shell();

    expect(run('lspci -D -n -d 15b3::0604')).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    expect(run('lspci -D -n -d ::0604').stdout).toContain('0000:e0:01.1 0604: 1022:14ab (rev 01)\n');
  });

  it('cannot be changed where the kernel does not allow it', () => {
    const run = shell();

    expect(run(`sudo -n rm ${card}/driver`)).toMatchObject({ exitCode: 1 });
    expect(run(`echo 1 > ${card}/sriov_numvfs`).stderr).toContain('Permission denied');
  });
});

describe('find', () => {
  const prepare = 'mkdir -p f/a/b; echo hi > f/a/x.txt; ln -s ../a f/a/b/up; ln -s nowhere f/dang; ';

  it.each([
    [
      "find f -printf '%p|%f|%l|%h|%P|%y|%d\n'",
      'f|f||.||d|0\nf/a|a||f|a|d|1\nf/a/b|b||f/a|a/b|d|2\nf/a/b/up|up|../a|f/a/b|a/b/up|l|3\nf/a/x.txt|x.txt||f/a|a/x.txt|f|2\nf/dang|dang|nowhere|f|dang|l|1\n',
    ],
    ["find f -mindepth 1 -maxdepth 1 -type l -printf '%f -> %l\\n'", 'dang -> nowhere\n'],
    ["find f -path '*/b/*' -print", 'f/a/b/up\n'],
    ['find f -name a -prune -o -print', 'f\nf/dang\n'],
    ['find f ! -type d -a ! -name dang', 'f/a/b/up\nf/a/x.txt\n'],
    ['find f \\( -name x.txt -o -name dang \\) -print', 'f/a/x.txt\nf/dang\n'],
    ['find f/a/b/up -print', 'f/a/b/up\n'],
    ['ln -s a/b f/deep; find f/deep/ -type d; find -L f/deep -type d; find f/deep -type d', 'f/deep/\nf/deep\n'],
    ["find f -name x.txt -printf '%-10f|%10f|\n'", 'x.txt     |     x.txt|\n'],
    ['find f -name x.txt -exec cat {} \\;', 'hi\n'],
    ['find f -type f -delete; find f -name x.txt', ''],
  ])('`%s` prints what findutils prints', (line, stdout) => {
    expect(shell()(prepare + line)).toMatchObject({ exitCode: 0, stdout, stderr: '' });
  });

  it.each([
    ['find nope', '', 'find: ‘nope’: No such file or directory\n'],
    ['find . -bogus', '', "find: unknown predicate `-bogus'\n"],
    ['find . -printf', '', "find: missing argument to `-printf'\n"],
  ])('`%s` fails as findutils does', (line, stdout, stderr) => {
    expect(shell()(line)).toMatchObject({ exitCode: 1, stdout, stderr });
  });
});

describe('readlink', () => {
  it.each([
    ['readlink dang', 0, 'nowhere\n'],
    ['readlink -f dang', 0, '/home/ops/nowhere\n'],
    ['readlink -e dang', 1, ''],
    ['readlink -f no/where', 1, ''],
    ['readlink -m no/where', 0, '/home/ops/no/where\n'],
    ['readlink -n dang', 0, 'nowhere'],
    ['readlink dang dang', 0, 'nowhere\nnowhere\n'],
    ['readlink /etc', 1, ''],
  ])('`%s` ends with %i', (line, exitCode, stdout) => {
    expect(shell()(`ln -s nowhere dang; ${line}`)).toMatchObject({ exitCode, stdout });
  });
});

describe('drives and mounts', () => {
  it('are told by findmnt as JSON and as a word', () => {
    const run = shell();

    expect(run('findmnt -J -o SOURCE,FSTYPE,OPTIONS /').stdout).toBe(
      '{\n   "filesystems": [\n      {\n         "source": "/dev/nvme0n1p2",\n         "fstype": "ext4",\n' +
        '         "options": "rw,relatime"\n      }\n   ]\n}\n',
    );
    expect(run('findmnt -no SOURCE /').stdout).toBe('/dev/nvme0n1p2\n');
    expect(run('findmnt -no SOURCE -T /boot/efi/x').stdout).toBe('/dev/nvme0n1p1\n');
    expect(run('findmnt -no SOURCE /nope')).toMatchObject({ exitCode: 1, stdout: '' });
  });

  it('are told by lsblk upwards and downwards', () => {
    const run = shell();

    expect(JSON.parse(run('lsblk -J -s -o NAME,KNAME,TYPE,PKNAME /dev/nvme0n1p2').stdout)).toEqual({
      blockdevices: [
        {
          name: 'nvme0n1p2',
          kname: 'nvme0n1p2',
          type: 'part',
          pkname: 'nvme0n1',
          children: [{ name: 'nvme0n1', kname: 'nvme0n1', type: 'disk', pkname: 'nvme0n1p2' }],
        },
      ],
    });
    expect(run('lsblk -no NAME,TYPE').stdout).toBe('nvme0n1     disk\n├─nvme0n1p1 part\n└─nvme0n1p2 part\n');
    expect(run('lsblk -J /dev/nope')).toMatchObject({
      exitCode: 32,
      stdout: '{\n   "blockdevices": [\n\n   ]\n}\n',
      stderr: 'lsblk: /dev/nope: not a block device\n',
    });
  });
});
