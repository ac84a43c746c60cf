/** How long, for example `4:05`; of the sandbox's time. */
export function minutesAndSeconds(from: Date, to: Date): string {
  const seconds = Math.max(0, Math.round((to.getTime() - from.getTime()) / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** UTC. */
export function timeOfDay(time: Date): string {
  return time.toISOString().slice(11, 19);
}
