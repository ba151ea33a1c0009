// Measures how a conversation's file and the time to resume it grow with its length, with the real graph and store and a
// model that calls no tools.
export async function benchHistory() {
  const { measureGrowth } = await import('../../test/integration/agent/history-growth.ts');
  const [short, long] = await measureGrowth([10, 250]);
  const share = (long.peakBytes / long.rawBytes).toFixed(1);
  console.log(`  disk for 250 steps of 4 KiB      ${share} × their bytes at most   aim 6 ×`);
  console.log(
    `  resuming 250 steps               ${(long.resumeMs / short.resumeMs).toFixed(2)} × the time of 10   aim 2 ×`,
  );
}
