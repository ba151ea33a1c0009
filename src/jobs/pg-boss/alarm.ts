/** Creates an alarm that one caller can wait for. If it was rung earlier, waiting ends at once. */
export function createAlarm() {
  let isRung = false;
  let wake = () => {};
  return {
    ring: () => {
      isRung = true;
      wake();
    },
    /** Waits until the alarm is rung, then resets it. Returns false on timeout. */
    async rung(ms: number): Promise<boolean> {
      if (!isRung) await waitAtMost(ms, new Promise<void>((resolve) => (wake = resolve)));
      const was = isRung;
      isRung = false;
      return was;
    },
  };
}

/** Waits for a promise for at most `ms` milliseconds. */
export async function waitAtMost(ms: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([promise, new Promise((resolve) => (timer = setTimeout(resolve, ms)))]);
  clearTimeout(timer);
}
