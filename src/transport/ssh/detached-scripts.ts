/**
 * The constant POSIX shell scripts behind detached commands. Nothing is ever put into their text: folder, paths and the
 * command come as positional parameters. Job folder: `boot` (boot id), `pid` (pid and start time), `log`, `exit`.
 */

/** Changes with every start of a Linux kernel (proc(5), random/boot_id). */
export const bootPath = '/proc/sys/kernel/random/boot_id';

/**
 * $1 folder, $2 boot id file, $3 runner script, the rest is the command. `mkdir` decides who starts; the folder and the
 * boot id are on disk before anything runs. Waits up to 5 s for the pid, so that the next look sees it.
 */
export const startScript = `
set -u
folder=$1 boot=$2 runner=$3
shift 3
umask 077
mkdir -p -- "\${folder%/*}/" || exit 73
if ! mkdir -- "$folder" 2>/dev/null; then
  [ -d "$folder" ] && exit 0
  mkdir -- "$folder"
  exit 73
fi
cat "$boot" >"$folder/boot" || exit 74
: >"$folder/log" || exit 74
sync -- "$folder/boot" "$folder" 2>/dev/null || sync
setsid nohup sh -c "$runner" dpubot-detached "$folder" "$@" </dev/null >/dev/null 2>&1 &
tries=0
while [ ! -e "$folder/pid" ] && [ $tries -lt 100 ]; do
  sleep 0.05 2>/dev/null || sleep 1
  tries=$((tries + 1))
done
exit 0
`;

/** $1 folder, the rest is the command. The start time beside the pid tells a reused pid from the own process. */
export const runnerScript = `
folder=$1
shift
started=$(sed 's/.*) //' "/proc/$$/stat" | cut -d' ' -f20)
printf '%s %s\\n' "$$" "$started" >"$folder/pid.new" && mv "$folder/pid.new" "$folder/pid" || exit 74
"$@" </dev/null >>"$folder/log" 2>&1
code=$?
printf '%s\\n' "$code" >"$folder/exit.new"
sync -- "$folder/exit.new" "$folder/log" 2>/dev/null || sync
mv "$folder/exit.new" "$folder/exit"
`;

/**
 * $1 folder, $2 boot id file. Prints one line: absent | running PID BYTES | exited CODE BYTES | unknown REASON. The exit
 * file is looked at again after the process, which may have ended in between.
 */
export const observeScript = `
folder=$1 boot=$2
exited() {
  [ -e "$folder/exit" ] || return 1
  code=$(cat "$folder/exit") && [ -n "$code" ] || { echo 'unknown exit-unreadable'; exit 0; }
  echo "exited $code $(($(wc -c <"$folder/log")))"
  exit 0
}
if [ ! -d "$folder" ]; then
  parent=\${folder%/*}
  while [ -n "$parent" ] && [ ! -d "$parent" ]; do parent=\${parent%/*}; done
  [ -x "\${parent:-/}" ] || { echo "no permission for \${parent:-/}" >&2; exit 77; }
  echo absent
  exit 0
fi
[ -r "$folder" ] && [ -x "$folder" ] || { echo "no permission for $folder" >&2; exit 77; }
exited
# Somebody may be starting it right now.
tries=0
while [ ! -s "$folder/pid" ] && [ $tries -lt 20 ]; do
  sleep 0.1 2>/dev/null || sleep 1
  tries=$((tries + 1))
done
[ -s "$folder/boot" ] || { echo 'unknown not-started'; exit 0; }
[ "$(cat "$folder/boot")" = "$(cat "$boot")" ] || { echo 'unknown other-boot'; exit 0; }
[ -s "$folder/pid" ] || { echo 'unknown not-started'; exit 0; }
read -r pid started <"$folder/pid"
now=$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -d' ' -f20)
if [ -n "$now" ] && [ "$now" = "$started" ]; then
  echo "running $pid $(($(wc -c <"$folder/log")))"
  exit 0
fi
exited
echo 'unknown process-gone'
`;

/** $1 folder, $2 first byte (from 1), $3 how many bytes at most. */
export const logScript = `
[ -d "$1" ] || { echo 'no such job folder' >&2; exit 66; }
tail -c "+$2" -- "$1/log" | head -c "$3"
`;
