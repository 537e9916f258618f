import { expect, it } from 'vitest';
import { iperf3Tool } from '../../../src/steps/measure-tool-iperf3.ts';
import type { ToolSetting } from '../../../src/steps/measure-tool.ts';
import { fixture } from '../../support/fixture.ts';

const client = fixture('iperf3/no-tcp-client.txt');
const server = fixture('iperf3/no-tcp-server.txt');
const read = (sent: string, received: string): ReturnType<typeof iperf3Tool.read> =>
  iperf3Tool.read({ sent: [sent], received: [received] }, {} as ToolSetting);

it('names TCP as what does not get through where the server listens and hears nothing', () => {
  expect(read(client, server)).toEqual({
    kind: 'failed',
    problem: expect.stringMatching(/timed out.*it listens, and pings to it were answered: TCP is dropped on the way/s),
  });
});

it.each([
  ['the server has taken the connection', client, `${server}Accepted connection from 192.168.50.1, port 40422\n`],
  ['there is no log of the server', client, ''],
  ['nobody listens', fixture('iperf3/refused.txt'), server],
])('does not speak of TCP where %s', (_title, sent, received) => {
  expect(read(sent, received)).toEqual({ kind: 'failed', problem: expect.not.stringContaining('TCP') });
});
