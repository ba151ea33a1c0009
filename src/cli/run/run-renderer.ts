import type { AgentEvent, ApprovalView, ConnectionView } from '../../agent/events.ts';
import { containsMessage } from '../../app/run.ts';
import { connectionLine, isProposalTool, toolCallText } from '../../app/run-words.ts';
import type { Clock } from '../../machine/clock.ts';
import { getMachineName } from '../../machine/machine-name.ts';
import { safeLine, safeText } from '../../text/sanitize.ts';
import type { OutputFormat } from '../context/output.ts';
import type { Io } from '../terminal/io.ts';
import { approvalLines, approvalOutcome, isFinalApproval } from '../text/approval-lines.ts';
import { TerminalMarkdown } from '../text/markdown.ts';
import { type Paint, paintSignedAmount, plainPaint } from '../text/theme.ts';

/** Prints a run's events as plain lines: progress to stderr and, on a terminal, the answer while it is streamed. */
export class RunRenderer {
  readonly #io: Io;
  readonly #clock: Clock;
  readonly #format: OutputFormat;
  readonly #phone: string | undefined;
  readonly #tell: (line: string) => void;
  readonly #streams: boolean;
  readonly #markdown: TerminalMarkdown;
  readonly #requested = new Set<string>();
  /** The last printed line about each approved proposal, by ID. */
  readonly #said = new Map<string, string>();
  /** The text of each tool call, by the call's ID. */
  readonly #calls = new Map<string, string>();
  #streamed = false;
  /** Number of printed or delayed outcomes whose tool call is still running. */
  #outcomes = 0;
  /** Delayed failures and fills. They are printed later, unless the agent's answer mentions them. */
  #held: { readonly line: string; readonly message: string }[] = [];

  constructor(
    io: Io,
    clock: Clock,
    options: {
      readonly format: OutputFormat;
      readonly phone: string | undefined;
      readonly paint?: Paint;
      readonly tell?: (line: string) => void;
    },
  ) {
    const { format, phone, paint = plainPaint, tell = (line: string) => io.talk(line) } = options;
    this.#io = io;
    this.#clock = clock;
    this.#format = format;
    this.#phone = phone;
    this.#tell = tell;
    this.#streams = format === 'text' && io.stdoutIsTty;
    this.#markdown = new TerminalMarkdown(io.width(), {
      strong: (text) => (io.color.stdout ? paint('strong', text) : text),
      signed: (text) => paintSignedAmount(paint, text),
    });
  }

  show(event: AgentEvent): void {
    if (event.type === 'text') this.#release(event.delta);
    // The agent continues without an answer.
    else if (event.type === 'tool_call' || event.type === 'connection') this.#release();
    if (event.type === 'approval') this.#showApproval(event.approval);
    else if (event.type === 'connection') this.#showConnection(event.connection);
    else if (event.type === 'notice') this.#talk(this.#io.paint('stderr', 'dim', safeLine(event.message)));
    // With JSON output, progress is left out, so that stderr has only approvals, connections and notices.
    else if (this.#format === 'text') this.#showWork(event);
  }

  /** Finishes the agent's answer. Prints `text` if the answer was not streamed. */
  finish(text: string): void {
    this.#release(text);
    if (!this.#streams) {
      if (text !== '') this.#io.print(safeText(text).trimEnd());
      return;
    }
    if (!this.#streamed) this.#io.write(this.#markdown.write(safeText(text)));
    this.#io.write(this.#markdown.end());
  }

  #showApproval(approval: ApprovalView): void {
    if (approval.status === 'requested') this.#showRequest(approval);
    else if (approval.status === 'approved') this.#showApproved(approval);
    else if (isFinalApproval(approval.status) || approval.status === 'unknown') this.#showOutcome(approval);
  }

  #showRequest(approval: ApprovalView): void {
    if (this.#requested.has(approval.id)) return;
    this.#requested.add(approval.id);
    const columns = this.#io.stderrIsTty ? this.#io.width() : undefined;
    const now = this.#clock.now();
    const [title = '', ...rows] = approvalLines(approval, this.#phone, now, getMachineName(), columns);
    this.#ask(title);
    for (const row of rows) this.#talk(row);
  }

  /** Shows an approved proposal that is not executed yet. The gateway retries, and reports each attempt. */
  #showApproved({ id, code, reason, mandate_id }: ApprovalView): void {
    const why = reason === undefined ? '' : ` · not executed yet: ${safeLine(reason)}`;
    const by = mandate_id === undefined ? '' : ` by mandate ${mandate_id}`;
    const line = this.#point(`approved${by} (${code})${why}`);
    if (this.#said.get(id) !== line) this.#talk(line);
    this.#said.set(id, line);
  }

  #showOutcome(approval: ApprovalView): void {
    const { status, reason } = approval;
    const outcome = approvalOutcome(approval);
    const line = this.#point(outcome);
    this.#outcomes++;
    // The answer repeats fills, and the reasons of refusals, in the same words. It may go to a file instead of the
    // terminal.
    const isSeen = this.#io.stdoutIsTty === this.#io.stderrIsTty;
    const done = isSeen ? outcome : undefined;
    const message = status === 'executed' ? done : isFinalApproval(status) ? reason : undefined;
    if (this.#format === 'text' && message !== undefined) this.#hold(line, message);
    else this.#talk(line);
  }

  #showConnection(connection: ConnectionView): void {
    const line = connectionLine(connection);
    if (connection.status === 'needed') this.#ask(line);
    else this.#talk(this.#point(line));
  }

  #showWork(event: AgentEvent): void {
    if (event.type === 'text' && this.#streams) {
      this.#io.write(this.#markdown.write(safeText(event.delta)));
      this.#streamed = true;
    } else if (event.type === 'tool_call') this.#calls.set(event.id, toolCallText(event));
    else if (event.type === 'tool_result') this.#showResult(event);
  }

  #showResult({ id, name, ok, summary, ms }: AgentEvent & { type: 'tool_result' }): void {
    if (isProposalTool(name) && this.#outcomes > 0) {
      this.#outcomes--;
      if (ok) return;
    }
    const sign = ok ? this.#mark('✓', '+') : this.#mark('✗', 'x');
    const text = `${sign} ${this.#calls.get(id) ?? safeLine(name)}: ${safeLine(summary)} (${formatSeconds(ms)})`;
    const line = this.#io.paint('stderr', 'dim', text);
    if (ok) this.#talk(line);
    else this.#hold(line, summary);
  }

  #talk(line: string): void {
    // The answer and the progress share a terminal, so the answer must be flushed first to keep their order.
    if (this.#streams) this.#io.write(this.#markdown.end());
    this.#tell(line);
  }

  #ask(line: string): void {
    this.#talk(this.#io.paint('stderr', ['bold', 'yellow'], line));
  }

  #point(text: string): string {
    return `${this.#mark('●', '*')} ${text}`;
  }

  #mark(sign: string, plain: string): string {
    return this.#io.unicode ? sign : plain;
  }

  #hold(line: string, message: string): void {
    const isHeld = this.#held.some((other) => containsMessage(message, other.message));
    if (!isHeld) this.#held.push({ line, message });
  }

  #release(answer = ''): void {
    const lines = this.#held.filter(({ message }) => !containsMessage(answer, message));
    this.#held = [];
    for (const { line } of lines) this.#talk(line);
  }
}

export function formatSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
