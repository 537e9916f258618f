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

/**
 * $1 folder, $2 boot id file, $3 seconds from TERM to KILL. What belongs to the command: all of the runner's session, what
 * any of these has started (a program with a terminal of its own, as `script` makes one, is in another session), and what
 * was once seen to belong to them. The oldest first: a shell whose children ended before it was told would end as if all
 * was well. The runner itself is left to write the exit file, with its helpers (there is an exit.new
 * by then); it is killed only when it stays.
 */
export const stopScript = `
set -u
folder=$1 boot=$2 grace=$3
[ ! -e "$folder/exit" ] && [ -s "$folder/pid" ] || exit 0
[ "$(cat "$folder/boot")" = "$(cat "$boot")" ] || exit 0
read -r runner started <"$folder/pid"
seen=
belonging() {
  cat /proc/[0-9]*/stat 2>/dev/null | sed 's/ (.*) / /' | awk -v runner="$runner" -v started="$started" -v seen="$seen " -v spare="$spare" '
    $2 != "Z" { parent[$1] = $3; session[$1] = $5; id[$1] = $1 ":" $21 }
    END {
      own = id[runner] == runner ":" started
      for (pid in parent) {
        for (at = pid; at in parent; at = parent[at])
          if ((own && session[at] == runner) || index(seen, " " id[at] " ")) {
            if (pid != runner && !(spare && parent[pid] == runner)) print id[pid]
            break
          }
      }
    }'
}
runs() {
  now=$(sed 's/.*) //' "/proc/$runner/stat" 2>/dev/null | cut -d' ' -f20)
  [ -n "$now" ] && [ "$now" = "$started" ]
}
signal=TERM tries=0
while :; do
  spare=0
  [ ! -e "$folder/exit.new" ] || spare=1
  left=$(belonging | sort -t: -k2,2n -k1,1n)
  [ -n "$left" ] || runs || exit 0
  for one in $left; do
    case "$seen " in
      *" $one "*) [ $signal = KILL ] || continue ;;
      *) seen="$seen $one" ;;
    esac
    kill -$signal "\${one%:*}" 2>/dev/null
  done
  tries=$((tries + 1))
  [ $tries -lt $((grace * 5)) ] || signal=KILL
  [ $tries -lt $((grace * 5 + 10)) ] || break
  sleep 0.2 2>/dev/null || sleep 1
done
runs && kill -KILL "$runner"
sleep 0.2 2>/dev/null || sleep 1
exit 0
`;
