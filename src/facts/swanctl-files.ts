import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { expectSuccess } from './read-helpers.ts';

/**
 * Prints the names of the sections in `connections`, and nothing else of a file that may hold secrets. Strings and comments
 * are passed over. A file whose braces or quotes do not close is told as `! FILE`. Source: swanctl.conf(5), strongswan.conf(5) (settings syntax).
 */
const program = String.raw`
function keep() { if (word != "" && !from) last = word; word = "" }
function fresh() { word = ""; last = ""; from = 0; value = 0 }
function closed() { if (NR > 0 && (depth != 0 || quote || odd)) print "! " file }
FNR == 1 { if (file != "") closed(); file = FILENAME; depth = 0; quote = 0; odd = 0; fresh() }
{
  value = 0
  line = $0 "\n"
  for (i = 1; i <= length(line); i++) {
    c = substr(line, i, 1)
    if (quote) { if (c == "\\") i++; else if (c == "\"") quote = 0; continue }
    if (c == "#") break
    if (c == "\"") { quote = 1; continue }
    if (c == "}") value = 0
    if (c == "{" && !value) {
      keep()
      depth++
      if (depth == 1) top = last
      if (depth == 2 && top == "connections" && last ~ /^[A-Za-z0-9_-]+$/) print last
      fresh()
    } else if (c == "}") { if (depth > 0) depth--; else odd = 1; fresh() }
    else if (c == "=") { fresh(); value = 1 }
    else if (c ~ /[ \t\r\n:,]/) { keep(); if (c == ":") from = 1 }
    else word = word c
  }
  keep()
}
END { closed() }`;

/** Source: swanctl(8): these files are what `--load-conns` loads. */
export const filedConnections = defineRead({
  name: 'connections in the files of swanctl',
  argv: [
    'sudo',
    '-n',
    'find',
    '/etc/swanctl/swanctl.conf',
    '/etc/swanctl/conf.d',
    '-name',
    '*.conf',
    '-exec',
    'awk',
    program,
    '{}',
    '+',
  ],
});

/**
 * Connections that strongSwan finds in its files: loading them leaves these alone. Where one file cannot be read to its end it
 * takes all of them for empty, unloads every connection and calls that a success (seen with strongSwan 5.9.8), so that is
 * an error here. Errors: ipsec-files-broken, command-failed, sudo-refused.
 */
export async function readFiledConnections(arm: HostReader, signal: AbortSignal): Promise<readonly string[]> {
  const result = await arm.read(filedConnections.bind({}), { timeoutMs: 30_000, signal });
  expectSuccess(arm.name, 'find /etc/swanctl -exec awk', result);
  const lines = result.stdout.split('\n').filter((line) => line !== '');
  const broken = lines.filter((line) => line.startsWith('! ')).map((line) => line.slice(2));
  if (broken.length > 0) throw errors.ipsecFilesBroken({ card: arm.name, files: broken });
  return lines;
}
