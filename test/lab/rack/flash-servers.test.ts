import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'node:https';
import type { Client, SFTPWrapper } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labImageBytes, labImageSha256 } from '../../../src/lab/rack/install/images.ts';
import { plainHost, rack1 } from '../../../src/lab/rack/layouts.ts';
import { rack2 } from '../../../src/lab/rack/rack2.ts';
import { startRack } from '../../../src/lab/rack/server.ts';
import type { RunningHost, RunningRack } from '../../../src/lab/rack/server.ts';
import { exec, first, keys, login, open } from './server-helpers.ts';

const image = 'bf-bundle-2.9.2-32_25.02_ubuntu-22.04_prod';
let directory: string;
let rack: RunningRack;
let host: RunningHost;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rack-'));
  const fresh = rack1({ factoryFresh: true });
  // The first host has rshim and pv already; everything else is as it comes.
  const layout = {
    ...fresh,
    hosts: fresh.hosts.map((each) =>
      each.name === 'as7' ? { ...each, packages: { ...plainHost('x', '', []).packages, pv: '1.6.6-1build2' } } : each,
    ),
  };
  rack = await startRack({
    dir: directory,
    timeFactor: 600,
    layouts: [layout, rack2()],
    authorizedKeys: [keys.public],
  });
  host = first(rack.hosts);
});

afterAll(async () => {
  await rack.close();
  await rm(directory, { recursive: true });
});

function hostLogin(): Promise<Client> {
  return login({ port: host.ssh.port, username: 'ops', privateKey: keys.private });
}

function sftpOf(client: Client): Promise<SFTPWrapper> {
  return new Promise((resolve, reject) => client.sftp((error, sftp) => (error ? reject(error) : resolve(sftp))));
}

function upload(sftp: SFTPWrapper, path: string, bytes: Buffer, from: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = sftp.createWriteStream(path, { flags: from === 0 ? 'w' : 'r+', start: from, mode: 0o600 });
    stream.on('error', reject).on('close', () => resolve());
    stream.end(bytes.subarray(from));
  });
}

async function eventually(client: Client, line: string, wanted: RegExp): Promise<string> {
  let seen = '';
  await expect
    .poll(async () => (seen = (await exec(client, line)).stdout), { timeout: 20_000, interval: 30 })
    .toMatch(wanted);
  return seen;
}

describe('files over SFTP', () => {
  it('arrive byte for byte, in two parts, with owner and mode', async () => {
    const client = await hostLogin();
    const sftp = await sftpOf(client);
    const bytes = labImageBytes(image);

    await upload(sftp, '/var/tmp/image.part', bytes.subarray(0, 700_000), 0);
    const size = await new Promise<number>((resolve, reject) =>
      sftp.stat('/var/tmp/image.part', (error, stats) => (error ? reject(error) : resolve(stats.size))),
    );
    await upload(sftp, '/var/tmp/image.part', bytes, size);
    const { stdout } = await exec(
      client,
      "sha256sum /var/tmp/image.part; stat -c '%a %U' /var/tmp/image.part; mv /var/tmp/image.part /var/tmp/image.bfb",
    );
    client.end();

    expect(size).toBe(700_000);
    expect(stdout).toBe(`${labImageSha256(image)}  /var/tmp/image.part\n600 ops\n`);
  });

  it('fail on a full disk and where one may not write', async () => {
    const client = await hostLogin();
    const sftp = await sftpOf(client);
    await expect(upload(sftp, '/etc/nope', Buffer.from('x'), 0)).rejects.toThrow('Permission denied');
    rack.injectFault('disk-full', { target: 'as7' });

    await expect(upload(sftp, '/var/tmp/full', Buffer.from('x'), 0)).rejects.toThrow('No space left on device');
    rack.clearFault('disk-full');
    client.end();
  });
});

describe('a flash over SSH', () => {
  it('goes on when its connection is gone, and the new host key is learnt over tmfifo', async () => {
    const before = host.dpus[0]?.arm.hostKeySha256;
    const starter = await hostLogin();
    const flash = 'bfb-install --rshim rshim0 --bfb /var/tmp/image.bfb --config /run/bf.cfg';
    await exec(
      starter,
      `sudo -n sh -c 'umask 077; cat > /run/bf.cfg' <<'CONFIG'
NIC_FW_RESET=no
bfb_modify_os() {
  mkdir -p /mnt/home/ubuntu/.ssh
  echo '${keys.public.trim()}' > /mnt/home/ubuntu/.ssh/authorized_keys
  chmod 700 /mnt/home/ubuntu/.ssh
}
ubuntu_PASSWORD='$6$abcdefgh$381UrQCXsM2ZvXe9wMXRNruWU8NuLkSu5n6EJRH81R.hGwC2dqXznib5yBHThJJ3ytSYyJfLa6GcnMWFM.jRH1'
CONFIG`,
    );
    await exec(
      starter,
      `sudo -n sh -c 'mkdir /var/lib/job && { setsid nohup sh -c "script -qefc \\"${flash}\\" /dev/null; echo \\$? > /var/lib/job/exit" >/var/lib/job/log 2>&1 </dev/null & }'`,
    );
    starter.destroy();

    const client = await hostLogin();
    await eventually(client, 'sudo -n cat /var/lib/job/log', /\r *\d+(\.\d+)?MiB 0:0\d:\d\d \[/);
    expect((await eventually(client, 'cat /var/lib/job/exit 2>/dev/null', /^\d/)).trim()).toBe('0');
    await expect.poll(() => rack.model.card('as7-dpu0').armIsUp(), { timeout: 10_000 }).toBe(true);
    await exec(
      client,
      'sudo -n sh -c "ip netns add card0; ip link set tmfifo_net0 netns card0; ip -n card0 addr add 192.168.100.1/30 dev tmfifo_net0; ip -n card0 link set tmfifo_net0 up"',
    );
    const scan = await exec(client, 'sudo -n ip netns exec card0 ssh-keyscan -t ed25519 192.168.100.2');
    const [, , blob = ''] = scan.stdout.trim().split(' ');
    const fingerprint = `SHA256:${createHash('sha256').update(Buffer.from(blob, 'base64')).digest('base64').replace(/=+$/, '')}`;
    expect(fingerprint).not.toBe(before);

    const stream = await open(client, 'sudo -n ip netns exec card0 socat - TCP:192.168.100.2:22');
    const shown: string[] = [];
    const arm = await login({
      sock: stream,
      username: 'ubuntu',
      privateKey: keys.private,
      hostVerifier: (key: Buffer) =>
        shown.push(`SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`) > 0,
    });
    const outcome = await exec(
      arm,
      'uname -m; sudo -n /etc/init.d/openibd restart; sudo -n modinfo -F version mlx5_core',
    );
    arm.end();
    client.end();

    expect(shown).toEqual([fingerprint]);
    expect(outcome).toEqual({
      stdout: 'aarch64\nUnloading HCA driver: [ OK ]\nLoading HCA driver and Access Layer: [ OK ]\n24.10-2.1.8\n',
      stderr: '',
      code: 0,
    });
  });

  it('is reached by forwarding only when the host itself has an address on tmfifo', async () => {
    const client = await hostLogin();
    const forward = (): Promise<unknown> =>
      new Promise((resolve, reject) =>
        client.forwardOut('127.0.0.1', 0, '192.168.100.2', 22, (error, channel) =>
          error ? reject(error) : resolve(channel.destroy()),
        ),
      );
    await expect(forward()).rejects.toThrow();

    await exec(
      client,
      'sudo -n ip netns del card0; sudo -n ip addr add 192.168.100.1/30 dev tmfifo_net0; sudo -n ip link set tmfifo_net0 up',
    );

    await expect(forward()).resolves.toBeDefined();
    client.end();
  });

  it('loses its connections when the link to the host goes, and nothing else', async () => {
    const client = await hostLogin();
    client.on('error', () => undefined);
    await exec(
      client,
      'setsid nohup sh -c "while :; do date >> /var/tmp/beat; sleep 60; done" >/dev/null 2>&1 </dev/null &',
    );
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));

    rack.model.host('as7').loseLink(600_000);
    await closed;
    await expect(hostLogin()).rejects.toThrow();

    rack.clearFault('link-lost');
    const again = await hostLogin();
    await eventually(again, 'wc -l < /var/tmp/beat', /^([3-9]|\d\d)/);
    await exec(again, 'pkill -f beat');
    again.end();
  });
});

interface Answer {
  status: number;
  body: string;
  token: string;
}

function call(
  method: string,
  path: string,
  options: { token?: string; body?: unknown; basic?: string } = {},
): Promise<Answer> {
  const { bmc } = host;
  if (bmc === null) throw new Error('no controller');
  return new Promise((resolve, reject) => {
    const headers = {
      ...(options.token !== undefined && { 'x-auth-token': options.token }),
      ...(options.basic !== undefined && { authorization: `Basic ${Buffer.from(options.basic).toString('base64')}` }),
    };
    const sent = request(
      { host: bmc.address, port: bmc.port, method, path, headers, rejectUnauthorized: false },
      (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body, token: String(response.headers['x-auth-token'] ?? '') }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(options.body === undefined ? undefined : JSON.stringify(options.body));
  });
}

describe('the management controller of a host', () => {
  it('cycles its power after a login, which takes new firmware into use', async () => {
    const system = '/redfish/v1/Systems/System.Embedded.1';
    const session = await call('POST', '/redfish/v1/SessionService/Sessions', {
      body: { UserName: 'root', Password: host.bmc?.password },
    });
    const { token } = session;
    const bootId = rack.model.host('as7').bootId();
    const description = JSON.parse((await call('GET', system, { token })).body) as {
      PowerState: string;
      Actions: Record<string, Record<string, unknown>>;
    };

    const done = await call('POST', `${system}/Actions/ComputerSystem.Reset`, {
      token,
      body: { ResetType: 'PowerCycle' },
    });

    expect((await call('GET', system)).status).toBe(401);
    expect((await call('GET', system, { basic: 'root:wrong' })).status).toBe(401);
    expect(description.PowerState).toBe('On');
    expect(description.Actions['#ComputerSystem.Reset']?.['ResetType@Redfish.AllowableValues']).toContain('PowerCycle');
    expect(done.status).toBe(204);
    await expect.poll(() => rack.model.host('as7').isUp(), { timeout: 10_000 }).toBe(true);
    expect(rack.model.host('as7').bootId()).not.toBe(bootId);
    const { stdout } = rack.model.host('as7').exec('root', 'flint -d e1:00.0 q');
    expect(stdout).toMatch(/^FW Version: +32\.43\.2566$/m);
    expect(stdout).not.toContain('Running');
  });

  it('switches off and on again', async () => {
    const system = '/redfish/v1/Systems/System.Embedded.1';
    const basic = `root:${host.bmc?.password ?? ''}`;
    const reset = (type: string): Promise<Answer> =>
      call('POST', `${system}/Actions/ComputerSystem.Reset`, { basic, body: { ResetType: type } });

    expect((await reset('ForceOff')).status).toBe(204);
    expect(rack.model.host('as7').isUp()).toBe(false);
    expect((await reset('ForceOff')).status).toBe(409);
    expect((await reset('Nonsense')).status).toBe(400);
    expect((await reset('On')).status).toBe(204);

    await expect.poll(() => rack.model.host('as7').isUp(), { timeout: 10_000 }).toBe(true);
  });
});

describe('rack2', () => {
  it('numbers the rshim devices of a host with two cards by slot, not by inventory', () => {
    const model = rack.model.host('as11');
    model.exec('root', 'true');
    const names = model.dpus.map((card) => [card.name, card.partNumber, card.pciAddress]);

    expect(names).toEqual([
      ['as11-dpu0', '900-9D3B6-00CN-AB0', '0000:e1:00.0'],
      ['as11-dpu1', '900-9D3B6-00SN-AB0', '0000:21:00.0'],
    ]);
    expect(model.bmc?.user).toBe('root');
  });

  it('has a controller, a card in NIC mode, a Gen4 slot and a card set up by hand', () => {
    const lspci = rack.model.host('as14').exec('root', 'lspci -vv -s e1:00.0').stdout;

    expect(rack.model.card('as12-dpu0').partNumber).toBe('900-9D3C6-00CV-DA0');
    expect(rack.model.card('as13-dpu0').armIsUp()).toBe(false);
    expect(lspci).toContain('Speed 16GT/s (downgraded)');
    expect(rack.model.card('as15-dpu0').armLogin('ubuntu', 'ubuntu')).toBe('wrong');
    expect(rack.model.host('as15').bmc).toBeNull();
  });
});
