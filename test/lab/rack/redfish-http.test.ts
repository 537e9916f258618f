import { describe, expect, it } from 'vitest';
import { imagesUrl } from '../../../src/lab/rack/packages/internet.ts';
import { call, errorCode, get, openedRack, parse, paths } from './helpers.ts';

describe('reading', () => {
  it('answers the same with and without a trailing slash', () => {
    const { card } = openedRack();

    expect(call(card, 'GET', `${paths.secureBoot}/`).body).toBe(call(card, 'GET', paths.secureBoot).body);
  });

  it('carries an ETag and answers 304 to it', () => {
    const { card } = openedRack();
    const first = call(card, 'GET', paths.secureBoot);
    expect(first.headers['ETag']).toMatch(/^"[0-9A-F]{8}"$/);

    const again = call(card, 'GET', paths.secureBoot, { headers: { 'if-none-match': first.headers['ETag'] ?? '' } });

    expect([again.status, again.body]).toEqual([304, '']);
  });

  it('gives a new ETag after a change', () => {
    const { card } = openedRack();
    const before = call(card, 'GET', paths.secureBoot).headers['ETag'] ?? '';

    call(card, 'PATCH', paths.secureBoot, { body: { SecureBootEnable: false } });

    expect(call(card, 'GET', paths.secureBoot, { headers: { 'if-none-match': before } }).status).toBe(200);
  });

  it('answers HEAD with the length and no body', () => {
    const { card } = openedRack();

    const head = call(card, 'HEAD', paths.secureBoot);

    expect(head).toMatchObject({ status: 200, body: '' });
    expect(head.headers['Content-Length']).toBe(call(card, 'GET', paths.secureBoot).headers['Content-Length']);
  });

  it('says OData-Version, Allow and no-store', () => {
    const { headers } = call(openedRack().card, 'GET', paths.secureBoot);

    expect(headers).toMatchObject({
      'OData-Version': '4.0',
      Allow: 'GET, HEAD, PATCH',
      'Content-Type': 'application/json',
    });
    expect(headers['Cache-Control']).toContain('no-store');
  });

  it('serves the version object, the OData document and the metadata to anybody', () => {
    const { card } = openedRack();

    expect(parse(call(card, 'GET', '/redfish', { password: null }))).toEqual({ v1: '/redfish/v1/' });
    expect(call(card, 'GET', '/redfish/v1/odata', { password: null }).status).toBe(200);
    const metadata = call(card, 'GET', '/redfish/v1/$metadata', { password: null });
    expect(metadata.headers['Content-Type']).toContain('xml');
    expect(metadata.body).toContain('<edmx:Edmx');
  });

  it('answers 404 with ResourceNotFound for an unknown path', () => {
    const reply = call(openedRack().card, 'GET', '/redfish/v1/Systems/Nope');

    expect([reply.status, errorCode(reply)]).toEqual([404, 'Base.1.18.1.ResourceNotFound']);
  });

  it('has no oob0 among the manager interfaces, as in the capture', () => {
    expect(call(openedRack().card, 'GET', `${paths.manager}/EthernetInterfaces/oob0`).status).toBe(404);
  });

  it('pads the serial number with blanks', () => {
    expect(get(openedRack().card, paths.system)['SerialNumber']).toBe('MT2334XZ0A7K            ');
  });
});

describe('methods and bodies', () => {
  it.each([
    ['DELETE', paths.system, undefined, 405, 'ResourceCannotBeDeleted'],
    ['PUT', paths.system, '{}', 405, 'OperationNotAllowed'],
    ['OPTIONS', paths.secureBoot, undefined, 405, 'OperationNotAllowed'],
    ['GET', paths.reset, undefined, 405, 'OperationNotAllowed'],
    ['PATCH', paths.secureBoot, '{bad', 400, 'MalformedJSON'],
    ['PATCH', paths.secureBoot, '[1]', 400, 'UnrecognizedRequestBody'],
    ['PATCH', paths.secureBoot, '{}', 400, 'EmptyJSON'],
    ['PATCH', paths.secureBoot, '{"Nope":1}', 400, 'PropertyUnknown'],
    ['PATCH', paths.secureBoot, '{"SecureBootMode":"UserMode"}', 400, 'PropertyNotWritable'],
    ['PATCH', paths.secureBoot, '{"SecureBootEnable":"no"}', 400, 'PropertyValueTypeError'],
    ['PATCH', paths.system, '{"Boot":{"BootSourceOverrideTarget":"Pxe"}}', 400, 'PropertyNotWritable'],
    ['PATCH', `${paths.bios}/Settings`, '{"Attributes":{"Nope":1}}', 400, 'PropertyUnknown'],
    ['PATCH', `${paths.bios}/Settings`, '{"Attributes":{"NicMode":"Other"}}', 400, 'PropertyValueNotInList'],
    ['POST', paths.reset, '{}', 400, 'ActionParameterMissing'],
    ['POST', paths.reset, '{"ResetType":1}', 400, 'ActionParameterValueTypeError'],
    ['POST', `${paths.oem}/Actions/TruststoreCertificates.ResetKeys`, '{}', 400, 'ActionNotSupported'],
  ])('%s %s %s answers %i %s', (method, path, body, status, code) => {
    const reply = call(openedRack().card, method, path, { body });

    expect(reply.status).toBe(status);
    expect(errorCode(reply)).toBe(`Base.1.18.1.${code}`);
    if (status === 405) expect(reply.headers['Allow']).toBeTruthy();
  });

  it('fills message arguments and keeps the resolution of the registry', () => {
    const reply = call(openedRack().card, 'PATCH', paths.secureBoot, { body: { Nope: 1 } });

    expect(parse(reply)).toMatchObject({
      error: {
        message: 'The property Nope is not in the list of valid properties for the resource.',
        '@Message.ExtendedInfo': [
          {
            MessageArgs: ['Nope'],
            MessageSeverity: 'Warning',
            Resolution:
              'Remove the unknown property from the request body and resubmit the request if the operation failed.',
          },
        ],
      },
    });
  });

  it('ignores If-Match', () => {
    const reply = call(openedRack().card, 'PATCH', paths.secureBoot, {
      headers: { 'if-match': '"00000000"' },
      body: { SecureBootEnable: false },
    });

    expect(reply.status).toBe(204);
  });

  it('changes nothing when one of several properties is wrong', () => {
    const { card } = openedRack();

    call(card, 'PATCH', paths.secureBoot, { body: { SecureBootEnable: false, Nope: 1 } });

    expect(get(card, paths.secureBoot)['SecureBootEnable']).toBe(true);
  });
});

describe('query parameters', () => {
  it('selects properties', () => {
    const resource = get(openedRack().card, `${paths.system}?$select=PowerState,BootProgress/OemLastState`);

    expect(resource).toEqual({
      '@odata.id': paths.system,
      '@odata.type': '#ComputerSystem.v1_22_0.ComputerSystem',
      PowerState: 'On',
      BootProgress: { OemLastState: 'OsIsRunning' },
    });
  });

  it('expands the members of a collection, and selects in them', () => {
    const inventory = '/redfish/v1/UpdateService/FirmwareInventory';
    const resource = get(openedRack().card, `${inventory}?$expand=.($levels=1)&$select=Id,Version`);

    const members = resource['Members'] as Record<string, unknown>[];
    expect(members).toHaveLength(14);
    expect(members.find((each) => each['Id'] === 'DPU_NIC')).toMatchObject({ Version: '32.43.1008' });
  });

  it('gives the only member with only', () => {
    expect(get(openedRack().card, '/redfish/v1/Systems?only')['Id']).toBe('Bluefield');
  });

  it('slices and filters collections', () => {
    const { card } = openedRack();
    const inventory = '/redfish/v1/UpdateService/FirmwareInventory';

    expect(get(card, `${inventory}?$skip=2&$top=3`)['Members']).toHaveLength(3);
    expect(get(card, `${inventory}?$filter=Updateable%20eq%20true`)['Members']).toHaveLength(6);
  });

  it.each([
    ['$expand=.($levels=7)', 400],
    ['$expand=x', 400],
    ['$top=x', 400],
    ['$filter=nonsense', 400],
    ['only&$select=Id', 400],
    ['$apply=x', 501],
    ['unknown=1', 200],
  ])('%s answers %i', (query, status) => {
    expect(call(openedRack().card, 'GET', `/redfish/v1/Systems?${query}`).status).toBe(status);
  });
});

describe('settings that wait for a boot', () => {
  it('BIOS attributes are pending until UEFI fetches them', () => {
    const test = openedRack();
    call(test.card, 'PATCH', `${paths.bios}/Settings`, { body: { Attributes: { HostPrivilegeLevel: 'Restricted' } } });
    expect(get(test.card, paths.bios)['Attributes']).toMatchObject({ HostPrivilegeLevel: 'Privileged' });
    expect(get(test.card, `${paths.bios}/Settings`)['Attributes']).toEqual({ HostPrivilegeLevel: 'Restricted' });

    test.card.resetArm();
    test.advance(100_000);

    expect(get(test.card, paths.bios)['Attributes']).toMatchObject({ HostPrivilegeLevel: 'Restricted' });
    expect(get(test.card, `${paths.bios}/Settings`)['Attributes']).toEqual({});
  });

  it('rshim switches are asynchronous and exclude each other', () => {
    const test = openedRack();
    const host = test.rack.host('as7');
    const bmcRshim = (): unknown => get(test.card, `${paths.manager}/Oem/Nvidia`)['BmcRShim'];
    call(test.card, 'POST', `${paths.oem}/Actions/HostRshim.Set`, { body: { HostRshim: 'Disabled' } });
    call(test.card, 'PATCH', `${paths.manager}/Oem/Nvidia`, { body: { BmcRShim: { BmcRShimEnabled: true } } });
    test.advance(10_000);
    // The daemon that runs keeps the card, whatever the BMC forbids: the BMC's own does not come up.
    expect(get(test.card, paths.oem)['HostRshim']).toBe('Disabled');
    expect(host.exec('ops', 'ls /dev/rshim0').exitCode).toBe(0);
    expect(bmcRshim()).toEqual({ BmcRShimEnabled: false });

    host.exec('ops', 'sudo -n systemctl restart rshim');
    expect(host.exec('ops', 'ls /dev/rshim0').exitCode).toBe(2);
    call(test.card, 'PATCH', `${paths.manager}/Oem/Nvidia`, { body: { BmcRShim: { BmcRShimEnabled: true } } });
    expect(bmcRshim()).toEqual({ BmcRShimEnabled: false });
    test.advance(10_000);

    expect(bmcRshim()).toEqual({ BmcRShimEnabled: true });
  });
});

describe('SimpleUpdate', () => {
  const body = {
    TransferProtocol: 'HTTP',
    ImageURI: `${imagesUrl.replace('https://', '')}/bf-bundle-2.9.2-32_25.02_ubuntu-22.04_prod.bfb`,
    Targets: ['redfish/v1/UpdateService/FirmwareInventory/DPU_OS'],
  };

  function withBmcRshim(): ReturnType<typeof openedRack> {
    const test = openedRack();
    test.rack.host('as7').exec('ops', 'sudo -n systemctl disable --now rshim');
    call(test.card, 'PATCH', `${paths.manager}/Oem/Nvidia`, { body: { BmcRShim: { BmcRShimEnabled: true } } });
    test.advance(10_000);
    return test;
  }

  it('starts a task that ends with the transfer', () => {
    const test = withBmcRshim();
    const reply = call(test.card, 'POST', paths.update, { body });
    expect(reply.status).toBe(202);
    const task = String(parse(reply)['@odata.id']);
    test.advance(90_000);
    expect(get(test.card, task)).toMatchObject({ TaskState: 'Running', PercentComplete: 50 });
    expect(call(test.card, 'GET', reply.headers['Location'] ?? '').status).toBe(202);

    test.advance(100_000);

    expect(get(test.card, task)).toMatchObject({ TaskState: 'Completed', TaskStatus: 'OK', PercentComplete: 100 });
    expect(call(test.card, 'GET', reply.headers['Location'] ?? '').status).toBe(204);
  });

  it('refuses a second update while one runs', () => {
    const test = withBmcRshim();
    call(test.card, 'POST', paths.update, { body });

    const second = call(test.card, 'POST', paths.update, { body });

    expect([second.status, errorCode(second)]).toEqual([400, 'Update.1.0.UpdateInProgress']);
  });

  it('loses the host of an image URI with a scheme, and stays broken until a BMC reset', () => {
    const test = withBmcRshim();
    const first = call(test.card, 'POST', paths.update, { body: { ...body, ImageURI: 'http://10.20.7.5/x.bfb' } });
    test.advance(200_000);
    const task = call(test.card, 'GET', String(parse(first)['@odata.id']));
    expect(parse(task)).toMatchObject({ TaskState: 'Exception', TaskStatus: 'Critical' });
    expect(task.body).toContain('Unknown Host');
    expect(task.body).toContain('Invalid FW Package');

    const again = call(test.card, 'POST', paths.update, { body });
    test.advance(200_000);
    expect(get(test.card, String(parse(again)['@odata.id']))['TaskState']).toBe('Exception');
    test.card.resetBmc();
    test.advance(101_000);

    expect(call(test.card, 'GET', String(parse(again)['@odata.id'])).status).toBe(404);
    expect(call(test.card, 'POST', paths.update, { body }).status).toBe(202);
  });

  it.each([
    [{ ...body, Targets: ['/redfish/v1/Other'] }, 'ActionParameterNotSupported'],
    [{ ...body, TransferProtocol: 'FTP' }, 'ActionParameterNotSupported'],
    [{ TransferProtocol: 'HTTP' }, 'ActionParameterMissing'],
  ])('refuses %o', (wrong, code) => {
    const reply = call(openedRack().card, 'POST', paths.update, { body: wrong });

    expect([reply.status, errorCode(reply)]).toEqual([400, `Base.1.18.1.${code}`]);
  });
});
