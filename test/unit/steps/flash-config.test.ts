import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { verify } from 'unixcrypt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/domain/secret.ts';
import { hashPassword } from '../../../src/steps/flash-arm-password.ts';
import type { FlashConfig } from '../../../src/steps/flash-bf-cfg.ts';
import { configPath, renderBfCfg } from '../../../src/steps/flash-bf-cfg.ts';
import { pushArgv } from '../../../src/steps/flash-command.ts';

const random = { bytes: (count: number) => Uint8Array.from({ length: count }, (_, index) => index * 7) };
const password = new Secret('Aa2!bcdfghjkmnpq');
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0TGfmCHxZP/Bp+TuBQ0c4X2FzvKf6TQ5t3eG0UhV8x';
const config: FlashConfig = {
  image: { name: 'bf-2-9-2', sha256: 'a'.repeat(64) },
  runId: 418,
  serial: 'MT2334XZ0ABC',
  user: 'ubuntu',
  passwordHash: hashPassword(password, random),
  publicKey: `${key} ops@dpubot`,
  hostname: 'MT2334XZ0ABC',
};

/** The seed of the image after the installer has put the password in. Source: bf-release, bfb-build install.sh. */
const seed = `#cloud-config
debug:
  verbose: true
users:
  - name: ubuntu
    lock_passwd: False
    groups: adm, audio, sudo
    sudo: ALL=(ALL) NOPASSWD:ALL
    shell: /bin/bash
    passwd: x
runcmd:
  - [ /usr/bin/bfrshlog, "INFO: DPU is ready" ]
`;

describe('bf.cfg', () => {
  it('carries a hash that the password fits, never the password', () => {
    const text = renderBfCfg(config);

    const hash = /^ubuntu_PASSWORD='(.*)'$/m.exec(text)?.[1] ?? '';
    expect(verify(password.reveal(), hash)).toBe(true);
    expect(text).not.toContain(password.reveal());
  });

  it('leaves the NIC alone and the BMC parts out', () => {
    const text = renderBfCfg(config);

    expect(text).toContain('\nNIC_FW_RESET=no\n');
    for (const part of ['BMC_FW', 'CEC_FW', 'DPU_GOLDEN_IMAGE', 'NIC_FW_GOLDEN_IMAGE', 'CERTIFICATES'])
      expect(text).toContain(`\nUPDATE_${part}=no\n`);
    expect(text).not.toMatch(/BMC_PASSWORD|BMC_USER|BMC_REBOOT/);
  });

  it('asks for the BMC parts with a login and a restart of the BMC', () => {
    const text = renderBfCfg({ ...config, bmcPassword: 'Aa2!bcdfghjkmnpq' });

    expect(text).toMatch(
      /\nUPDATE_BMC_FW=yes\n[\s\S]*\nBMC_USER='root'\nBMC_PASSWORD='Aa2!bcdfghjkmnpq'\nBMC_REBOOT=yes\n/,
    );
  });

  it('refuses whatever would get out of its quotes', () => {
    const hostile = fc.constantFrom("'", '"', '`', '$', '\\', '\n', ' ', ';', '&', '|', '(');
    const fields = fc.constantFrom('user', 'hostname', 'bmcPassword', 'serial', 'passwordHash');
    fc.assert(
      fc.property(fields, hostile, fc.string({ maxLength: 8 }), (field, bad, rest) => {
        expect(() => renderBfCfg({ ...config, [field]: `Aa2bcdfg${bad}${rest}` })).toThrow(RangeError);
      }),
    );
    expect(() => renderBfCfg({ ...config, publicKey: "ssh-ed25519 AAAA'; id; '" })).toThrow(RangeError);
  });
});

describe('the hook of bf.cfg, run by bash', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'bfcfg-'));
    for (const folder of ['etc', 'var/lib/cloud/seed/nocloud-net', 'home'])
      mkdirSync(join(root, folder), { recursive: true });
    writeFileSync(join(root, 'var/lib/cloud/seed/nocloud-net/user-data'), seed);
    writeFileSync(join(root, 'etc/hosts'), '127.0.0.1 localhost\n');
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  /** The new root stands elsewhere than at /mnt, and nothing is chrooted into it: what would be is printed. */
  function runHook(passwd: string): string {
    writeFileSync(join(root, 'etc/passwd'), passwd);
    const text = renderBfCfg(config).replaceAll('/mnt', root);
    execFileSync('bash', ['-n'], { input: text });
    return execFileSync('bash', [], { input: `chroot() { echo "$*"; }\n${text}\nset -eu\nbfb_modify_os\n` }).toString();
  }
  const content = (path: string): string => readFileSync(join(root, path), 'utf8');

  it('leaves marker and names', () => {
    runHook('root:x:0:0::/root:/bin/bash\n');

    expect(JSON.parse(content('etc/dpubot-image.json'))).toEqual({
      image: 'bf-2-9-2',
      sha256: 'a'.repeat(64),
      runId: 418,
      serial: 'MT2334XZ0ABC',
    });
    expect(content('etc/hostname')).toBe('MT2334XZ0ABC\n');
    expect(content('etc/hosts')).toBe('127.0.0.1 localhost\n127.0.1.1 MT2334XZ0ABC\n');
    expect(content('etc/cloud/cloud.cfg.d/99-dpubot.cfg')).toBe('preserve_hostname: true\n');
  });

  it('gives the key to cloud-init, which makes the user at the first boot', () => {
    const chrooted = runHook('root:x:0:0::/root:/bin/bash\n');

    expect(content('var/lib/cloud/seed/nocloud-net/user-data')).toBe(
      seed.replace('  - name: ubuntu\n', `  - name: ubuntu\n    ssh_authorized_keys:\n      - ${key}\n`),
    );
    expect(chrooted).toBe('');
  });

  it('writes the key for a user that the image has already, and makes it its own', () => {
    const chrooted = runHook('ubuntu:x:1000:1001:Ubuntu:/home/ubuntu:/bin/bash\n');

    expect(content('home/ubuntu/.ssh/authorized_keys')).toBe(`${key}\n`);
    expect(statSync(join(root, 'home/ubuntu/.ssh/authorized_keys')).mode & 0o777).toBe(0o600);
    expect(statSync(join(root, 'home/ubuntu/.ssh')).mode & 0o777).toBe(0o700);
    expect(chrooted).toBe(
      `${root} /bin/chown 1000:1001 /home/ubuntu /home/ubuntu/.ssh /home/ubuntu/.ssh/authorized_keys\n`,
    );
  });
});

describe('words of a flash that a shell reads', () => {
  const device = 'pcie-0000:e1:00.2';

  it('are the device, its name on the bus, the image and the bf.cfg', () => {
    const bfb = `/var/lib/dpubot/images/${'a'.repeat(64)}.bfb`;

    expect(pushArgv('rshim0', device, bfb, configPath('MT2334XZ0ABC')).slice(3)).toEqual([
      'dpubot-push',
      'rshim0',
      device,
      bfb,
      '/run/dpubot/MT2334XZ0ABC.cfg',
    ]);
  });

  it.each([
    ['rshim0;id', device, '/a', '/b'],
    ['rshim0', 'pcie$(id)', '/a', '/b'],
    ['rshim0', device, '/a b', '/b'],
    ['rshim0', device, '/a', '/b$(id)'],
    ['rshim0', device, 'a', '/b'],
  ])('are refused when they are more than that: %s %s %s %s', (...words) => {
    expect(() => pushArgv(...words)).toThrow(RangeError);
    expect(() => configPath('../x')).toThrow(RangeError);
  });
});
