import { isTradeAgentError } from '../../errors/errors.ts';
import type { Clock } from '../../machine/clock.ts';
import { type ComparedTool, compareTools } from './compared-tools.ts';
import type { ServerConnection } from './connection.ts';
import type { ServerAccess } from './server-access.ts';

/** Pause after a failure, whose timeout delays the conversation. */
const REST_MS = 60_000;

interface OpenServer {
  readonly connection: ServerConnection;
  readonly tools: readonly ComparedTool[];
}

interface Failure {
  readonly message: string;
  readonly at: number;
}

/** A server, connected on first use, and again some time after a failure. */
export class KeptServer {
  readonly #access: ServerAccess;
  readonly #clock: Clock;
  #opening: Promise<OpenServer> | undefined;
  #latest: OpenServer | undefined;
  #failure: Failure | undefined;

  constructor(access: ServerAccess, clock: Clock) {
    this.#access = access;
    this.#clock = clock;
  }

  /** Undefined if not connected. */
  get latest(): OpenServer | undefined {
    return this.#latest;
  }

  /** Of the latest use. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** The failure it still pauses for. */
  get resting(): Failure | undefined {
    const failure = this.#failure;
    return failure !== undefined && this.#clock.now() - failure.at < REST_MS ? failure : undefined;
  }

  /** @throws {TradeAgentError} as connecting does; the signal's reason */
  async open(signal: AbortSignal): Promise<OpenServer> {
    this.#opening ??= this.#connect(signal);
    try {
      this.#latest = await this.#opening;
      this.#failure = undefined;
      return this.#latest;
    } catch (error) {
      this.#opening = undefined;
      if (!signal.aborted) this.#failed(error);
      throw error;
    }
  }

  /** The connection is dropped after any failure. */
  async drop(error: unknown): Promise<void> {
    const latest = this.#latest;
    this.#opening = undefined;
    this.#latest = undefined;
    this.#failed(error);
    await latest?.connection.close();
  }

  async close(): Promise<void> {
    const opened = await this.#opening?.catch(() => undefined);
    this.#opening = undefined;
    this.#latest = undefined;
    await opened?.connection.close();
  }

  async #connect(signal: AbortSignal): Promise<OpenServer> {
    const { connectServer } = await import('./connection.ts');
    const connection = await connectServer(this.#access, signal);
    try {
      return { connection, tools: compareTools(this.#access.server, await connection.tools(signal)) };
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  #failed(error: unknown): void {
    const message = isTradeAgentError(error) ? error.message : 'something went wrong inside trade-agent';
    this.#failure = { message, at: this.#clock.now() };
  }
}
