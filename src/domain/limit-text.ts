/** How long a limit is, for people: "0.5 s", "60 s", "33 min". Scaled clocks and clipped timers make figures like 59999.9. */
export function limitText(limitMs: number): string {
  const seconds = limitMs / 1000;
  if (seconds < 9.95) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < 119.5) return `${Math.round(seconds)} s`;
  const minutes = seconds / 60;
  return `${minutes < 9.95 ? Number(minutes.toFixed(1)) : Math.round(minutes)} min`;
}
