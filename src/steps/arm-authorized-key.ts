import type { HostSession } from '../domain/device-ports.ts';
import type { ApplyContext } from '../domain/step.ts';
import { armUser } from './arm-door.ts';
import { runOk } from './remote.ts';

/**
 * Adds a line that is not there yet, behind a file that may lack its last line end; modes as sshd's StrictModes wants them.
 * The key arrives on stdin: it is long, and no word of a command.
 */
const script =
  'umask 077; k=$(cat); d=$HOME/.ssh; f=$d/authorized_keys; mkdir -p "$d" && touch "$f" && { grep -qxF -- "$k" "$f" || { [ -z "$(tail -c1 "$f")" ] || echo >>"$f"; printf \'%s\\n\' "$k" >>"$f"; }; } && chmod 700 "$d" && chmod 600 "$f"';

/** Puts dpubot's public key into authorized_keys of the user that is logged in. Does no harm twice. */
export async function installPublicKey(context: ApplyContext, session: HostSession): Promise<void> {
  const line = (await context.arm.publicKey(context.card)).trim();
  const text = `add the public key of dpubot to authorized_keys of ${armUser(context)} on ${context.dpu.name}`;
  await context.act({ name: 'install-key', text }, async () => {
    const options = { timeoutMs: 30_000, signal: context.signal, stdin: `${line}\n` };
    await runOk(session, ['sh', '-c', script], options);
    return { evidence: line.split(/\s+/).slice(0, 2).join(' ').slice(0, 60), value: undefined };
  });
}
