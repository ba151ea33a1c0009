// Checks that the tests notice plausible slips: plants each one alone and runs the test that must fail.
//   node scripts/planted-slips.mjs            # all of them
//   node scripts/planted-slips.mjs 2 6 12     # these alone
//   node scripts/planted-slips.mjs --together 1 2 3   # these at once, for the random histories to find
// Works on a temporary copy of src/ and test/, so the sources stay as they are even if the run is interrupted.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {object} Slip
 * @property {string} what the mistake, and what a user would see
 * @property {string} file below src/
 * @property {string} original short text that occurs in the file exactly once, so that it survives edits around it
 * @property {string} planted what replaces it
 * @property {string} test the file of the test that must fail, below test/
 * @property {string} name the test's own name, without those of its describe blocks
 */

/** @type {readonly Slip[]} */
const slips = [
  {
    what: 'the proposer may be the second approver',
    file: 'approval/kernel/propose.ts',
    original: 'access.second(owner, [owner, sub])',
    planted: 'access.second(owner, [owner])',
    test: 'unit/approval/second-person.test.ts',
    name: 'is never approved a second time by whoever proposed it, even if they are a co-owner',
  },
  {
    what: 'what was begun before a halt is carried out again instead of only asked about',
    file: 'approval/carry-out.ts',
    original: '(await halts.haltedAt(sub)) === undefined',
    planted: 'true',
    test: 'unit/approval/halting.test.ts',
    name: 'sends nothing of what was executing before it: the broker is only asked about it',
  },
  {
    what: 'a denial that meets a changed row is dropped, and the person is asked again',
    file: 'approval/supervisor/proposal-run.ts',
    original: "while (to === 'denied' &&",
    planted: 'while (false &&',
    test: 'unit/approval/waiting.test.ts',
    name: 'ends by a denial that arrives after the row has changed, and nobody is asked again',
  },
  {
    what: 'a withdrawal that meets a change is not retried: 409, and the order goes on',
    file: 'approval/supervisor/supervisor.ts',
    original: "after.outcome === 'stale'",
    planted: 'false',
    test: 'unit/approval/interleaving.test.ts',
    name: 'a withdrawal that meets the approval still takes the order back',
  },
  {
    what: 'the one-time token is lost if the store is unavailable when the provider answers',
    file: 'approval/supervisor/proposal-run.ts',
    original: 'tries > MAX_STORE_OUTAGE_S',
    planted: 'tries > 0',
    test: 'unit/approval/waiting.test.ts',
    name: 'keeps an approval that arrives while the store is unavailable, and does not ask again',
  },
  {
    what: 'the grace after a token’s end is in seconds: an unknown order is not looked up any more',
    file: 'approval/carry-out.ts',
    original: 'TOKEN_GRACE_MS = 15 * 60_000',
    planted: 'TOKEN_GRACE_MS = 15 * 60',
    test: 'unit/approval/carrying-out.test.ts',
    name: 'of unknown outcome is still looked up for some minutes after its token has expired',
  },
  {
    what: 'an owner’s expired token passes its first check, and a second phone rings for nothing',
    file: 'approval/carry-out.ts',
    original: "second !== undefined && state !== 'requested'",
    planted: 'second !== undefined',
    test: 'unit/approval/second-person.test.ts',
    name: 'does not ring the second phone for an owner’s approval whose token has already expired',
  },
  {
    what: 'the provider’s expires_in extends the deadline: the phone approves what is refused afterwards',
    file: 'approval/supervisor/request-approval.ts',
    original: 'Math.min(sent.expiresAt, deadline)',
    planted: 'sent.expiresAt',
    test: 'unit/approval/ask-owner.test.ts',
    name: 'ends at the proposal’s deadline, even if the provider would take an answer for longer',
  },
  {
    what: 'ten pages of deposits count as all of them: max_day_loss opens',
    file: 'gateway/policy/order-world.ts',
    original: '  }\n  return undefined;\n}',
    planted: '  }\n  return found;\n}',
    test: 'unit/gateway/policy/day-flows.test.ts',
    name: 'lets nothing be bought if there are more pages of deposits than are read',
  },
  {
    what: 'signing out everywhere leaves one-time links, which still open a session',
    file: 'store/home/sessions.ts',
    original: 'statements.dropTickets.run(username);',
    planted: '',
    test: 'unit/home/identity-provider/sessions.test.ts',
    name: 'signing a person out everywhere ends their sessions and the one-time links they have not used',
  },
  {
    what: 'a receipt holds though the record tells of one of two signatures',
    file: 'approval/receipts/receipt-record.ts',
    original: 'for (const approval of approvals) {',
    planted: 'for (const approval of approvals.slice(0, 1)) {',
    test: 'unit/approval/receipts/verify-receipt.test.ts',
    name: 'is refused if the record tells of the signature of alice alone, not of carol',
  },
  {
    what: '404 for an order that is being written',
    file: 'gateway/orders/place-order.ts',
    original: 'arrives || isArriving()',
    planted: 'isArriving()',
    test: 'integration/gateway/unknown-outcome.test.ts',
    name: 'an order that is written while it is looked up is not called unknown to the gateway',
  },
  {
    what: 'a proposal that arrives while its sign-in is revoked stays open, and rings',
    file: 'gateway/routes/proposals.ts',
    original: 'await kernel.revoked({ sub: caller.sub, clientId: proposal.client });',
    planted: '',
    test: 'unit/gateway/routes/proposals.test.ts',
    name: 'a proposal that arrives while its sign-in is revoked is refused, and the phone can no longer approve it',
  },
];

/** A slip can make a test run forever. */
const LONGEST_RUN_MS = 180_000;
const LONGEST_HISTORIES_MS = 1_200_000;

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const isTogether = process.argv.includes('--together');
const chosen = chosenNumbers(process.argv.slice(2).filter((given) => given !== '--together'));
const copy = mkdtempSync(join(tmpdir(), 'trade-agent-slips-'));
process.on('exit', () => rmSync(copy, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

for (const name of ['src', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts'])
  cpSync(join(root, name), join(copy, name), { recursive: true });
symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'dir');

if (isTogether) {
  for (const number of chosen) plant(slipOf(number));
  const output = await run(
    [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'chaos', 'test/chaos'],
    LONGEST_HISTORIES_MS,
  );
  const found = [...output.matchAll(/after (\d+) histories: ([^\n]*)/g)];
  for (const [, count, breach] of found) console.log(`found after ${count} histories: ${breach}`);
  console.log(found.length > 0 ? '1 passed, 0 failed' : '0 passed, 1 failed');
  process.exit(found.length > 0 ? 0 : 1);
}

// A test that fails on the sources as they are catches nothing.
const identity = await statuses(chosen.map((number) => slipOf(number).test));
let passed = 0;
for (const number of chosen) {
  const { file, what, test, name } = slipOf(number);
  const missed = await missedBy(slipOf(number));
  if (missed === undefined) passed += 1;
  const caught = missed === undefined ? 'yes' : `no (${missed})`;
  console.log(`slip ${number}: src/${file}: ${what} · test/${test} "${name}" · caught: ${caught}`);
}
console.log(`${passed} passed, ${chosen.length - passed} failed`);
process.exit(passed === chosen.length ? 0 : 1);

/** Why a slip is not caught; undefined if it is. */
async function missedBy({ file, original, planted, test, name }) {
  const before = identity.get(keyOf(test, name));
  if (before !== 'passed') return `without the slip the test is ${before ?? 'not there'}`;
  let restore;
  try {
    restore = plant({ file, original, planted });
  } catch (error) {
    return error.message;
  }
  try {
    const after = (await statuses([test], name)).get(keyOf(test, name));
    return after === 'failed' ? undefined : `with the slip the test is ${after ?? 'not run'}`;
  } catch (error) {
    return error.message;
  } finally {
    restore();
  }
}

/** Plants a slip in the copy. @returns what takes it out again @throws where its original text is not there once */
function plant({ file, original, planted }) {
  const path = join(copy, 'src', file);
  const source = readFileSync(path, 'utf8');
  const times = source.split(original).length - 1;
  if (times !== 1) {
    throw new Error(
      `the original text ${JSON.stringify(original)} occurs ${times} times in src/${file} instead of once; correct it in scripts/planted-slips.mjs`,
    );
  }
  writeFileSync(
    path,
    source.replace(original, () => planted),
  );
  return () => writeFileSync(path, source);
}

/**
 * Runs test files in the copy, and tells what became of each test.
 * @param {readonly string[]} files below test/
 * @param {string} [name] of the one test to run; all of them if left out
 * @returns {Promise<Map<string, string>>} `passed`, `failed` or `skipped` by {@link keyOf}
 */
async function statuses(files, name) {
  const report = join(copy, 'report.json');
  rmSync(report, { force: true });
  const projects = new Set(files.map((file) => file.split('/')[0]));
  const output = await run([
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    ...[...projects].flatMap((project) => ['--project', project]),
    ...(name === undefined ? [] : ['--testNamePattern', `${name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}$`]),
    '--reporter=json',
    `--outputFile=${report}`,
    ...new Set(files.map((file) => join('test', file))),
  ]);
  const { testResults } = readReport(report, output);
  return new Map(
    testResults.flatMap((result) =>
      result.assertionResults.map(({ title, status }) => [
        keyOf(files.find((file) => result.name.endsWith(file)) ?? result.name, title),
        status,
      ]),
    ),
  );
}

function readReport(report, output) {
  try {
    return JSON.parse(readFileSync(report, 'utf8'));
  } catch (error) {
    throw new Error(`vitest wrote no report (${error.message}):\n${output}`);
  }
}

/** Runs Node in the copy. @returns all that it printed, whatever its exit code */
function run(args, longestMs = LONGEST_RUN_MS) {
  return new Promise((resolve, reject) => {
    // A process group of its own, so that a worker that hangs ends as well.
    const child = spawn(process.execPath, args, {
      cwd: copy,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const stop = () => process.kill(-child.pid, 'SIGKILL');
    const timer = setTimeout(stop, longestMs);
    process.on('exit', stop);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk;
      });
    }
    child.on('error', reject).on('close', (_code, signal) => {
      clearTimeout(timer);
      process.off('exit', stop);
      if (signal === null) resolve(output);
      else reject(new Error(`vitest did not end within ${longestMs / 1000} s`));
    });
  });
}

function keyOf(test, name) {
  return `${test} ${name}`;
}

function slipOf(number) {
  return slips[number - 1];
}

/** The numbers of the slips to plant, as given on the command line. */
function chosenNumbers(given) {
  const numbers = given.map(Number);
  const unknown = given.filter((_, at) => slipOf(numbers[at]) === undefined);
  if (unknown.length > 0) {
    console.error(`No such slip: ${unknown.join(', ')}. Slips have the numbers 1 to ${slips.length}.`);
    process.exit(2);
  }
  return numbers.length > 0 ? numbers : slips.map((_, at) => at + 1);
}
