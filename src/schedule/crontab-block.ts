import { TradeAgentError } from '../errors/errors.ts';
import type { StartCommand } from './scheduler.ts';

/** Debian's cron cuts a command off after this many characters (MAX_COMMAND). */
const LONGEST_COMMAND = 998;

const first = (id: string) =>
  `# trade-agent schedule ${id} begins; "trade-agent schedule remove ${id}" takes it out`;
const last = (id: string) => `# trade-agent schedule ${id} ends`;

/**
 * The lines of one schedule, with the marks they are found by again.
 * @throws {TradeAgentError} `usage` where cron would cut the command off
 */
export function crontabBlock(id: string, command: StartCommand, minutes: readonly number[]): string {
  const environment = Object.entries(command.environment).map(([name, value]) => `${name}=${quoted(value)}`);
  const words = [
    // By env and not by the shell: the crontab's SHELL may be one that knows no VAR=value before a command.
    ...(environment.length === 0 ? [] : ['/usr/bin/env', ...environment]),
    quoted(command.node),
    quoted(command.script),
    ...command.args,
  ];
  // Cron makes a line break of a percent sign, even between quotes.
  const line = words.join(' ').replaceAll('%', '\\%');
  if (Buffer.byteLength(line) > LONGEST_COMMAND) {
    throw new TradeAgentError(
      'usage',
      `the entry is longer than the ${LONGEST_COMMAND} characters cron takes`,
      {
        hint: 'Use --with systemd, or a TRADE_AGENT_HOME with a shorter path.',
      },
    );
  }
  return [first(id), `${minutes.length === 60 ? '*' : minutes.join(',')} * * * * ${line}`, last(id), ''].join(
    '\n',
  );
}

/** For a POSIX shell, and for csh and fish alike. */
function quoted(text: string): string {
  return /^[A-Za-z0-9_./=:@+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** The crontab with the block at its end; every line that was there stays as it is. */
export function withBlock(crontab: Buffer, block: string): Buffer {
  const open = crontab.length > 0 && crontab.at(-1) !== 10;
  return Buffer.concat([crontab, Buffer.from(open ? '\n' : ''), Buffer.from(block)]);
}

/** The block of a schedule as it stands in the crontab; undefined where there is none, or half of one. */
export function blockOf(crontab: Buffer, id: string): string | undefined {
  const range = rangeOf(crontab, id);
  return range === undefined ? undefined : crontab.subarray(range.start, range.end).toString();
}

/**
 * The crontab without the block, every other byte as it was; undefined where there is no block.
 * @throws {TradeAgentError} `invalid_config` where only half of the block is left: what is in between may be another's
 */
export function withoutBlock(crontab: Buffer, id: string): Buffer | undefined {
  const range = rangeOf(crontab, id);
  if (range !== undefined)
    return Buffer.concat([crontab.subarray(0, range.start), crontab.subarray(range.end)]);
  const halves = lines(crontab).filter(({ text }) => text === first(id) || text === last(id));
  if (halves.length === 0) return undefined;
  throw new TradeAgentError(
    'invalid_config',
    `the lines of schedule ${id} in the crontab are not the three that were written`,
    {
      hint: 'Take its lines out with "crontab -e"; they are marked with its id.',
    },
  );
}

function rangeOf(crontab: Buffer, id: string): { start: number; end: number } | undefined {
  const all = lines(crontab);
  const begin = all.findIndex(({ text }) => text === first(id));
  const end = all.findIndex(({ text }, index) => index > begin && text === last(id));
  const [a, b] = [all[begin], all[end]];
  if (begin === -1 || a === undefined || b === undefined) return undefined;
  // Three lines and no more: somebody's own line in between is theirs.
  return end - begin === 2 ? { start: a.start, end: b.end } : undefined;
}

/** Lines with their places, read byte by byte: a crontab may be in any encoding. */
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
