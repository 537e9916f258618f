import type { FaultCase } from '../case.ts';
import { gone, overcome, passed, stops } from '../words.ts';

const reflash = '/dpu reflash --image bf-2.9.2-patched';
const stock = '/dpu reflash --image bf-2.9.2';
const unknown = /Look at the host; the run can be resumed|looks again before it goes on; resume it/;

/** Hosts, their network and their packages. */
export const hosts: readonly FaultCase[] = [
  { fault: 'ssh-drop', command: '/dpu provision', end: overcome(undefined, { state: 'satisfied' }) },
  {
    fault: 'ssh-drop',
    command: reflash,
    when: { intent: 'push-1' },
    end: stops(['failed', 'ssh-lost', 'unknown'], unknown, passed),
  },
  { fault: 'ssh-hang', command: '/dpu provision', end: stops(['failed', 'ssh-timeout', 'unknown'], unknown, passed) },
  {
    fault: 'ssh-hang',
    command: reflash,
    when: { intent: 'push-1' },
    end: stops(['failed', 'ssh-timeout', 'unknown'], unknown, passed),
  },
  {
    fault: 'ssh-refuse',
    command: '/dpu provision',
    end: stops(
      ['failed', 'ssh-unreachable', 'unchanged'],
      /Check power and network of as7/,
      gone('The host answers again.'),
    ),
  },
  {
    fault: 'ssh-refuse',
    command: '/dpu rotate arm',
    onCard: true,
    end: stops(['failed', 'ssh-unreachable', 'unchanged'], /Check power and network/, gone('The Arm answers again.')),
  },
  {
    fault: 'ssh-hostkey-changed',
    command: '/dpu provision',
    end: stops(
      ['needs-human', 'ssh-host-key-changed', 'unchanged'],
      /security event.*correct `hostKeys` in the inventory/,
      gone('What answered there was another machine, and is taken away.'),
    ),
  },
  {
    fault: 'ssh-hostkey-changed',
    command: '/dpu rotate arm',
    onCard: true,
    end: stops(
      ['needs-human', 'ssh-host-key-changed', 'unchanged'],
      /security event.*\/dpu provision as7-dpu0 --reflash/,
      gone('What answered there was another machine, and is taken away.'),
    ),
  },
  {
    fault: 'sudo-password',
    command: '/dpu provision',
    end: stops(
      ['refused', 'sudo-refused', 'unchanged'],
      /Install the sudoers sample of docs\/production\.md/,
      gone('The sample is installed.'),
      ['/dpu provision'],
    ),
  },

  {
    fault: 'disk-full',
    command: '/dpu provision',
    card: 'fresh',
    end: stops(
      ['refused', 'host-disk-full', 'unchanged'],
      /Free space on as7\. Nothing was changed/,
      gone('Space is made.'),
      ['/dpu provision'],
    ),
  },
  {
    fault: 'disk-full',
    command: '/dpu provision',
    card: 'fresh',
    when: { intent: 'update-own-lists-1' },
    end: stops(['failed', 'host-disk-full', 'changed'], /Free space.*\/dpu resume \d+/, gone('Space is made.')),
  },
  {
    fault: 'disk-full',
    command: '/dpu provision',
    card: 'fresh',
    when: { intent: 'write-bf-cfg' },
    end: stops(['failed', 'host-disk-full', 'changed'], /Free space.*resume the run/, gone('Space is made.')),
  },
  {
    fault: 'disk-full',
    command: stock,
    end: stops(
      ['refused', 'image-space-missing', 'unchanged'],
      /Make room on that file system, then run the command again/,
      gone('Space is made.'),
      [stock],
    ),
  },
  {
    fault: 'dpkg-lock',
    command: '/dpu provision',
    card: 'fresh',
    end: stops(
      ['failed', 'dpkg-locked', 'unchanged'],
      /Let it finish.*\/dpu resume \d+/,
      gone('unattended-upgrades has ended.'),
    ),
  },
  {
    fault: 'dpkg-interrupted',
    command: '/dpu provision',
    card: 'fresh',
    end: overcome(/finish dpkg first/),
  },
  {
    fault: 'modules-rejected',
    command: '/dpu provision',
    card: 'fresh',
    end: stops(
      ['failed', 'driver-not-loaded', 'changed'],
      /Enrol the key of the module.*\/dpu resume \d+/,
      gone('The key is enrolled.'),
    ),
  },

  {
    fault: 'internet-unreachable',
    command: '/dpu provision',
    card: 'fresh',
    end: stops(
      ['failed', 'download-failed', 'unknown'],
      /Check the way of as7 to the internet, its DNS.*\/dpu resume \d+/,
      gone('Names are resolved again.'),
    ),
  },
  {
    fault: 'internet-unreachable',
    command: stock,
    end: stops(
      ['failed', 'image-download-broken', 'changed'],
      /Look at the network between them and resume the run.*No card was touched/,
      gone('Names are resolved again.'),
    ),
  },
  { fault: 'download-breaks', command: stock, end: overcome(/broke off .*; going on/) },
  {
    fault: 'download-breaks',
    command: stock,
    uses: 20,
    end: stops(
      ['failed', 'image-download-broken', 'changed'],
      /it goes on with what is there\. No card was touched/,
      gone('The network holds.'),
    ),
  },
  {
    fault: 'link-lost',
    command: '/dpu provision',
    end: stops(['failed', 'ssh-unreachable', 'unchanged'], /Check power and network of as7/, passed),
  },
  {
    fault: 'link-lost',
    command: reflash,
    when: { sign: 'pushing' },
    end: overcome(/does not answer; the push to as7-dpu0 goes on there/),
  },
];
