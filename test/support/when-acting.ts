import type { EngineDeps } from '../../src/engine/deps.ts';

/** Runs `at` once, right after this action's intent was journaled. */
export function whenActing(deps: EngineDeps, action: string, at: () => Promise<void>): EngineDeps {
  let armed = true;
  return {
    ...deps,
    journal: {
      ...deps.journal,
      append: async (runId, unit, event) => {
        const entry = await deps.journal.append(runId, unit, event);
        if (armed && event.type === 'intent' && event.action === action) {
          armed = false;
          await at();
        }
        return entry;
      },
    },
  };
}
