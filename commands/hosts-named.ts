import type { CommandRequest } from './define.ts';
import { unitsSelected } from './selection.ts';

/** The hosts that a target means: all of a rack, the one itself, that of a DPU. Errors: target-unknown, command-invalid. */
export async function hostsNamed(request: CommandRequest, target: string): Promise<readonly string[]> {
  return (await unitsSelected(request, { target })).map(({ host }) => host);
}
