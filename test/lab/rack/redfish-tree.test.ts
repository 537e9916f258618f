import { describe, expect, it } from 'vitest';
import { variations } from '../../../src/lab/rack/layouts.ts';
import { call, get, openedRack, paths } from './helpers.ts';
import type { TestRack } from './helpers.ts';

function linksIn(value: unknown, found: Set<string>): void {
  if (Array.isArray(value)) for (const each of value) linksIn(each, found);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      if (key === '@odata.id' && typeof inner === 'string') found.add(inner.split('#')[0] ?? '');
      else linksIn(inner, found);
    }
  }
}

function crawl(test: TestRack): Map<string, Record<string, unknown>> {
  const seen = new Map<string, Record<string, unknown>>();
  const waiting = ['/redfish/v1'];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (seen.has(path)) continue;
    const reply = call(test.card, 'GET', path);
    expect(`${path} ${reply.status}`).toBe(`${path} 200`);
    const resource = JSON.parse(reply.body) as Record<string, unknown>;
    seen.set(path, resource);
    const links = new Set<string>();
    linksIn(resource, links);
    waiting.push(...links);
  }
  return seen;
}

describe('the resource tree', () => {
  it.each([
    ['rack1', openedRack],
    ['a card in NIC mode', () => openedRack(variations.nicMode())],
    ['a card without Secure Boot fields', () => openedRack(variations.secureBootFieldsMissing())],
  ])('of %s resolves every link, counts its members and names its resources', (_name, make) => {
    const test = make();
    call(test.card, 'POST', paths.sessions, { password: null, body: { UserName: 'root', Password: 'HelloNvidia3D!' } });
    call(test.card, 'POST', paths.update, {
      body: {
        TransferProtocol: 'HTTP',
        ImageURI: '10.0.0.1//x.bfb',
        Targets: ['redfish/v1/UpdateService/FirmwareInventory/DPU_OS'],
      },
    });

    const tree = crawl(test);

    expect(tree.size).toBeGreaterThan(230);
    for (const [path, resource] of tree) {
      expect(resource['@odata.id'], path).toBe(path);
      expect(resource['@odata.type'], path).toMatch(/^#\w+\.(v\d+_\d+_\d+\.)?\w+$/);
      if (path !== '/redfish/v1/Systems/Bluefield/Oem/Nvidia') expect(resource['Name'], path).toBeTruthy();
      if (Array.isArray(resource['Members'])) {
        expect(resource['Members@odata.count'], path).toBe(resource['Members'].length);
      }
    }
  });

  it('carries nothing of the captured card', () => {
    const test = openedRack();
    const text = JSON.stringify([...crawl(test).values()]);

    for (const trace of ['MT2423600ANG', '900-9D3B6-00CV', '5c:25:73', '5c2573', '172.30.', 'MT_0000000884']) {
      expect(text).not.toContain(trace);
    }
  });

  it('gives two cards different names, addresses and UUIDs', () => {
    const { rack, card } = openedRack();
    const other = rack.card('as8-dpu0');
    call(other, 'PATCH', paths.account, { password: '0penBmc', body: { Password: 'HelloNvidia3D!' } });

    for (const [path, key] of [
      [paths.root, 'UUID'],
      [paths.system, 'SerialNumber'],
      [paths.oem, 'BaseMAC'],
      [`${paths.manager}/EthernetInterfaces/eth0`, 'MACAddress'],
    ] as const) {
      expect(get(card, path)[key]).not.toBe(get(other, path)[key]);
    }
  });

  it('describes the card by its part number everywhere', () => {
    const { card } = openedRack(variations.controllerSku());

    expect(get(card, '/redfish/v1/Chassis/Card1')['PartNumber']).toBe('900-9D3C6-00CV-DA0');
    expect(get(card, paths.oem)['Description']).toContain('B3220SH');
    expect(get(card, '/redfish/v1/UpdateService/FirmwareInventory/DPU_BOARD')['Version']).toBe('MT_0000001117');
  });
});
