import { beforeEach, describe, expect, it } from 'vitest';
import { Profile } from '../../../src/domain/profile.ts';
import type { ObserveContext } from '../../../src/domain/step.ts';
import { errors } from '../../../src/errors.ts';
import { probes } from '../../../src/looks/probes/index.ts';
import { checkDpuMode } from '../../../src/steps/check-dpu-mode.ts';
import { disableSecureBoot } from '../../../src/steps/disable-secure-boot.ts';
import { capturedResources } from '../../support/capture-bmc.ts';
import { createTestClock, createTestCredentials } from './support/bmc-ports.ts';
import { createLoginWorld, slots } from './support/login-world.ts';

const serial = 'MT2423600ANG';

const world = createLoginWorld();

// Plain files and a session endpoint: nothing of the pretend rack stands between the capture and dpubot.
beforeEach(() => {
  for (const [path, body] of Object.entries(capturedResources())) world.openBmc.resources.set(path, () => ({ body }));
});

function contextOf(): ObserveContext {
  const card = world.pinnedCard(serial);
  const bmc = world.open({ credentials: createTestCredentials({ current: slots.current }) });
  const context: Partial<ObserveContext> = {
    runId: 7,
    card,
    dpu: card.dpu,
    cards: [card],
    slice: card.slice,
    profile: Profile.parse({}),
    bmc,
    clock: createTestClock(),
    signal: new AbortController().signal,
    actions: [],
    host: {
      name: 'host-01',
      // pgrep(1): no bfb-install runs.
      read: () => Promise.resolve({ stdout: '', stderr: '', exitCode: 1, truncated: false, durationMs: 1 }),
    },
    arm: {
      login: () =>
        Promise.resolve({ state: 'unreachable', failure: errors.sshUnreachable({ host: 'x', address: 'x' }).failure }),
      publicKey: () => Promise.reject(new Error('nobody asks for it')),
    },
  };
  return context as ObserveContext;
}

describe('the answers of a real BMC, as plain files', () => {
  it('are read by the steps that inspect looks with', async () => {
    const context = contextOf();

    const mode = await checkDpuMode.observe(context, { setMode: false });
    expect(checkDpuMode.diff(mode, { setMode: false }, context.dpu)).toMatchObject({ kind: 'satisfied' });
    const secureBoot = await disableSecureBoot.observe(context, {});
    expect(disableSecureBoot.diff(secureBoot, {}, context.dpu)).toMatchObject({ kind: 'satisfied' });
  });

  it.each([
    ['versions', 'BMC BF-24.10-10, NIC firmware 32.43.1008, OS bf-bundle-2.9.0-90_24.10_ubuntu-22.04_prod.'],
    ['secure-boot', 'Secure Boot is off (running boot: Disabled), and stays off.'],
  ] as const)('answer diag %s', async (name, summary) => {
    const finding = await probes[name].run(contextOf());

    expect(finding.summary).toBe(summary);
  });

  it.each(['temperatures', 'bmc-log'] as const)('answer diag %s without an error', async (name) => {
    const finding = await probes[name].run(contextOf());

    expect(finding.summary.length).toBeGreaterThan(10);
    expect(finding.summary).not.toMatch(/undefined|NaN/);
  });
});
