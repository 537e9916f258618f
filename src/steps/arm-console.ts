import type { ApplyContext } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import type { Door } from './arm-door.ts';
import { armUser } from './arm-door.ts';
import { armFailure, armLogin } from './arm-session.ts';
import { consoleLogin } from './console-login.ts';
import type { TmfifoLink } from './tmfifo-link.ts';

const openMs = 30_000;

/**
 * Opens the Arm at the serial console that its rshim gives, for an SSH server that takes no passwords: logs in, answers a
 * forced change, adds the public key, and goes on over SSH with it. Where no change is demanded one is made to be: a card
 * that has the key before it has the new password would keep the old one when the worker dies. Nothing secret is typed but
 * at prompts without echo.
 */
export function consoleDoor(context: ApplyContext, way: TmfifoLink): Door {
  const { arm, card, signal, dpu } = context;
  return async ({ slot, secret }, newPassword) => {
    const user = armUser(context);
    const commands = [addKeyLine(await arm.publicKey(card))];
    const login = { target: dpu.name, user, passwords: [secret], newPassword, commands };
    const dialogue = await arm.console(card, `/dev/${way.device}/console`, { timeoutMs: openMs, signal });
    try {
      // Source: chage(1); login(1) and sshd ask for a new password at the next login.
      const unchangedCommands = slot === 'pending' ? commands : [`sudo -n chage -d 0 ${user}`];
      const first = await consoleLogin(dialogue, { ...login, unchangedCommands });
      if (first.state !== 'in') return { state: first.state };
      if (slot !== 'pending') {
        const { state } = await consoleLogin(dialogue, { ...login, unchangedCommands: [] });
        if (state !== 'in') return { state };
        const said = `a login without a question for a new password, after chage -d 0 ${user}`;
        throw errors.armLoginUnclear({ target: dpu.name, said });
      }
    } finally {
      await dialogue.close();
    }
    arm.forget(card);
    const byKey = await armLogin(context, way.route);
    if (byKey.state === 'in') return byKey;
    throw new OpsError(armFailure(context, byKey));
  };
}

/** One line of shell that adds a key unless it is there. The comment of the key is left out: it may hold any character. */
export function addKeyLine(publicKey: string): string {
  const [key] = /^[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}(?=\s|$)/.exec(publicKey.trim()) ?? [];
  if (key === undefined) throw errors.bug({ detail: 'the public key is not in the form of authorized_keys' });
  const file = '~/.ssh/authorized_keys';
  return `umask 077; mkdir -p ~/.ssh && touch ${file} && { grep -qF -- '${key}' ${file} || echo '${key} dpubot' >>${file}; } && chmod 700 ~/.ssh && chmod 600 ${file}`;
}
