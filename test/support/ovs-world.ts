import type { CommandResult } from '../../src/domain/device-ports.ts';

/** Open vSwitch of an Arm, as far as steps use it. Written from ovs-vsctl(8). */
export interface OvsWorld {
  readonly bridges: Map<string, string[]>;
  readonly config: Map<string, string>;
  /** What it was started with: a setting counts from the next start on. */
  running: string;
}

export function createOvsWorld(): OvsWorld {
  return { bridges: new Map([['ovsbr1', ['p0', 'pf0hpf']]]), config: new Map(), running: 'false' };
}

const ok = (stdout = ''): CommandResult => ({ stdout, stderr: '', exitCode: 0, truncated: false, durationMs: 1 });

/** Undefined: not a command of Open vSwitch. */
export function onOvs(ovs: OvsWorld, words: readonly string[], log: (text: string) => void): CommandResult | undefined {
  const line = words.join(' ');
  if (line.includes('ovs-vsctl list-br'))
    return ok(
      [...ovs.bridges].map(([name, ports]) => `=== ${name}\n${ports.map((port) => `${port}\n`).join('')}`).join(''),
    );
  if (line === 'systemctl restart openvswitch-switch.service') {
    ovs.running = ovs.config.get('hw-offload') ?? 'false';
    log(line);
    return ok();
  }
  if (words[0] !== 'ovs-vsctl') return undefined;
  const asked = /^ovs-vsctl --if-exists get Open_vSwitch \. other_config:(\S+)$/.exec(line)?.[1];
  if (asked !== undefined) return ok(ovs.config.has(asked) ? `"${ovs.config.get(asked)}"\n` : '\n');
  log(line);
  if (words[1] === 'set') {
    for (const word of words.slice(4)) {
      const [, name = '', value = ''] = /^other_config:(\S+)=(\S+)$/.exec(word) ?? [];
      ovs.config.set(name, value);
    }
    return ok();
  }
  const [, , act, bridge = '', port = ''] = words;
  if (act === 'add-br') ovs.bridges.set(bridge, ovs.bridges.get(bridge) ?? []);
  else if (act === 'add-port') ovs.bridges.set(bridge, [...new Set([...(ovs.bridges.get(bridge) ?? []), port])]);
  else return { ...ok(), exitCode: 1, stderr: `ovs-vsctl: unknown command '${act}'\n` };
  return ok();
}
