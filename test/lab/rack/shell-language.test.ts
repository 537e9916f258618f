import { execFileSync } from 'node:child_process';
import { array, assert, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testRack } from './helpers.ts';

interface Seen {
  stdout: string;
  exitCode: number | null;
}

function pretend(script: string): Seen {
  const { stdout, exitCode } = testRack().rack.host('as7').exec('ops', script);
  return { stdout, exitCode };
}

/** The same script in the machine's own POSIX shell. */
function real(script: string): Seen {
  try {
    return {
      stdout: execFileSync('sh', ['-c', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
      exitCode: 0,
    };
  } catch (error) {
    const { stdout, status } = error as { stdout: string; status: number };
    return { stdout, exitCode: status };
  }
}

describe('scripts that give the same output and exit code as in a real shell', () => {
  it.each([
    'a=1; b="$a 2"; echo $b "$b" \'$b\'',
    'for x in a b "c d"; do echo "[$x]"; done',
    'i=0; while [ $i -lt 3 ]; do i=$((i + 1)); echo $i; done',
    'i=5; until [ $i -eq 2 ]; do i=$((i-1)); [ $i -eq 3 ] && continue; echo $i; done',
    'for m in /nonexistent*/misc; do [ -e "$m" ] || continue; echo $m; done',
    'if false; then echo no; elif [ 1 = 1 ]; then echo yes; else echo no; fi',
    'case abc.bfb in *.iso) echo iso;; *.bfb | *.img) echo bfb;; esac',
    'f() { echo "$# $1"; return 3; }; f x y; echo $?',
    'set -e; echo a; false; echo b',
    'set -e; if false; then :; fi; false || echo c; echo d',
    'set -eu; echo ${nope:-default}; echo $nope; echo not-here',
    'x=/var/lib/file.tar.gz; echo ${x##*/} ${x%.*} ${x%%.*} ${x#/} ${#x}',
    'echo "$(echo inner; echo two)" | tail -n 1',
    'echo `echo old style`',
    'printf "%s-%03d\\n" a 7 b 12',
    'cat <<EOF\nvalue $((2 * 21)) \\$no\nEOF',
    "cat <<'EOF'\nvalue $HOME\nEOF",
    'sh -c \'echo "$0 $1 $#"\' name one "two three"',
    '(exit 4); echo $?; ! true; echo $?',
    'false; code=$?; echo $code; x=$(exit 3); echo $?; y=1; echo $?',
    'echo a; echo b >&2; exit 7',
    'trap "echo bye" EXIT; echo hi; exit 2',
    'printf "b\\na\\nb\\n" | sort | uniq -c | sed "s/^ *//"',
    'printf "x:1:q\\ny:22:r\\n" | cut -d: -f2 | tr -d 2',
    'printf "k: v1\\nz: v2\\n" | awk -F": " \'$1 == "z" { print $2 }\'',
    'printf "a b\\nc d\\n" | awk \'{ n += 1; print $2 } END { print n }\'',
    'printf "one\\ntwo\\nthree\\n" | sed -n "2,\\$p" | sed -E "s/(t)(.)/\\2\\1/"',
    'printf "one\\ntwo\\n" | grep -c o; printf "x\\n" | grep -q y; echo $?',
    'printf "a b  c" | { read -r first rest || true; echo "$rest|$first"; }',
    'set -- a "b c" d; for x; do echo "$x"; done; shift 2; echo "$*" $#',
    'IFS=,; x=a,b,c; for y in $x; do echo $y; done',
    'true && { echo grouped; false; } || echo fallback',
    'x=$(printf "a\\n\\n\\n"); echo "[$x]"',
    'unset x; echo "${x+set}${x-unset}"; x=; echo "${x+set}${x:-empty}"',
    'echo $((7 / 2)) $((7 % 3)) $((1 << 4)) $((3 > 2 ? 10 : 20)) $(( (1+2)*3 ))',
    '[ -n "" ]; echo $?; [ -z "" -a 2 -gt 1 ]; echo $?; [ ! x = y ]; echo $?',
    'echo "a\\tb"; printf "%s\\n" "a\\tb"',
    'x="*"; echo "$x"; echo a"b"c\'d\'e',
    'eval "y=5"; echo $y; command -v cd; type nonsense-here 2>/dev/null || echo none',
    'for i in 1 2 3; do [ $i = 2 ] && break; echo $i; done; echo $i',
    'echo hello | while read -r line; do echo "got $line"; done',
  ])('%s', (script) => {
    expect(pretend(script)).toEqual(real(script));
  });

  it('quote any text between single quotes, as a driver does', () => {
    assert(
      property(
        array(
          string({ minLength: 1, maxLength: 20 }).filter((text) => !text.includes('\0')),
          { minLength: 1, maxLength: 4 },
        ),
        (args) => {
          const quoted = args.map((arg) => `'${arg.replaceAll("'", "'\\''")}'`).join(' ');
          expect(pretend(`printf '%s|' ${quoted}`).stdout).toBe(args.map((arg) => `${arg}|`).join(''));
        },
      ),
      { numRuns: 100 },
    );
  });

  it.each([
    ['if true', 'Syntax error: end of file unexpected (expecting "then")'],
    ['echo )', 'Syntax error: ")" unexpected'],
    ["echo 'open", 'Syntax error: Unterminated quoted string'],
    ['a | | b', 'Syntax error: "|" unexpected'],
  ])('refuse %s with status 2', (script, message) => {
    const result = testRack().rack.host('as7').exec('ops', script);

    expect(result).toMatchObject({ exitCode: 2, stdout: '' });
    expect(result.stderr).toContain(message);
  });
});

describe('files of a host', () => {
  it('make a lock of mkdir: only the first one gets it', () => {
    const host = testRack().rack.host('as7');

    expect(host.exec('root', 'mkdir /var/lib/jobs && mkdir /var/lib/jobs/one').exitCode).toBe(0);
    expect(host.exec('root', 'mkdir /var/lib/jobs/one')).toMatchObject({
      exitCode: 1,
      stderr: "mkdir: cannot create directory '/var/lib/jobs/one': File exists\n",
    });
  });

  it('keep owners and modes', () => {
    const host = testRack().rack.host('as7');

    host.exec('root', 'umask 077; echo secret > /run/bf.cfg');

    expect(host.exec('ops', 'cat /run/bf.cfg').stderr).toBe('cat: /run/bf.cfg: Permission denied\n');
    expect(host.exec('root', "stat -c '%a %U %s' /run/bf.cfg").stdout).toBe('600 root 7\n');
    expect(host.exec('ops', 'echo x > /etc/new; echo $?').stdout).toBe('2\n');
  });

  it('lose /run, /tmp and /dev/shm in a reboot and keep /var', () => {
    const test = testRack();
    const host = test.rack.host('as7');
    host.exec('root', 'for d in /run /tmp /dev/shm /var/lib; do echo x > $d/kept; done');

    host.warmReboot();
    test.advance(200_000);

    expect(host.exec('root', 'ls /run/kept /tmp/kept /dev/shm/kept /var/lib/kept 2>/dev/null').stdout).toBe(
      '/var/lib/kept\n',
    );
  });

  it('replace a file by rename, follow links and hash what is there', () => {
    const host = testRack().rack.host('as7');
    const script =
      'cd /tmp; printf abc > a.part; mv a.part a; ln -s a link; sha256sum link; install -m 0600 a b; stat -c %a b; mv a /tmp/none/x';

    const { stdout, exitCode } = host.exec('ops', script);

    expect(stdout).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  link\n600\n');
    expect(exitCode).toBe(1);
  });
});

describe('a detached job', () => {
  const begin = `mkdir /var/lib/job && setsid nohup sh -c '
    echo $$ > /var/lib/job/pid
    for i in 1 2 3 4; do echo "line $i"; sleep 10; done
    echo $? > /var/lib/job/exit
  ' >/var/lib/job/log 2>&1 </dev/null &
  sleep 1; cat /var/lib/job/pid`;

  it('goes on with the device clock after its starter has ended, and leaves an exit file', () => {
    const test = testRack();
    const host = test.rack.host('as7');
    const started = host.exec('root', begin);
    const pid = started.stdout.trim();

    expect(pid).toMatch(/^\d+$/);
    test.advance(15_000);
    expect(host.exec('root', 'cat /var/lib/job/log').stdout).toBe('line 1\nline 2\n');
    expect(host.exec('root', `cut -d' ' -f1,5,22 /proc/${pid}/stat`).stdout).toMatch(
      new RegExp(`^${pid} ${pid} \\d+\n$`),
    );
    test.advance(60_000);

    expect(host.exec('root', 'cat /var/lib/job/exit').stdout).toBe('0\n');
    expect(host.exec('root', `test -e /proc/${pid}`).exitCode).toBe(1);
  });

  it.each([
    ['is killed by its pid', 'kill'],
    ['dies with the host', 'reboot'],
  ])('%s', (_name, how) => {
    const test = testRack();
    const host = test.rack.host('as7');
    const pid = host.exec('root', begin).stdout.trim();
    test.advance(5_000);

    if (how === 'kill') expect(host.exec('root', `kill -TERM ${pid}`).exitCode).toBe(0);
    else host.warmReboot();
    test.advance(300_000);

    expect(host.exec('root', 'ls /var/lib/job').stdout).toBe('log\npid\n');
    expect(host.exec('root', `kill -0 ${pid}`).exitCode).toBe(1);
  });

  it('keeps files in pieces of UTF-8 as they came', () => {
    const host = testRack().rack.host('as7');

    expect(host.exec('ops', "printf 'größer … ✓' | cat").stdout).toBe('größer … ✓');
  });
});
