// Shows that random histories find what once broke the promise: plants each false premise about silence alone, and plays
// histories until one fails.
//   node scripts/planted-premises.mjs            # all of them
//   node scripts/planted-premises.mjs 2 4        # these alone
//   CHAOS_HISTORIES=2000 CHAOS_SEED=7 node scripts/planted-premises.mjs
// Works on a temporary copy of src/ and test/.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MOST_HISTORIES = process.env.CHAOS_HISTORIES ?? '2000';

/**
 * @typedef {object} Premise
 * @property {string} what is believed
 * @property {readonly (readonly [file: string, original: string, planted: string])[]} changes files below src/; the original
 *   text occurs once
 * @property {string} test below test/chaos/
 * @property {string} name of the test that plays the histories
 */

/** @type {readonly Premise[]} */
const premises = [
  {
    what: 'a request is gone once it has timed out',
    changes: [
      [
        'gateway/orders/order-submission.ts',
        'if (deadline.nothingSent && (await journal.release',
        'if ((await journal.release',
      ],
    ],
    test: 'mandated.test.ts',
    name: 'within what was signed',
  },
  {
    what: 'nobody sends an order after its approval has expired',
    changes: [
      [
        'net/dispatch-deadline.ts',
        'return new DispatchDeadline(() => hasElapsed(ms, clock, from));',
        'return new DispatchDeadline(() => false);',
      ],
    ],
    test: 'mandated.test.ts',
    name: 'within what was signed',
  },
  {
    what: 'the wall clock tells how long an order has been missed',
    changes: [
      ['gateway/orders/absence.ts', 'const now = clock.monotonic();', 'const now = clock.now();'],
      ['gateway/orders/absence.ts', 'now - known.last <= MAX_MISS_INTERVAL_MS &&', 'now - known.last <= 86_400_000 &&'],
      ['gateway/orders/absence.ts', 'Math.abs(drift - known.drift) <= MAX_CLOCK_DRIFT_MS', 'true'],
    ],
    test: 'mandated.test.ts',
    name: 'within what was signed',
  },
  {
    what: 'a first result stays as it is, whatever the broker says later',
    changes: [
      [
        'store/sqlite/order-journal.ts',
        "if (before === 'rejected') return yield* adoptRejectedOrder('', key, order, now);",
        "if (before === 'rejected') return 'known';",
      ],
    ],
    test: 'histories-1.test.ts',
    name: 'cut off',
  },
  {
    what: 'another order’s look at the account may settle one whose request is open',
    changes: [
      [
        'gateway/policy/order-world.ts',
        'orderId !== null && !stillOpen.has(orderId)',
        'orderId === null || !stillOpen.has(orderId)',
      ],
      [
        'gateway/policy/order-world.ts',
        'const order = entry.orderId === null ? undefined : await broker.order(entry.orderId);',
        `if (entry.orderId === null) {
          const found = await (journal as any).find(entry.sub, entry.clientOrderId);
          if ((await broker.orderByClientOrderId(entry.clientOrderId)) !== undefined) return;
          const last = Math.max(found.submittedAt ?? 0, Date.parse(found.draft.expires_at));
          if (clock.now() < last + 300_000 || ['placed', 'rejected'].includes(found.state)) return;
          const problem = { type: 'about:blank', status: 409, title: 'x', code: 'not_placed', detail: 'there is no order' };
          return await (journal as any).reject(found, problem, clock.now());
        }
        const order = await broker.order(entry.orderId);`,
      ],
    ],
    test: 'mandated.test.ts',
    name: 'within what was signed',
  },
];

const chosen = process.argv.slice(2).map(Number);
const unknown = chosen.filter((number) => premises[number - 1] === undefined);
if (unknown.length > 0) {
  console.error(`No such premise: ${unknown.join(', ')}. They have the numbers 1 to ${premises.length}.`);
  process.exit(2);
}
const root = fileURLToPath(new URL('..', import.meta.url));
const copy = mkdtempSync(join(tmpdir(), 'planted-'));
process.on('exit', () => rmSync(copy, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));
for (const part of ['src', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts'])
  cpSync(join(root, part), join(copy, part), { recursive: true });
symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));

let found = 0;
const numbers = chosen.length > 0 ? chosen : premises.map((_, at) => at + 1);
for (const number of numbers) {
  const { what, changes, test, name } = premises[number - 1];
  const sources = new Map();
  for (const [file, original, planted] of changes) {
    const path = join(copy, 'src', file);
    const source = readFileSync(path, 'utf8');
    if (!sources.has(path)) sources.set(path, source);
    const times = source.split(original).length - 1;
    if (times !== 1) {
      console.error(`${JSON.stringify(original)} occurs ${times} times in src/${file}, not once: correct it here.`);
      process.exit(1);
    }
    writeFileSync(
      path,
      source.replace(original, () => planted),
    );
  }
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', '--project', 'chaos', `test/chaos/${test}`, '-t', name],
    { cwd: copy, encoding: 'utf8', env: { ...process.env, CHAOS_HISTORIES: MOST_HISTORIES } },
  );
  const printed = stdout + stderr;
  const failure = /after (\d+) histories: ([^\n]*)/.exec(printed);
  const seed = /CHAOS_SEED=(-?\d+)/.exec(printed)?.[1];
  if (failure === null && status !== 0) throw new Error(`the histories were not played:\n${printed}`);
  if (failure !== null) found += 1;
  const came =
    failure === null
      ? `NOT found in ${MOST_HISTORIES} histories`
      : `found after ${failure[1]} histories (seed ${seed}): ${failure[2]}`;
  console.log(`premise ${number}: ${what} · ${came}`);
  for (const [path, source] of sources) writeFileSync(path, source);
}
console.log(`${found} passed, ${numbers.length - found} failed`);
process.exit(found === numbers.length ? 0 : 1);
