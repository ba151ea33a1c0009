import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { createAgent } from '../../../src/agent/run/create-agent.ts';
import { asHere } from '../../shipped/modules.ts';
import { GatewayStandIn } from './gateway-stand-in.ts';
import { profileAt, sessionOf } from './session.ts';
import { MESSAGE_BYTES, talkativeModel } from './talkative-model.ts';

export interface Growth {
  readonly steps: number;
  readonly rawBytes: number;
  readonly peakBytes: number;
  readonly restBytes: number;
  readonly runMs: number;
  /** Median of new processes that resume the thread, milliseconds. */
  readonly resumeMs: number;
}

/** On the real graph and store, with 4 KiB per step. */
export async function measureGrowth(lengths: readonly number[], resumes = 5): Promise<Growth[]> {
  const gateway = await new GatewayStandIn().start();
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-growth-'));
  const key = randomBytes(32);
  try {
    const measured = [];
    for (const steps of lengths) {
      const home = join(folder, String(steps));
      mkdirSync(home);
      measured.push({ home, times: [] as number[], ...(await runThread(gateway, home, key, steps)) });
    }
    for (let i = 0; i < resumes; i++) {
      for (const { home, steps, times } of measured) {
        const copy = `${home}-${i}`;
        cpSync(home, copy, { recursive: true });
        times.push(await resumeThread(gateway, copy, key, steps));
      }
    }
    return measured.map(({ home: _, times, ...growth }) => ({
      ...growth,
      resumeMs: times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] as number,
    }));
  } finally {
    await gateway.stop();
    rmSync(folder, { recursive: true });
  }
}

async function runThread(gateway: GatewayStandIn, home: string, key: Buffer, steps: number) {
  const profile = profileAt(gateway.url);
  const agent = await createAgent({
    profile,
    session: sessionOf(profile),
    stateDb: join(home, 'state.db'),
    databaseKey: key,
    model: talkativeModel(steps),
  });
  const started = performance.now();
  let peakBytes = 0;
  let status = 'none';
  let reason = '';
  const options = { approval: 'detach', signal: AbortSignal.timeout(300_000), maxTurns: steps + 5 } as const;
  for await (const event of agent.run({ prompt: 'go on', thread: 't' }, options)) {
    if (event.type === 'tool_result') peakBytes = Math.max(peakBytes, bytesOnDisk(home));
    if (event.type === 'result') {
      status = event.result.status;
      reason = event.result.error?.message ?? '';
    }
  }
  const runMs = performance.now() - started;
  if (status !== 'pending') throw new Error(`the thread ended ${status}: ${reason}`);
  await agent.close();
  // Carried out at once: every process that resumes it only hears of it.
  gateway.proposals.decide('AAPL', 'approve');
  return { steps, rawBytes: steps * MESSAGE_BYTES, peakBytes, restBytes: bytesOnDisk(home), runMs };
}

async function resumeThread(gateway: GatewayStandIn, home: string, key: Buffer, steps: number) {
  const started = performance.now();
  const child = spawn(process.execPath, [...asHere, fileURLToPath(new URL('./resuming-run.ts', import.meta.url))], {
    env: {
      GATEWAY: gateway.url,
      FOLDER: home,
      KEY: key.toString('hex'),
      THREAD: 't',
      STEPS: String(steps),
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`the resumed thread ended with ${code}`);
  return performance.now() - started;
}

function bytesOnDisk(home: string): number {
  return readdirSync(home)
    .filter((name) => name.startsWith('state.db'))
    .reduce((sum, name) => sum + (statSync(join(home, name), { throwIfNoEntry: false })?.size ?? 0), 0);
}
