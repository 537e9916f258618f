import { type MachineName, machineNames } from './layout.ts';
import type { Rack } from './rack.ts';

/** Everything that a bench may leave on a machine, as text: network, IPsec, bridges, programs, files. */
const script = `
echo "== addresses and MTU"
ip -o link show | sed 's/@.*: <.*> mtu \\([0-9]*\\).*/ \\1/; s/: <.*> mtu \\([0-9]*\\).*/ \\1/; s/^[0-9]*: //' | sort
ip -o -4 addr show | awk '{ print $2, $4 }' | sort
echo "== routes"
ip -4 route show table all 2>/dev/null | grep -v '^broadcast' | sort
ip -4 rule show
sysctl net.ipv4.ip_forward net.ipv4.conf.all.rp_filter
echo "== neighbours that were set"
ip -4 neigh show nud permanent | sort
echo "== bridges"
if [ -S /run/openvswitch/db.sock ]; then
  for bridge in $(ovs-vsctl list-br); do echo "$bridge: $(ovs-vsctl list-ports "$bridge" | sort | tr '\\n' ' ')"; done
fi
echo "== swanctl"
find /etc/swanctl -type f -printf '%m %p\\n' | sort
if [ -S /run/charon.vici ]; then
  swanctl --list-conns --raw 2>&1 | grep -o '{[a-z][A-Za-z0-9._-]* {[a-z_]*=' | sort
  swanctl --list-sas --raw 2>&1 | grep -oE 'spi-(in|out)=[0-9a-f]+|state=[A-Z]+' | sort
fi
echo "== programs"
ps -e -o comm= | grep -E 'iperf3|testpmd|timeout|tcpdump' | sort || :
echo "== files"
ls -A /var/lib/dpubot/jobs 2>/dev/null || :
ls -A /etc/dpubot* 2>/dev/null || :
`;

/** What of a bench is, or could be, on the machines. Equal texts before and after: nothing of it is left. */
export async function tracesOnMachines(rack: Rack): Promise<Readonly<Record<MachineName, string>>> {
  const texts = await Promise.all(machineNames.map(async (name) => [name, await rack.sh(name, script)] as const));
  return Object.fromEntries(texts) as Record<MachineName, string>;
}
