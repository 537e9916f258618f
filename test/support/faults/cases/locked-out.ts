import { expect } from 'vitest';
import type { Cure, FaultCase } from '../case.ts';
import { faultCard } from '../case.ts';
import { gone, overcome, passed, shown, stops } from '../words.ts';

const reflash = '/dpu reflash --image bf-2.9.2-patched';
const notTold = /mode, Secure Boot, BMC firmware, Arm/;

/** Within the window of two wrong tries a new password could not be told from a wrong one. */
const laterFactory: Cure = {
  text: 'Ten minutes later somebody has set the factory password again.',
  act: ({ clock }) => clock.advance(600_000),
};

/** Cards that let nobody in, or where nobody is in. */
export const lockedOut: readonly FaultCase[] = [
  { fault: 'bmc-locked', command: '/dpu provision', end: overcome(/lock-out window/, { state: 'satisfied' }) },
  { fault: 'bmc-locked', command: '/dpu provision', card: 'fresh', end: overcome(/lock-out window/) },
  { fault: 'bmc-locked', command: '/dpu rotate bmc', end: overcome(/lock-out window/) },
  { fault: 'bmc-locked', command: '/dpu status --refresh', end: shown(/No login to the BMC .* may be tried before/) },
  {
    fault: 'bmc-locked',
    command: '/dpu reboot arm',
    end: stops(['failed', 'plan-outdated', 'unchanged'], /Run `\/dpu reboot arm` for a new plan/, passed),
  },

  { fault: 'bmc-password-factory', command: '/dpu status --refresh', end: shown(notTold) },
  {
    fault: 'bmc-password-factory',
    command: '/dpu provision',
    end: overcome(/factory password -> generated/),
  },
  {
    fault: 'bmc-password-factory',
    command: '/dpu recover bmc-password',
    end: overcome(/factory password -> generated/),
  },

  ...(['bmc-password-too-long', 'bmc-password-wrong'] as const).flatMap((fault): FaultCase[] => [
    {
      fault,
      command: '/dpu provision',
      end: stops(
        ['needs-human', 'bmc-login-refused', 'unchanged'],
        /Import the right one with `dpubot credentials import-bmc/,
        gone('Somebody sets the old password again.'),
      ),
    },
    { fault, command: '/dpu recover bmc-password', end: overcome(/over the Arm/) },
  ]),
  {
    fault: 'bmc-password-wrong',
    command: '/dpu provision',
    card: 'fresh',
    end: stops(
      ['refused', 'card-set-up-by-hand', 'unchanged'],
      /credentials import-bmc MT2334XZ0A7K.*--adopt.*--reflash/,
      laterFactory,
      ['/dpu provision'],
    ),
  },

  {
    fault: 'arm-password-lost',
    command: '/dpu recover arm-password',
    end: stops(
      ['failed', 'arm-locked-out', 'changed'],
      /\/dpu reflash as7-dpu0 --image bf-2\.9\.2-patched/,
      gone('Nobody knows the password.'),
      [reflash],
    ),
  },
  {
    fault: 'arm-password-lost',
    command: '/dpu provision',
    end: stops(
      ['needs-human', 'arm-login-refused', 'changed'],
      /\/dpu reflash as7-dpu0 --image/,
      gone('Nobody knows the password.'),
      [reflash],
    ),
  },
  { fault: 'arm-key-lost', command: '/dpu provision', end: overcome(/key not accepted -> login by key/) },
  { fault: 'arm-key-lost', command: '/dpu recover arm-password', end: overcome(/key refused -> login by key/) },

  {
    fault: 'uefi-password-lost',
    command: '/dpu recover uefi-password',
    end: overcome(/the capsule enrols the Secure Boot keys/),
  },

  {
    fault: 'nic-mode',
    command: '/dpu provision',
    card: 'fresh',
    end: stops(['refused', 'nic-mode', 'unchanged'], /again with `--set-mode`/, gone('It stays in NIC mode.'), [
      '/dpu provision --set-mode',
    ]),
  },
  {
    fault: 'nic-mode',
    command: '/dpu provision',
    end: stops(['refused', 'nic-mode', 'unchanged'], /\/dpu recover as7-dpu0 dpu-mode/, gone('It stays in NIC mode.'), [
      '/dpu recover dpu-mode',
    ]),
  },
  {
    fault: 'nic-mode',
    command: '/dpu recover dpu-mode',
    end: overcome(/nic mode .* -> dpu mode/, {
      proof: ({ rack }) => expect(rack.card(faultCard).armIsUp()).toBe(true),
    }),
  },
  {
    fault: 'nic-mode',
    command: '/dpu reboot arm',
    end: stops(['refused', 'nic-mode', 'unchanged'], /\/dpu recover as7-dpu0 dpu-mode/, gone('It stays in NIC mode.'), [
      '/dpu recover dpu-mode',
      '/dpu reboot arm',
    ]),
  },
  { fault: 'nic-mode', command: '/dpu status --refresh', end: shown(/^mode +NIC mode/) },

  { fault: 'rshim-stuck', command: '/dpu recover stuck-rshim', end: overcome(/Will change: Make rshim answer/) },
  {
    fault: 'rshim-stuck',
    command: reflash,
    end: stops(
      ['refused', 'rshim-stuck', 'unchanged'],
      /\/dpu recover as7-dpu0 stuck-rshim/,
      { text: 'It stays so.', act: ({ rack }) => rack.injectFault('rshim-stuck', { target: faultCard }) },
      ['/dpu recover stuck-rshim', reflash],
    ),
  },
];
