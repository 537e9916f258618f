import type { Selection } from '../src/domain/target-expression.ts';
import type { CommandRequest } from './define.ts';
import { unitsSelected } from './selection.ts';

/** The hosts that a selection means: all of a rack, the one itself, that of a DPU. Errors: target-unknown, command-invalid. */
export async function hostsNamed(request: CommandRequest, selection: Selection): Promise<readonly string[]> {
  return (await unitsSelected(request, selection)).map(({ host }) => host);
}
