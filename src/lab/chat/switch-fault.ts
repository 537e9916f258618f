import type { Fault, FaultName } from './faults.ts';
import type { Lab } from './lab.ts';

/** Switches a fault on; disconnecting happens at once and is not remembered. */
export function setFault(lab: Lab, fault: Fault): void {
  if (fault.fault === 'socket-disconnect') {
    lab.sockets.disconnectAll(fault.reason ?? 'refresh_requested');
    return;
  }
  lab.faults.add(fault);
  if (fault.fault === 'slack-down') {
    lab.sockets.disconnectAll('cut');
  }
  if (fault.fault === 'socket-refresh') {
    lab.sockets.followRefresh();
  }
}

/** Switches a fault off, or all of them. */
export function clearFault(lab: Lab, name: FaultName | undefined): void {
  lab.faults.clear(name);
  lab.sockets.followRefresh();
}
