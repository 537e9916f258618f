import { afterEach, describe, expect, it } from 'vitest';
import type { CardRef } from '../../../src/domain/device-ports.ts';
import type { LookContext } from '../../../src/domain/look.ts';
import type { ObserveContext } from '../../../src/domain/step.ts';
import { status } from '../../../src/looks/status.ts';
import { type CaptureBmc, capturedResources, startCaptureBmc } from '../../support/capture-bmc.ts';
import { type Answers, createLookWorld, type LookWorld, oneCard } from '../../unit/looks/look-world.ts';
import { bmcAccess, createTestCredentials } from './support/bmc-ports.ts';

const endings: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

interface CaptureWorld {
  readonly world: LookWorld;
  readonly bmc: CaptureBmc;
  readonly context: LookContext;
  readonly card: CardRef;
}

/** A card whose BMC is the capture, over HTTPS, with the transport that workers use. Nothing else answers, unless `host`. */
async function open(
  wish: {
    readonly changes?: Readonly<Record<string, unknown>>;
    readonly host?: Answers;
    readonly isPinned?: boolean;
  } = {},
): Promise<CaptureWorld> {
  const bmc = await startCaptureBmc(wish.changes);
  const access = bmcAccess({
    credentials: createTestCredentials({ current: bmc.password, previous: 'Previous!Pass-07' }),
  });
  endings.push(
    () => access.close(),
    () => bmc.server.stop(),
  );
  const { port, sha256 } = bmc.server;
  const pin = wish.isPinned === false ? {} : { certSha256: sha256 };
  const world = createLookWorld({
    dpus: [{ name: 'as7-dpu0', bmc: { address: '127.0.0.1', port, ...pin } }],
    ...(wish.host && { host: wish.host }),
  });
  const of = (card: CardRef): ObserveContext => ({ ...world.context.of(card), bmc: access });
  const [card] = world.context.cards;
  if (card === undefined) throw new Error('the world has no card');
  return { world, bmc, card, context: { ...world.context, of } };
}

async function statusOf({ context, world }: CaptureWorld): Promise<Readonly<Record<string, string>>> {
  await status.run(context);
  return Object.fromEntries((world.reported[0]?.rows ?? []).map(({ label, value }) => [label, value]));
}

describe('status of a real BMC, from its capture', () => {
  it('shows its part number, serial, mode, Secure Boot, versions and boot progress', async () => {
    const capture = await open();

    expect(await statusOf(capture)).toMatchObject({
      'part number': '900-9D3B6-00CV-AA0 (B3220)',
      serial: 'MT2423600ANG',
      mode: 'DPU mode',
      'Secure Boot': 'off (running boot: Disabled)',
      image: 'bf-bundle-2.9.0-90_24.10_ubuntu-22.04_prod',
      'NIC firmware running': '32.43.1008',
      'BMC firmware': 'BF-24.10-10',
      'rshim owner': 'BMC',
      Arm: 'OsIsRunning, power On',
    });
    expect(capture.bmc.server.requests.map(({ method, path }) => `${method} ${path}`)).toContain(
      'GET /redfish/v1/Systems/Bluefield',
    );
  });

  it('sends nothing but one login and reads', async () => {
    const capture = await open();
    await statusOf(capture);

    const writes = capture.bmc.server.requests.filter(({ method }) => method !== 'GET');
    expect(writes.map(({ method, path }) => `${method} ${path}`)).toEqual(['POST /redfish/v1/SessionService/Sessions']);
    expect(capture.bmc.tries).toEqual([capture.bmc.password]);
  });

  it('trims the blanks with which firmware pads a serial, and knows the card by it', async () => {
    const path = '/redfish/v1/Systems/Bluefield';
    const system = capturedResources()[path] as object;
    const padded = { [path]: { ...system, SerialNumber: 'MT2423600ANG            ' } };

    const capture = await open({ changes: padded });
    const cards = [{ ...capture.card, serial: 'MT2423600ANG' }];

    const rows = await statusOf({ ...capture, context: { ...capture.context, cards } });

    expect(rows).toMatchObject({ serial: 'MT2423600ANG', mode: 'DPU mode' });
  });
});

describe('a real BMC whose certificate is not pinned', () => {
  it('is sent nothing at all by status, and that is the reason why its values are not read', async () => {
    const capture = await open({ host: [oneCard], isPinned: false });

    await status.run(capture.context);

    const gap = capture.world.reported[0]?.rows?.find(({ value }) => value.split(', ').includes('BMC firmware'));
    expect(gap).toMatchObject({ label: 'not read', warning: expect.stringContaining('not pinned') as string });
    expect(capture.bmc.server.requests).toEqual([]);
  });
});
