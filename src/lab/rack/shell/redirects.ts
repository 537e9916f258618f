/** Redirections of the shell. Source: POSIX.1-2017 XCU 2.7; dash messages. */
import { FileError } from '../files/nodes.ts';
import { normalize } from '../files/paths.ts';
import { openFile, source } from './descriptors.ts';
import { expandText } from './expand.ts';
import type { Substitute } from './expand.ts';
import { shellComplaint } from './shell-state.ts';
import type { Shell } from './shell-state.ts';
import type { Redirect } from './syntax.ts';
import type { Descriptor, Steps } from './types.ts';

function* redirectTarget(
  shell: Shell,
  redirect: Redirect,
  substitute: Substitute,
): Steps<Descriptor | null | 'closed'> {
  const text = yield* expandText(shell, redirect.target, substitute);
  const { frame } = shell;
  if (redirect.operator === '<<') return source(text);
  if (redirect.operator === '<&' || redirect.operator === '>&') {
    if (text === '-') return 'closed';
    const found = frame.descriptors.get(Number(text));
    if (found === undefined) shellComplaint(shell, `${text}: Bad file descriptor`);
    return found ?? null;
  }
  const path = normalize(text, frame.directory);
  try {
    return openFile(frame.machine.files, path, frame, redirect.operator, (each) =>
      frame.rack.openStream(frame.machine, each),
    );
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    const verb = redirect.operator === '<' ? 'open' : 'create';
    const reason =
      error.code === 'ENOENT' ? (verb === 'open' ? 'No such file' : 'Directory nonexistent') : error.message;
    shellComplaint(shell, `cannot ${verb} ${text}: ${reason}`);
    return null;
  }
}

/** Apply redirections; gives the descriptors to put back, or null after a complaint. */
export function* redirect(
  shell: Shell,
  redirects: Redirect[],
  substitute: Substitute,
): Steps<Map<number, Descriptor> | null> {
  const before = shell.frame.descriptors;
  shell.frame.descriptors = new Map(before);
  for (const each of redirects) {
    const target = yield* redirectTarget(shell, each, substitute);
    if (target === null) {
      shell.frame.descriptors = before;
      return null;
    }
    if (target === 'closed') shell.frame.descriptors.delete(each.fd);
    else shell.frame.descriptors.set(each.fd, target);
  }
  return before;
}
