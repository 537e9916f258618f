/**
 * Open vSwitch and strongSwan of a card on which nothing has been set up: bridges as the image makes them, no flows, no SAs.
 *
 * Source: mlnx-tools mlnx_bf_configure (ovsbr1 and ovsbr2 in DPU mode, none on controllers), Open vSwitch 2.17 and strongSwan 5.9 texts.
 */
import type { Command, CommandContext, ExecResult } from '../shell/types.ts';
import { failed, ok } from '../shell/types.ts';
import { shownHardware } from '../state.ts';

/** Bridge -> its ports besides its own. */
function bridges({ rack, machine }: CommandContext): [string, string[]][] {
  const { card } = machine;
  // On a storage controller the script stops before it makes any.
  if (card === null || shownHardware(rack, card).controller) return [];
  return card.hardware.ports.map((_port, index) => [
    `ovsbr${index + 1}`,
    [`p${index}`, `pf${index}hpf`, `en3f${index}pf${index}sf0`],
  ]);
}

function showBridges(context: CommandContext): string {
  const lines = bridges(context).flatMap(([name, ports]) => [
    `    Bridge ${name}`,
    ...[...ports, name].flatMap((port) => [
      `        Port ${port}`,
      `            Interface ${port}`,
      ...(port === name ? ['                type: internal'] : []),
    ]),
  ]);
  return ['bb2dd3a6-6f4a-4f0b-8a35-1c1b4a0b8a51', ...lines, '    ovs_version: "2.10.0056"', ''].join('\n');
}

const noDatabase = 'ovs-vsctl: unix:/var/run/openvswitch/db.sock: database connection failed (Permission denied)\n';

/** `ovs-vsctl` for looking. */
export const ovsVsctl: Command = (context, args) => {
  if (!context.root) return failed(1, noDatabase);
  const [verb = '', ...rest] = args.filter((arg) => !arg.startsWith('-'));
  const all = bridges(context);
  if (verb === 'show') return ok(showBridges(context));
  if (verb === 'list-br') return ok(all.map(([name]) => `${name}\n`).join(''));
  if (verb === 'list-ports' || verb === 'br-exists') {
    const found = all.find(([name]) => name === rest[0]);
    if (verb === 'br-exists') return found === undefined ? failed(2, '') : ok();
    if (found === undefined) return failed(1, `ovs-vsctl: no bridge named ${rest[0] ?? ''}\n`);
    return ok(found[1].map((port) => `${port}\n`).join(''));
  }
  if (verb === 'get' && rest[0] === 'Open_vSwitch' && rest[2] === 'other_config:hw-offload') return ok('"true"\n');
  if (verb === 'get' && rest[0] === 'Open_vSwitch' && rest[2] === 'other_config') return ok('{hw-offload="true"}\n');
  return failed(1, `ovs-vsctl: unknown command '${verb}'; use --help for help\n`);
};

const flowVerbs = ['dpctl/dump-flows', 'dpctl/dump-conntrack', 'fdb/show'];

/** `ovs-appctl` for looking: nothing flows. */
export const ovsAppctl: Command = (context, args) => {
  if (!context.root)
    return failed(1, 'ovs-appctl: cannot read pidfile "/var/run/openvswitch/ovs-vswitchd.pid" (Permission denied)\n');
  const [verb = ''] = args.filter((arg) => !arg.startsWith('-'));
  if (verb === 'dpctl/show') return ok('system@ovs-system:\n  lookups: hit:0 missed:0 lost:0\n  flows: 0\n');
  if (verb === 'dpctl/offload-stats-show')
    return ok('HW Offload stats:\n    Total                  Enqueued offloads:       0\n');
  if (verb === 'fdb/show') return ok(' port  VLAN  MAC                Age\n');
  if (flowVerbs.includes(verb)) return ok();
  const text = `"${verb}" is not a valid command (use "list-commands" to see a list of valid commands)\novs-appctl: ovs-vswitchd: server returned an error\n`;
  return failed(2, text);
};

/** `swanctl` for looking: the daemon runs and has nothing loaded. */
export const swanctl: Command = ({ root }, args): ExecResult => {
  const socket = 'unix:///var/run/charon.vici';
  if (!root)
    return failed(
      2,
      `connecting to '${socket}' failed: Permission denied\nError: connecting to 'default' URI failed: Permission denied\n`,
    );
  const [verb = ''] = args;
  if (['--list-sas', '-l', '--list-conns', '-L', '--list-pols', '-P', '--list-certs', '-x'].includes(verb)) {
    const raw = args.includes('--raw') || args.includes('-r');
    return ok(raw && (verb === '--list-sas' || verb === '-l') ? 'list-sas reply {}\n' : '');
  }
  if (verb === '--version' || verb === '-v') return ok('strongSwan swanctl 5.9.5\n');
  return failed(22, `swanctl: unrecognized option '${verb}'\nError: unknown command\n`);
};
