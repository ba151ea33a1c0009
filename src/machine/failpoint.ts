import { readFileSync, writeSync } from 'node:fs';

/*
 * Places where a test build can be made to die, fail or stand still, to show what the program does about it:
 *
 *     TRADE_AGENT_FAILPOINT="propose.noted=kill"            at the first passing
 *     TRADE_AGENT_FAILPOINT="checkpoint.stored=kill@3"       at the third
 *     TRADE_AGENT_FAILPOINT="propose.before_call=kill:40"           40 ms later, while the program goes on
 *     TRADE_AGENT_FAILPOINT="wait.answered=delay:200,result.read=fail"
 *     TRADE_AGENT_FAILPOINT=@FILE                            read at each passing, so that a server can be armed later
 *
 * In the program that is shipped none of this exists: the build says "production", the body below is empty then, and
 * calls of an empty function are left out.
 */

const passings = new Map<string, number>();

/**
 * A place where a test build can be made to fail. `name` is `part.moment`; a test compares the calls with
 * test/crash/failpoints.ts. A delay blocks the whole process, as a stopped process would.
 * @throws {Error} where it is told to fail
 */
export function failpoint(name: string): void {
  if (process.env.TRADE_AGENT_BUILD === 'test') pass(name);
}

function pass(name: string): void {
  const asked = text();
  // Counted per order, so that a server armed later starts from there.
  const key = `${name} ${asked}`;
  const passing = (passings.get(key) ?? 0) + 1;
  passings.set(key, passing);
  for (const { action, ms } of orders(asked, name, passing)) {
    // Synchronous: the process may die next.
    writeSync(2, `failpoint ${name}: ${action}\n`);
    switch (action) {
      case 'kill':
        if (ms > 0) setTimeout(() => process.kill(process.pid, 'SIGKILL'), ms);
        else process.kill(process.pid, 'SIGKILL');
        break;
      case 'fail':
        throw new Error(`failpoint ${name}`);
      case 'delay':
        stand(ms);
        break;
    }
  }
}

type Action = 'kill' | 'fail' | 'delay';

/** An order that can't be parsed stops the program: a test that kills nothing proves nothing. */
function orders(asked: string, name: string, passing: number): { action: Action; ms: number }[] {
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

function text(): string {
  const value = process.env.TRADE_AGENT_FAILPOINT ?? '';
  if (!value.startsWith('@')) return value;
  try {
    return readFileSync(value.slice(1), 'utf8');
  } catch {
    return '';
  }
}

function stand(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
