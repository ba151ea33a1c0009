import type { AgentEvent } from '../../agent/events.ts';
import { saysTheSame } from '../../app/run.ts';
import type { Clock } from '../../machine/clock.ts';
import { machineName } from '../../machine/machine-name.ts';
import { safeLine, safeText } from '../../text/shown-text.ts';
import { dollars } from '../../trading/amounts.ts';
import type { OutputFormat } from '../context/output.ts';
import type { Io } from '../terminal/io.ts';
import { approvalLines, approvalOutcome, connectionLine, isFinalApproval } from '../text/approval-lines.ts';
import { TerminalMarkdown } from '../text/markdown.ts';
import { type Paint, plainPaint, signed } from '../text/theme.ts';

/** Shows a run's events as plain lines: progress on stderr, and on a terminal the answer as it is written. */
export interface RunRenderer {
  show(event: AgentEvent): void;
  /** Ends the answer: prints it, unless it was streamed. */
  finish(text: string): void;
}

export function createRunRenderer(
  io: Io,
  clock: Clock,
  options: {
    readonly format: OutputFormat;
    readonly phone: string | undefined;
    readonly paint?: Paint;
    readonly tell?: (line: string) => void;
  },
): RunRenderer {
  const { format, phone, paint = plainPaint, tell = (line: string) => io.talk(line) } = options;
  const streams = format === 'text' && io.stdoutIsTty;
  const columns = io.stderrIsTty ? io.width() : undefined;
  const requested = new Set<string>();
  /** The latest line about an approved one, by id. */
  const said = new Map<string, string>();
  const names = new Map<string, Record<string, unknown>>();
  const markdown = new TerminalMarkdown(io.width(), {
    strong: (text) => (io.color.stdout ? paint('strong', text) : text),
    signed: (text) => signed(paint, text),
  });
  let streamed = false;
  /** Failures, until it is known whether the answer says the same. */
  let held: { readonly line: string; readonly message: string }[] = [];

  const talk = (line: string) => {
    // Answer and progress share a terminal: what was said first comes first.
    if (streams) io.write(markdown.end());
    tell(line);
  };
  const mark = (sign: string, plain: string) => (io.unicode ? sign : plain);
  const hold = (line: string, message: string) => {
    const isHeld = held.some((other) => saysTheSame(message, other.message));
    if (!isHeld) held.push({ line, message });
  };
  /** @param answer a failure quoted in it is not told again */
  const release = (answer = '') => {
    const lines = held.filter(({ message }) => !saysTheSame(answer, message));
    held = [];
    for (const { line } of lines) talk(line);
  };

  const showApproval = (event: AgentEvent & { type: 'approval' }) => {
    const { approval } = event;
    if (approval.status === 'requested') {
      if (requested.has(approval.id)) return;
      requested.add(approval.id);
      const [title = '', ...rows] = approvalLines(approval, phone, clock.now(), machineName(), columns);
      talk(io.paint('stderr', ['bold', 'yellow'], title));
      for (const row of rows) talk(row);
    } else if (isFinalApproval(approval.status) || approval.status === 'unknown') {
      const line = `${mark('●', '*')} ${approvalOutcome(approval)}`;
      const isRefusal = isFinalApproval(approval.status) && approval.status !== 'executed';
      if (format !== 'text' || !isRefusal || approval.reason === undefined) talk(line);
      else hold(line, approval.reason);
    } else if (approval.status === 'approved') {
      // Approved, but not carried out yet: the gateway tries again, and reports again.
      const why = approval.reason === undefined ? '' : ` · not yet: ${safeLine(approval.reason)}`;
      const by = approval.mandate_id === undefined ? '' : ` by mandate ${approval.mandate_id}`;
      const line = `${mark('●', '*')} approved${by} (${approval.code})${why}`;
      if (said.get(approval.id) !== line) talk(line);
      said.set(approval.id, line);
    }
  };

  return {
    show(event) {
      const isFailure = event.type === 'tool_result' && !event.ok;
      if (!isFailure) release(event.type === 'text' ? event.delta : undefined);
      if (event.type === 'approval') showApproval(event);
      else if (event.type === 'connection') {
        const line = connectionLine(event.connection);
        const needed = event.connection.status === 'needed';
        talk(needed ? io.paint('stderr', ['bold', 'yellow'], line) : `${mark('●', '*')} ${line}`);
      } else if (event.type === 'notice') talk(io.paint('stderr', 'dim', safeLine(event.message)));
      // A program that reads JSON only hears what a person must know.
      else if (format !== 'text') return;
      else if (event.type === 'text' && streams) {
        io.write(markdown.write(safeText(event.delta)));
        streamed = true;
      } else if (event.type === 'tool_call') names.set(event.id, event.args);
      else if (event.type === 'tool_result') {
        const sign = event.ok ? mark('✓', '+') : mark('✗', 'x');
        const call = toolCallText(event.name, names.get(event.id) ?? {});
        const line = io.paint(
          'stderr',
          'dim',
          `${sign} ${call}: ${safeLine(event.summary)} (${seconds(event.ms)})`,
        );
        if (event.ok) talk(line);
        else hold(line, event.summary);
      }
    },
    finish(text) {
      release(text);
      if (!streams) {
        if (text !== '') io.print(safeText(text).trimEnd());
        return;
      }
      if (!streamed) io.write(markdown.write(safeText(text)));
      io.write(markdown.end());
    },
  };
}

/** `get_quote AAPL`, `place_order buy 5 AAPL`: a tool call on one short line. */
export function toolCallText(name: string, args: Record<string, unknown>): string {
  const values = inReadingOrder(args)
    .flatMap((value) => (Array.isArray(value) ? value : [value]))
    .filter((value) => ['string', 'number', 'boolean'].includes(typeof value))
    .map((value) => safeLine(String(value)));
  const text = [safeLine(name), ...values].join(' ');
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`;
}

/** An order's arguments in the usual order, whatever order the model wrote; the rest as is. */
function inReadingOrder(args: Record<string, unknown>): unknown[] {
  const first = ['side', 'qty', 'notional', 'symbol', 'order_class', 'type'];
  const rank = (name: string) => (first.includes(name) ? first.indexOf(name) : first.length);
  return Object.entries(args)
    .sort(([a], [b]) => rank(a) - rank(b))
    .map(([name, value]) => {
      if (name === 'notional') return amountText(String(value));
      // A bare "true" says nothing.
      if (value === true) return name.replaceAll('_', ' ');
      const words = exitWords[name];
      return words === undefined ? value : `${words} ${String(value)}`;
    });
}

/** Names of an order's prices, where there are several. */
const exitWords: Readonly<Record<string, string>> = {
  take_profit_limit_price: 'take profit',
  stop_loss_stop_price: 'stop loss',
  stop_loss_limit_price: 'not below',
};

/** Formats an amount as money; a model may have written anything. */
function amountText(value: string): string {
  return /^\d{1,15}(\.\d{1,2})?$/.test(value) ? dollars(value) : `$${value}`;
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
