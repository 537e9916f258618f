/** `ss -ltn`: ports on which something waits. Source: iproute2 misc/ss.c (columns, `sport = :N` as a filter). */
import { out } from '../shell/descriptors.ts';
import { simply } from '../shell/programs.ts';
import type { Program } from '../shell/types.ts';

/** The program. */
export const ss: Program = simply((frame, args) => {
  const [, wanted] = /sport = :(\d+)/.exec(args.join(' ')) ?? [];
  const own = [...frame.rack.wire.listeners].filter(
    ({ machine, port }) => machine === frame.machine && (wanted === undefined || String(port) === wanted),
  );
  const withHeading = !args.some((arg) => /^-\w*H/.test(arg));
  if (withHeading) out(frame, 'State  Recv-Q Send-Q Local Address:Port  Peer Address:PortProcess\n');
  const all = wanted === undefined || wanted === '22' ? [{ address: '0.0.0.0', port: 22 }, ...own] : own;
  for (const { address, port } of all)
    out(
      frame,
      `LISTEN 0      4096   ${`${address ?? '*'}:${port}`.padStart(18)} ${(address === null ? '*:*' : '0.0.0.0:*').padStart(18)}\n`,
    );
  return 0;
});
