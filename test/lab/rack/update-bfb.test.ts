import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { labImageBytes, labImages, labImageSha256 } from '../../../src/lab/rack/install/images.ts';
import { variations } from '../../../src/lab/rack/layouts.ts';
import { imagesUrl } from '../../../src/lab/rack/packages/internet.ts';
import type { FetchedFile } from '../../../src/lab/rack/state.ts';
import { bootState, call, errorCode, get, openedRack, parse, paths, setPassword } from './helpers.ts';
import type { Parsed, TestRack } from './helpers.ts';
import { startTestServers } from './server-helpers.ts';

const stock = 'bf-bundle-2.9.2-32_25.02_ubuntu-22.04_prod';
const server = imagesUrl.replace('https://', '').replace('/', '//');

function bodyFor(uri: string): Parsed {
  const target = 'redfish/v1/UpdateService/FirmwareInventory/DPU_OS';
  return { TransferProtocol: 'HTTP', ImageURI: uri, Targets: [target] };
}

const body = bodyFor(`${server}/${stock}.bfb`);

/** `as7-dpu0` with its rshim at the BMC. */
function ready(): TestRack {
  const test = openedRack();
  test.rack.host('as7').exec('ops', 'sudo -n systemctl disable --now rshim');
  call(test.card, 'PATCH', `${paths.manager}/Oem/Nvidia`, { body: { BmcRShim: { BmcRShimEnabled: true } } });
  test.advance(10_000);
  return test;
}

function start(test: TestRack, update: Parsed = body): string {
  const reply = call(test.card, 'POST', paths.update, { body: update });
  expect(reply.status).toBe(202);
  return String(parse(reply)['@odata.id']);
}

function messagesOf(test: TestRack, task: string): [string, string][] {
  const messages = get(test.card, task)['Messages'] as { Message: string; Resolution: string }[];
  return messages.map(({ Message, Resolution }) => [Message, Resolution]);
}

describe('a BFB through the BMC', () => {
  it('is transferred as the task says, and installed after it with the factory password that has to change', () => {
    const test = ready();
    const task = start(test);
    test.advance(90_000);
    expect(get(test.card, task)).toMatchObject({ TaskState: 'Running', TaskStatus: 'OK', PercentComplete: 50 });
    test.advance(91_000);

    // The transfer is all that the task knows of: the Arm still installs.
    expect(get(test.card, task)).toMatchObject({ TaskState: 'Completed', PercentComplete: 100 });
    expect(messagesOf(test, task).map(([text]) => text)).toEqual([
      "The task with Id '0' has started.",
      `The target device 'DPU' will be updated with image '${server}/${stock}.bfb'.`,
      `Image '${server}/${stock}.bfb' is being transferred to 'DPU'.`,
      `Device 'DPU' successfully updated with image '${server}/${stock}.bfb'.`,
      "The task with Id '0' has completed.",
    ]);
    expect(bootState(test.card)).not.toBe('OsIsRunning');
    test.advance(700_000);

    expect(bootState(test.card)).toBe('OsIsRunning');
    expect(get(test.card, '/redfish/v1/UpdateService/FirmwareInventory/DPU_OS')['Version']).toBe(stock);
    expect(test.card.armLogin('ubuntu', 'ubuntu')).toBe('expired');
    expect(test.card.armAuthorizedKeys()).toEqual([]);
  });

  it.each([
    ['a scheme', `http://${server}/${stock}.bfb`],
    ['a server that nobody knows', `10.99.0.1:8080//bfb/${stock}.bfb`],
  ])('fails with Unknown Host and then Invalid FW Package for %s', (_name, uri) => {
    const test = ready();
    const task = start(test, bodyFor(uri));
    test.advance(60_000);

    expect(get(test.card, task)).toMatchObject({ TaskState: 'Exception', TaskStatus: 'Critical' });
    const [, , , transfer, invalid, end] = messagesOf(test, task);
    expect(transfer?.[0]).toMatch(/^Transfer of image '\/.*\.bfb' to '\/dev\/rshim0\/boot' failed\.$/);
    expect(transfer?.[1]).toMatch(/^Unknown Host: .* Check and restart server's web service/);
    expect(invalid).toEqual([
      "The resource property Firmware Update Service has detected errors of type 'Invalid FW Package'.",
      'Retry firmware update operation with valid FW package.',
    ]);
    expect(end?.[0]).toBe("The task with Id '0' has completed with errors.");
  });

  it('fails with Invalid FW Package alone for an image of another platform, and leaves the Arm as it was', () => {
    const test = ready();
    const task = start(
      test,
      bodyFor(`${server}/${labImages['bf2-bundle-2.9.2-32_25.02_ubuntu-22.04_prod']?.fileName}`),
    );
    test.advance(60_000);

    expect(messagesOf(test, task).map(([text]) => text)).not.toContainEqual(expect.stringContaining('Transfer of'));
    expect(JSON.stringify(get(test.card, task))).toContain('Invalid FW Package');
    expect(test.card.armIsUp()).toBe(true);
  });

  it.each([
    ['the host has rshim', () => openedRack()],
    ['the card runs in NIC mode', () => openedRack(variations.nicMode())],
  ])('is not transferred while %s', (_name, make) => {
    const test = make();
    const task = start(test);
    test.advance(60_000);

    expect(get(test.card, task)['TaskState']).toBe('Exception');
    expect(messagesOf(test, task)[3]?.[0]).toContain("to '/dev/rshim0/boot' failed.");
  });

  it('fails again after a failure until the BMC has restarted, which forgets the tasks', () => {
    const test = ready();
    start(test, bodyFor(`http://${server}/x.bfb`));
    test.advance(60_000);
    const again = start(test);
    test.advance(60_000);
    expect(get(test.card, again)['TaskState']).toBe('Exception');

    call(test.card, 'POST', paths.managerReset, { body: { ResetType: 'GracefulRestart' } });
    test.advance(101_000);
    expect(call(test.card, 'GET', again).status).toBe(404);
    const task = start(test);
    test.advance(181_000);

    expect(get(test.card, task)['TaskState']).toBe('Completed');
  });

  it.each(['10.20.7.5:8080//bfb/a.bfb', '10.20.7.5:8080/bfb/a.bfb'])(
    'comes from a server of the real network for %s',
    (uri) => {
      const test = ready();
      const asked: string[] = [];
      let answer: (result: FetchedFile) => void = () => undefined;
      test.rack.connectOutside({
        dialArm: () => null,
        hostKey: () => '',
        fetchFile: (url, done) => {
          asked.push(url);
          answer = done;
        },
      });
      const task = start(test, bodyFor(uri));
      expect(asked).toEqual(['http://10.20.7.5:8080/bfb/a.bfb']);
      test.advance(300_000);
      expect(get(test.card, task)['TaskState']).toBe('Running');

      answer({ sha256: labImageSha256(stock) });
      test.advance(1);
      expect(get(test.card, task)['TaskState']).toBe('Completed');
      test.advance(700_000);

      expect(test.card.armExec('ubuntu', 'cat /etc/mlnx-release').stdout).toBe(`${stock}\n`);
    },
  );
});

describe('faults of an update through the BMC', () => {
  it('update-in-progress refuses one request', () => {
    const test = ready();
    test.rack.injectFault('update-in-progress', { target: 'as7-dpu0' });

    const refused = call(test.card, 'POST', paths.update, { body });

    expect([refused.status, errorCode(refused)]).toEqual([400, 'Update.1.0.UpdateInProgress']);
    expect(refused.body).toContain('An update is in progress.');
    start(test);
  });

  it.each([
    ['transfer-unknown-host', /Unknown Host/],
    ['invalid-fw-package', /Invalid FW Package/],
  ])('%s ends the task with its message', (fault, text) => {
    const test = ready();
    test.rack.injectFault(fault, { target: 'as7-dpu0' });
    const task = start(test);
    test.advance(60_000);

    expect(JSON.stringify(get(test.card, task))).toMatch(text);
  });

  it('task-gone loses the task while the Arm installs all the same', () => {
    const test = ready();
    test.rack.injectFault('task-gone', { target: 'as7-dpu0' });
    const task = start(test);
    test.advance(181_000);
    expect(() => get(test.card, task)).toThrow('refused');
    test.advance(110_000);
    expect(call(test.card, 'GET', task).status).toBe(404);
    test.advance(600_000);

    expect(test.card.armExec('ubuntu', 'cat /etc/mlnx-release').stdout).toBe(`${stock}\n`);
  });

  it('bmc-restarts-in-transfer leaves an Arm that waits for its image, and a second try installs it', () => {
    const test = ready();
    test.rack.injectFault('bmc-restarts-in-transfer', { target: 'as7-dpu0' });
    const task = start(test);
    test.advance(210_000);
    expect(call(test.card, 'GET', task).status).toBe(404);
    test.advance(700_000);
    expect(test.card.armIsUp()).toBe(false);

    start(test);
    test.advance(900_000);

    expect(test.card.armIsUp()).toBe(true);
  });
});

describe('the image server of a rack with real sockets', () => {
  it('is asked by the BMC for the path behind the double slash', async () => {
    const servers = await startTestServers();
    onTestFinished(() => servers.stop());
    const asked: string[] = [];
    const images = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.end(labImageBytes(stock));
    });
    await new Promise<void>((resolve) => images.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void images.close());
    const { port } = images.address() as AddressInfo;
    const { model } = servers.rack;
    const card = model.card('as8-dpu0');
    setPassword(card);
    model.injectFault('rshim-at-bmc', { target: 'as8-dpu0' });

    const reply = call(card, 'POST', paths.update, { body: bodyFor(`127.0.0.1:${port}//images/a.bfb`) });
    const task = String(parse(reply)['@odata.id']);
    await expect.poll(() => get(card, task)['TaskState'], { timeout: 10_000 }).toBe('Completed');

    expect(asked).toEqual(['/images/a.bfb']);
  });
});
