import type { MaintenanceWindow } from '../domain/windows.ts';
import { windowProblem } from '../domain/windows.ts';
import type { Problem, View } from './view.ts';
import { unknownName } from './view.ts';

/** Windows that never open or stand in no zone, and racks in which there is no host. */
export function windowProblems(view: View): Problem[] {
  const used = [...new Set([...view.hosts.values()].map((host) => host.rack))];
  return [
    ...[...view.sites].flatMap(([name, { windows }]) => problemsOf(['sites', name], windows)),
    ...[...view.racks].flatMap(([name, { windows }]) => problemsOf(['racks', name], windows)),
    // Of hosts that are not well formed the rack is not known.
    ...(view.hosts.size < view.hostNames.length
      ? []
      : view.rackNames.flatMap((name) =>
          unknownName(['racks', name], 'host in rack', name, used).map((one) => ({ ...one, atKey: true })),
        )),
  ];
}

function problemsOf(place: Problem['path'], windows: readonly MaintenanceWindow[]): Problem[] {
  return windows.flatMap((window, index) => {
    const problem = windowProblem(window);
    return problem === undefined ? [] : [{ path: [...place, 'windows', index, problem.key], text: problem.text }];
  });
}
