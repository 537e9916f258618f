/**
 * Constant text; $1 device, $2 its DEV_NAME, $3 image, $4 bf.cfg. Between the look of the worker and the first byte the
 * driver may have numbered its devices again, or somebody else may have begun to push: both are looked at once more right
 * before, on the host. The bf.cfg goes when the tool has ended, whether or not a worker is there to see it. `script` gives
 * the tool a terminal: without one pv prints nothing. The name of the tool stands so that the script itself does not look
 * like one that runs.
 */
const pushScript = `
set -u
tool=bfb-install
trap 'rm -f -- "$4"' EXIT
trap 'exit 143' TERM
other=$(pgrep -af '(^|[ /])[b]fb-install( |$)' | head -n 1)
if [ -n "$other" ]; then
  echo "dpubot: another push runs: $other"
  exit 75
fi
device=$(awk '$1 == "DEV_NAME" { print $2 }' "/dev/$1/misc")
if [ "$device" != "$2" ]; then
  echo "dpubot: $1 was $2 and is \${device:-gone} now"
  exit 75
fi
script -qefc "$tool --rshim $1 --bfb $3 --config $4" /dev/null
`;

/**
 * The words that push an image. They go through a shell: each is made of harmless characters only, anything else is a
 * RangeError. Source: script(1), util-linux; pgrep(1); Mellanox rshim-user-space, scripts/bfb-install.
 */
export function pushArgv(rshim: string, devName: string, bfb: string, config: string): readonly string[] {
  const path = /^\/[A-Za-z0-9._/-]{1,300}$/;
  const harmless = [
    [rshim, /^rshim\d{1,3}$/],
    [devName, /^[A-Za-z0-9.:_-]{1,80}$/],
    [bfb, path],
    [config, path],
  ] as const;
  for (const [word, pattern] of harmless)
    if (!pattern.test(word)) throw new RangeError(`"${word}" may not stand in a command of bfb-install`);
  return ['sh', '-c', pushScript, 'dpubot-push', rshim, devName, bfb, config];
}
