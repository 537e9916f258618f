import { afterEach, beforeEach } from 'vitest';
import type { BmcLogin, BmcSession, CardRef } from '../../../../src/domain/device-ports.ts';
import { bmcAccess } from './bmc-ports.ts';
import { type BmcServer, startBmc } from './bmc-server.ts';
import { createOpenBmc, type OpenBmc } from './open-bmc.ts';
import { cardOf, sliceFor } from './slices.ts';

export const factory = '0penBmc';
export const slots = { pending: 'Pending!Pass-31', current: 'Current!Pass-19', previous: 'Previous!Pass-07' };
export const account = '/redfish/v1/AccountService/Accounts/root';

/** One BMC per test, with the current password, and accesses that are closed after the test. */
export interface LoginWorld {
  openBmc: OpenBmc;
  server: BmcServer;
  open(options?: Parameters<typeof bmcAccess>[0]): ReturnType<typeof bmcAccess>;
  pinnedCard(serial?: string): CardRef;
  unpinnedCard(): CardRef;
}

const notStarted: BmcServer = {
  port: 0,
  sha256: '',
  requests: [],
  handler: () => ({ status: 404 }),
  stop: () => Promise.resolve(),
  restart: () => Promise.resolve(),
};

/** Sets up a world before each test of the file that calls it. */
export function createLoginWorld(): LoginWorld {
  const accesses: ReturnType<typeof bmcAccess>[] = [];
  const world: LoginWorld = {
    openBmc: createOpenBmc(slots.current),
    server: notStarted,
    open(options) {
      const access = bmcAccess(options);
      accesses.push(access);
      return access;
    },
    pinnedCard: (serial) =>
      cardOf(sliceFor({ bmc: { port: world.server.port, certSha256: world.server.sha256 } }), serial),
    unpinnedCard: () => cardOf(sliceFor({ bmc: { port: world.server.port } })),
  };
  beforeEach(async () => {
    world.openBmc = createOpenBmc(slots.current);
    world.server = await startBmc(world.openBmc.handler);
  });
  afterEach(async () => {
    for (const access of accesses.splice(0)) await access.close();
    await world.server.stop();
  });
  return world;
}

/** The session of a login that went well. */
export function sessionOf(login: BmcLogin): BmcSession {
  if (login.state !== 'in') throw new Error(`login is ${login.state}`);
  return login.session;
}
