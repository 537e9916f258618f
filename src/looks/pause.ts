import type { LookContext } from '../domain/look.ts';

/** Waits between two looks. Being cancelled ends it at once, without an error: what was seen so far is still worth telling. */
export async function pause({ clock, signal }: Pick<LookContext, 'clock' | 'signal'>, deviceMs: number): Promise<void> {
  try {
    await clock.poll(deviceMs, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
