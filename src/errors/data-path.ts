import { make } from './ops-error.ts';

/** Bridges, offload and memory that fast data needs. */
export const dataPathErrors = {
  ovsPortElsewhere: (a: { target: string; port: string; bridge: string; wanted: string }) =>
    make('ovs-port-elsewhere', 'permanent', {
      what: `${a.port} of ${a.target} is a port of ${a.bridge}, and the profile wants it in ${a.wanted}.`,
      why: 'A link can be in one bridge only, and whoever put it there may need it there.',
      next: `Take it out (\`ovs-vsctl del-port ${a.bridge} ${a.port}\` on the card), or name ${a.bridge} in the profile; then give the command again. Nothing was changed.`,
    }),
  steeringNotSettable: (a: { target: string; uplink: string; wanted: string }) =>
    make('steering-not-settable', 'permanent', {
      what: `Steering ${a.wanted} cannot be set on ${a.uplink} of ${a.target}.`,
      why: 'The mlx5 driver of the card has no parameter flow_steering_mode.',
      next: 'Load the driver of the image (`/dpu provision`), or let the profile leave the steering alone. Nothing was changed.',
    }),
  pathDead: (a: { target: string; from: string; to: string; seen: string }) =>
    make('path-dead', 'permanent', {
      what: `Nothing gets from ${a.from} to ${a.to} over the wire of ${a.target}.`,
      why: `${a.seen}.`,
      next: `Look at the cable (\`/dpu diag ${a.from} links\`), at the bridges of both cards (\`/dpu diag ${a.from} offload-flows\`), and that nothing filters between the hosts. Nothing was measured.`,
    }),
  pathMtu: (a: {
    target: string;
    from: string;
    to: string;
    mtuBytes: number;
    limit: { readonly mtuBytes: number; readonly at: string } | undefined;
  }) =>
    make('path-mtu', 'permanent', {
      what: `Packets of ${a.mtuBytes} bytes do not get from ${a.from} to ${a.to}; small ones do.`,
      why:
        a.limit === undefined
          ? 'They are dropped without a word: a link on the way (uplink, representor, or the far host) has a smaller MTU.'
          : `${a.limit.at} lets ${a.limit.mtuBytes} bytes through.`,
      next: `Set the MTU along the whole path (\`mtuBytes\` of the profile and \`/dpu provision\`), or measure with \`--mtu\` as it is. Nothing was measured on ${a.target}.`,
    }),
} as const;
