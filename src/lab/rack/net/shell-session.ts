/** A very small interactive shell: one command a line, for people who look around. */
import type { ServerChannel } from 'ssh2';
import type { ExecResult } from '../shell/types.ts';

function toTerminal(text: string): string {
  return text.replaceAll('\n', '\r\n');
}

/** Serve a shell on a channel until `exit` or Ctrl-D. */
export function runShell(
  channel: ServerChannel,
  prompt: string,
  run: (line: string) => ExecResult,
  drop: () => void,
): void {
  let typed = '';
  const finish = (): void => {
    channel.write('logout\r\n');
    channel.exit(0);
    channel.end();
  };
  const enter = (): void => {
    const line = typed.trim();
    typed = '';
    channel.write('\r\n');
    if (line === 'exit' || line === 'logout') {
      finish();
      return;
    }
    const result = line === '' ? null : run(line);
    if (result?.fault === 'drop') {
      drop();
      return;
    }
    if (result !== null) channel.write(toTerminal(result.stdout + result.stderr));
    channel.write(prompt);
  };
  channel.write(prompt);
  channel.on('data', (chunk: Buffer) => {
    for (const char of chunk.toString('utf8')) {
      if (char === '\r' || char === '\n') enter();
      else if (char === '\u0004' && typed === '') finish();
      else if (char === '\u007f') {
        if (typed !== '') channel.write('\b \b');
        typed = typed.slice(0, -1);
      } else if (char >= ' ') {
        typed += char;
        channel.write(char);
      }
    }
  });
}
