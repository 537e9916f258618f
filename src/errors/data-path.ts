import { make } from './ops-error.ts';

/** Bridges, offload and memory that fast data needs. */
export const dataPathErrors = {
  ovsPortElsewhere: (a: { target: string; port: string; bridge: string; wanted: string }) =>
    make('ovs-port-elsewhere', 'permanent', {
      what: `${a.port} of ${a.target} is a port of ${a.bridge}, and the profile wants it in ${a.wanted}.`,
      why: 'A link can be in one bridge only, and whoever put it there may need it there.',
      next: `Take it out (\`ovs-vsctl del-port ${a.bridge} ${a.port}\` on the card), or name ${a.bridge} in the profile; then give the command again. Nothing was changed.`,
    }),
} as const;
