import { make } from './ops-error.ts';

/** The programs that measure, as they are installed on hosts. */
export const benchErrors = {
  benchToolTooOld: (a: { host: string; tool: string; version: string; oldest: string; why: string }) =>
    make('bench-tool-too-old', 'permanent', {
      what: `${a.tool} on ${a.host} is too old to measure with: it is ${a.version}, and ${a.oldest} is the oldest that works.`,
      why: `${a.why}.`,
      next: `Install a newer ${a.tool} on ${a.host}, then run the command again. Nothing was changed.`,
    }),
} as const;
