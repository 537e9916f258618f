import type {
  BmcCredential,
  CardRecords,
  CredentialKey,
  DeviceClock,
  LoginBudget,
  PinStore,
} from '../../../../src/domain/device-ports.ts';
import { Secret } from '../../../../src/domain/secret.ts';
import { createDeviceClock, waitMs } from '../../../../src/transport/device-clock.ts';
import { createRedactor } from '../../../../src/transport/redact.ts';
import { type BmcAccessOptions, createBmcAccess } from '../../../../src/transport/redfish/login.ts';

/** Two tries per window and key, with a settable clock. */
export function createTestBudget(nowMs: () => number = () => 0): LoginBudget & { readonly used: Map<string, number> } {
  const used = new Map<string, number>();
  const ends = new Map<string, number>();
  const open = (key: string, windowMs: number): void => {
    if ((ends.get(key) ?? 0) > nowMs()) return;
    ends.set(key, nowMs() + windowMs);
    used.set(key, 0);
  };
  return {
    used,
    take(key, windowMs) {
      open(key, windowMs);
      const count = used.get(key) ?? 0;
      if (count >= 2) return Promise.resolve({ ok: false, untilMs: ends.get(key) ?? 0 });
      used.set(key, count + 1);
      return Promise.resolve({ ok: true });
    },
    giveBack(key) {
      used.set(key, Math.max(0, (used.get(key) ?? 0) - 1));
      return Promise.resolve();
    },
    exhaust(key, windowMs) {
      open(key, windowMs);
      used.set(key, 2);
      return Promise.resolve(ends.get(key) ?? 0);
    },
  };
}

/** Passwords by slot, under the certificate or, with `serial`, under that serial. */
export function createTestCredentials(slots: Partial<Record<BmcCredential['slot'], string>>, serial?: string) {
  const asked: CredentialKey[] = [];
  const filed = new Map(Object.entries(slots) as [BmcCredential['slot'], string][]);
  return {
    asked,
    filed,
    bmc(key: CredentialKey): Promise<readonly BmcCredential[]> {
      asked.push(key);
      const hit = serial === undefined ? 'certSha256' in key : 'serial' in key && key.serial === serial;
      return Promise.resolve(
        hit ? [...filed].map(([slot, value]) => ({ slot, secret: new Secret(value), savedAtMs: 0 })) : [],
      );
    },
  };
}

/** Pins by target name. */
export function createTestPins(pins: Readonly<Record<string, string>> = {}): Pick<PinStore, 'get'> {
  return { get: (_kind, target) => Promise.resolve(pins[target]) };
}

/** BMC addresses that were found over the Arm, by serial; `set` changes one. */
export function createTestRecords(
  addresses: Readonly<Record<string, string>> = {},
): Pick<CardRecords, 'get'> & { set(serial: string, bmcAddress: string): void } {
  const known = new Map(Object.entries(addresses));
  return {
    get(serial) {
      const bmcAddress = known.get(serial);
      return Promise.resolve(
        bmcAddress === undefined ? undefined : { origin: 'factory', bmcAddress, runId: 1, atMs: 1 },
      );
    },
    set: (serial, bmcAddress) => void known.set(serial, bmcAddress),
  };
}

/** A clock that stands still until a test moves it; a device second is a wall millisecond. */
export function createTestClock(): DeviceClock & { skip(wallMs: number): void } {
  let nowMs = 1_800_000_000_000;
  const inner = createDeviceClock({ timeFactor: 1_000, simulated: true, clock: { nowMs: () => nowMs } });
  return {
    ...inner,
    // No floor of 50 ms: tests wait as little as they can.
    poll: (_deviceMs, signal) => waitMs(1, signal),
    skip: (wallMs) => (nowMs += wallMs),
  };
}

/** Access with in-memory ports. */
export function bmcAccess(options: Partial<BmcAccessOptions> & { readonly clock?: () => DeviceClock } = {}) {
  const clock = options.clock?.() ?? createTestClock();
  return createBmcAccess({
    hosts: { openTunnel: () => Promise.reject(new Error('no tunnel in this test')) },
    credentials: createTestCredentials({}),
    pins: createTestPins(),
    records: createTestRecords(),
    budget: createTestBudget(() => clock.nowMs()),
    clock: () => clock,
    redactor: createRedactor(),
    random: () => 0.5,
    ...options,
  });
}
