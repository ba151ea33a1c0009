/** Milliseconds of processor time that are enough to tell. */
const SAMPLE_MS = 100;

/**
 * How many times longer than on a free processor work takes at this moment: 1 on a quiet machine, about 3 beside four busy
 * loops on two processors. A limit on what a person waits for is multiplied by it, so that it is about the program.
 */
export function slowness(): number {
  const began = performance.now();
  const before = process.cpuUsage();
  for (;;) {
    const { user, system } = process.cpuUsage(before);
    const used = (user + system) / 1000;
    if (used >= SAMPLE_MS) return Math.max(1, (performance.now() - began) / used);
  }
}
