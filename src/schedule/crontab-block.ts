import { TradeAgentError } from '../errors/errors.ts';
import type { StartCommand } from './scheduler.ts';

/** Debian's cron truncates longer commands (MAX_COMMAND). */
const LONGEST_COMMAND = 998;

const first = (id: string) =>
  `# trade-agent schedule ${id} begins; "trade-agent schedule remove ${id}" takes it out`;
const last = (id: string) => `# trade-agent schedule ${id} ends`;

/**
 * A schedule's lines, between marker comments.
 * @throws {TradeAgentError} `usage` where cron would truncate the command
 */
export function crontabBlock(id: string, command: StartCommand, minutes: readonly number[]): string {
  const environment = Object.entries(command.environment).map(([name, value]) => `${name}=${quoted(value)}`);
  const words = [
    // With env, since the crontab's SHELL may not know VAR=value before a command.
    ...(environment.length === 0 ? [] : ['/usr/bin/env', ...environment]),
    quoted(command.node),
    quoted(command.script),
    ...command.args,
  ];
  // Cron turns a percent sign into a line break, even in quotes.
  const line = words.join(' ').replaceAll('%', '\\%');
  if (Buffer.byteLength(line) > LONGEST_COMMAND) {
    const message = `the entry is longer than the ${LONGEST_COMMAND} characters cron takes`;
    const hint = 'Use --with systemd, or a TRADE_AGENT_HOME with a shorter path.';
    throw new TradeAgentError('usage', message, { hint });
  }
  return [first(id), `${minutes.length === 60 ? '*' : minutes.join(',')} * * * * ${line}`, last(id), ''].join(
    '\n',
  );
}

/** For POSIX shells, csh and fish. */
function quoted(text: string): string {
  return /^[A-Za-z0-9_./=:@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

export function withBlock(crontab: Buffer, block: string): Buffer {
  const open = crontab.length > 0 && crontab.at(-1) !== 10;
  return Buffer.concat([crontab, Buffer.from(open ? '\n' : ''), Buffer.from(block)]);
}

/** A schedule's block; undefined where it is missing or incomplete. */
export function blockOf(crontab: Buffer, id: string): string | undefined {
  const range = rangeOf(crontab, id);
  return range === undefined ? undefined : crontab.subarray(range.start, range.end).toString();
}

/**
 * Removes the block; all other bytes stay. Undefined where there is none.
 * @throws {TradeAgentError} `invalid_config` for an incomplete block: lines in between may be another's
 */
export function withoutBlock(crontab: Buffer, id: string): Buffer | undefined {
  const range = rangeOf(crontab, id);
  if (range !== undefined)
    return Buffer.concat([crontab.subarray(0, range.start), crontab.subarray(range.end)]);
  const halves = lines(crontab).filter(({ text }) => text === first(id) || text === last(id));
  if (halves.length === 0) return undefined;
  const message = `the lines of schedule ${id} in the crontab are not the three that were written`;
  const hint = 'Take its lines out with "crontab -e"; they are marked with its id.';
  throw new TradeAgentError('invalid_config', message, { hint });
}

function rangeOf(crontab: Buffer, id: string): { start: number; end: number } | undefined {
  const all = lines(crontab);
  const begin = all.findIndex(({ text }) => text === first(id));
  const end = all.findIndex(({ text }, index) => index > begin && text === last(id));
  const [a, b] = [all[begin], all[end]];
  if (begin === -1 || a === undefined || b === undefined) return undefined;
  // Exactly three lines: other lines in between are somebody else's.
  return end - begin === 2 ? { start: a.start, end: b.end } : undefined;
}

/** Lines with their byte offsets: a crontab may be in any encoding. */
function lines(crontab: Buffer): { text: string; start: number; end: number }[] {
  const found: { text: string; start: number; end: number }[] = [];
  for (let start = 0; start < crontab.length; ) {
    const feed = crontab.indexOf(10, start);
    const end = feed === -1 ? crontab.length : feed + 1;
    found.push({ text: crontab.subarray(start, feed === -1 ? end : feed).toString('latin1'), start, end });
    start = end;
  }
  return found;
}
