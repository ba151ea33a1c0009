import { readFileSync, writeSync } from 'node:fs';

/*
 * Points where a test build can be made to crash, fail or stall, to test how the program recovers:
 *
 *     TRADE_AGENT_FAILPOINT="propose.noted=kill"           the first time
 *     TRADE_AGENT_FAILPOINT="checkpoint.stored=kill@3"     the third time
 *     TRADE_AGENT_FAILPOINT="propose.before_call=kill:40"  40 ms later, while the program continues
 *     TRADE_AGENT_FAILPOINT="wait.answered=delay:200,result.read=fail"
 *     TRADE_AGENT_FAILPOINT=@FILE                          read each time, so that a running server can be armed
 *
 * Production builds contain no failpoints: the build replaces `TRADE_AGENT_BUILD` with "production", so that the body
 * of `failpoint` is empty, and the bundler drops calls of an empty function.
 */

const passCounts = new Map<string, number>();

/**
 * Marks a point where a test build can be made to fail. `name` has the form `part.moment`; a test checks that
 * test/crash/failpoints.ts lists it. A delay blocks the whole process, as if the process had been stopped.
 * @throws {Error} if this failpoint is set to `fail`
 */
export function failpoint(name: string): void {
  if (process.env.TRADE_AGENT_BUILD === 'test') runFailpoint(name);
}

function runFailpoint(name: string): void {
  const asked = instructionText();
  // Counted per instruction, so that the count starts again when a running server gets a new instruction.
  const key = `${name} ${asked}`;
  const passing = (passCounts.get(key) ?? 0) + 1;
  passCounts.set(key, passing);
  for (const { action, ms } of parseInstructions(asked, name, passing)) {
    // Synchronous, because the process may be killed immediately afterwards.
    writeSync(2, `failpoint ${name}: ${action}\n`);
    switch (action) {
      case 'kill':
        if (ms > 0) setTimeout(() => process.kill(process.pid, 'SIGKILL'), ms);
        else process.kill(process.pid, 'SIGKILL');
        break;
      case 'fail':
        throw new Error(`failpoint ${name}`);
      case 'delay':
        blockThread(ms);
        break;
    }
  }
}

type Action = 'kill' | 'fail' | 'delay';

/**
 * Returns the actions for the failpoint `name` when it is reached for the `passing`-th time. Throws if any instruction
 * is invalid, because a test whose instruction is ignored would prove nothing.
 */
function parseInstructions(asked: string, name: string, passing: number): { action: Action; ms: number }[] {
  return asked
    .split(',')
    .filter((part) => part.trim() !== '')
    .flatMap((part) => {
      const match = /^([a-z_.]+)=(kill|fail|delay)(?::(\d+))?(?:@(\d+))?$/.exec(part.trim());
      const [, where, action, ms = '0', nth = '1'] = match ?? [];
      if (where === undefined) throw new Error(`not a failpoint: ${part}`);
      return where === name && Number(nth) === passing ? [{ action: action as Action, ms: Number(ms) }] : [];
    });
}

function instructionText(): string {
  const value = process.env.TRADE_AGENT_FAILPOINT ?? '';
  if (!value.startsWith('@')) return value;
  try {
    return readFileSync(value.slice(1), 'utf8');
  } catch {
    return '';
  }
}

function blockThread(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
