import {
  type CallToolResult,
  Client,
  InsufficientScopeError,
  ProtocolError,
  type RequestOptions,
  SdkError,
  SdkErrorCode,
  SdkHttpError,
  StreamableHTTPClientTransport,
  type Transport,
} from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { removeRoleLabels } from '../../agent/graph/inert-text.ts';
import type { McpServerConfig } from '../../config/mcp-servers.ts';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { createBoundedFetch, isResponseTooLarge } from '../../net/bounded-fetch.ts';
import { createReferenceFetch, type ResolveHost } from '../../net/outbound-client.ts';
import { safeLine, safeText } from '../../text/sanitize.ts';
import { defined } from '../../values/defined.ts';
import { McpServerAuthorization, SignInRequiredError } from './authorization.ts';
import type { McpServerAccess, McpServerLimits } from './server-access.ts';
import type { McpServerTool } from './tool-text.ts';

/** Timeout in milliseconds for requests without their own limit: metadata, registration, tokens. */
const REQUEST_TIMEOUT_MS = 10_000;

/**
 * Returns a `fetch` for a server and the hosts that the server refers to (see {@link createReferenceFetch}). Responses
 * are limited to {@link MAX_MESSAGE_BYTES}, including event streams.
 */
export function createMcpServerFetch(
  send: typeof fetch,
  serverUrl: string,
  { tooLong, resolve }: { tooLong?: (error: Error) => void; resolve?: ResolveHost } = {},
): typeof fetch {
  const bounded = createBoundedFetch(send, MAX_MESSAGE_BYTES, tooLong);
  const refer = createReferenceFetch(bounded, serverUrl, resolve);
  // The SDK never passes a `Request`.
  return async (input, init = {}) =>
    await refer(String(input), { ...init, signal: init.signal ?? AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
}

/** Maximum size of a result for a language model, in UTF-8 bytes. */
export const MAX_RESULT_BYTES = 32 * 1024;

interface ResultText {
  /** False if the server reports that the tool failed. */
  readonly ok: boolean;
  readonly text: string;
  readonly cut: boolean;
}

/** Returns a result as text, sanitized and truncated. */
export function toResultText({ content, structuredContent, isError }: CallToolResult): ResultText {
  const parts = (content ?? []).map(partText);
  if (parts.length === 0 && structuredContent !== undefined) parts.push(JSON.stringify(structuredContent));
  const text = removeRoleLabels(safeText(parts.join('\n')));
  const bytes = Buffer.from(text);
  const ok = isError !== true;
  if (bytes.length <= MAX_RESULT_BYTES) return { ok, text, cut: false };
  // Drops an incomplete last character.
  const kept = new TextDecoder().decode(bytes.subarray(0, MAX_RESULT_BYTES)).replace(/\ufffd+$/, '');
  return { ok, text: `${kept}\n[truncated: the result had ${bytes.length} bytes]`, cut: true };
}

function partText(part: CallToolResult['content'][number]): string {
  switch (part.type) {
    case 'text':
      return part.text;
    case 'resource':
      return 'text' in part.resource ? part.resource.text : `[${part.resource.uri}: not text]`;
    case 'resource_link':
      return `[${part.name}: ${part.uri}]`;
    default:
      return `[${part.type}: not text]`;
  }
}

const defaultLimits: McpServerLimits = { probeMs: 5_000, connectMs: 20_000, listMs: 15_000, callMs: 60_000 };

/** A connected server. Throws the signal's reason, or a `TradeAgentError` that does not quote the server. */
export interface McpServerConnection {
  readonly protocol: string;
  readonly about: { readonly name: string; readonly version: string };
  tools(signal: AbortSignal): Promise<readonly McpServerTool[]>;
  call(tool: string, args: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<ResultText>;
  close(): Promise<void>;
}

/**
 * Connects with MCP revision 2026-07-28 or, if the server does not support it, with `initialize`. Declares no sampling,
 * roots, elicitation or tasks.
 * @throws {TradeAgentError} `mcp_server_failed`, `login_required`; any error from signing in; the signal's reason
 */
export async function connectMcpServer(access: McpServerAccess, signal: AbortSignal): Promise<McpServerConnection> {
  const { server } = access;
  const limits = { ...defaultLimits, ...access.limits };
  const wire = new TrafficMonitor();
  const authorization = createAuthorization(access, wire);
  const attempt = withSignIn(access, authorization, wire);
  const client = await attempt(signal, () => openClient(access, { authorization, wire, limits }, signal));
  const about = client.getServerVersion();
  return {
    protocol: client.getNegotiatedProtocolVersion() ?? 'unknown',
    about: { name: safeLine(about?.name ?? '', 80), version: safeLine(about?.version ?? '', 40) },
    tools: async (until) => {
      const list = () => wire.ask(limits.listMs, until, (options) => client.listTools(undefined, options));
      return (await attempt(until, list)).tools;
    },
    call: async (tool, args, until) => {
      const call = () =>
        wire.ask(limits.callMs, until, (options) => client.callTool({ name: tool, arguments: { ...args } }, options));
      try {
        return toResultText(await attempt(until, call));
      } catch (error) {
        if (!isTradeAgentError(error) || !(error.cause instanceof ProtocolError)) throw error;
        // An error response is passed on as an answer, in the server's own words.
        return toResultText({ content: [{ type: 'text', text: error.cause.message }], isError: true });
      }
    },
    close: () => closeClient(client, server),
  };
}

function createAuthorization(
  { server, fetch, credentials, registration }: McpServerAccess,
  wire: TrafficMonitor,
): McpServerAuthorization | undefined {
  if (server.url === undefined) return undefined;
  const known = server.client_id === undefined ? undefined : { client_id: server.client_id };
  const client = registration ?? known;
  return new McpServerAuthorization({
    serverUrl: server.url,
    credentials,
    fetch: createMcpServerFetch(fetch, server.url, { tooLong: (error) => wire.fail(error) }),
    ...defined({ client }),
  });
}

interface ConnectionParts {
  readonly authorization: McpServerAuthorization | undefined;
  readonly wire: TrafficMonitor;
  readonly limits: McpServerLimits;
}

async function openClient(access: McpServerAccess, parts: ConnectionParts, signal: AbortSignal): Promise<Client> {
  try {
    return await openOnce(access, parts, signal, 'auto');
  } catch (error) {
    // Retries without messages that were added in 2026: an older child process may exit when it receives an unknown
    // message.
    const isChild = access.server.command !== undefined;
    if (!isChild || !(error instanceof SdkError) || error.code !== SdkErrorCode.EraNegotiationFailed) throw error;
    return await openOnce(access, parts, signal, 'legacy');
  }
}

async function openOnce(
  { server, env, version, elicited }: McpServerAccess,
  { authorization, wire, limits }: ConnectionParts,
  signal: AbortSignal,
  mode: 'auto' | 'legacy',
): Promise<Client> {
  const client = new Client(
    { name: 'trade-agent', version },
    {
      capabilities: elicited === undefined ? {} : { elicitation: { form: {} } },
      versionNegotiation: {
        mode,
        probe: { timeoutMs: server.command === undefined ? limits.connectMs : limits.probeMs },
      },
      // Results are treated as data whether or not they match a schema, so a foreign schema is never compiled to code.
      jsonSchemaValidator: {
        getValidator: () => (data) => ({ valid: true, data: data as never, errorMessage: undefined }),
      },
    },
  );
  if (elicited !== undefined) client.setRequestHandler('elicitation/create', elicited);
  client.onerror = (error) => {
    wire.seen = error;
  };
  const transport =
    server.url === undefined || authorization === undefined
      ? new ChildTransport(server, env)
      : new StreamableHTTPClientTransport(new URL(server.url), {
          authProvider: authorization,
          fetch: authorization.fetch,
          reconnectionOptions: {
            initialReconnectionDelay: 1_000,
            maxReconnectionDelay: 10_000,
            reconnectionDelayGrowFactor: 2,
            maxRetries: 2,
          },
        });
  wire.watch(transport);
  try {
    await wire.ask(limits.connectMs, signal, (options) => client.connect(transport, options));
    return client;
  } catch (error) {
    await transport.close().catch(() => undefined);
    throw error;
  }
}

/** Closes the connection. With servers of the 2025 revisions, ends the session first. */
async function closeClient(client: Client, { url }: McpServerConfig): Promise<void> {
  const { transport } = client;
  if (url !== undefined && transport instanceof StreamableHTTPClientTransport && transport.sessionId) {
    const late = new Promise<void>((resolve) => setTimeout(resolve, 1_000).unref());
    await Promise.race([transport.terminateSession().catch(() => undefined), late]);
  }
  await client.close().catch(() => undefined);
}

const MAX_SIGN_INS = 3;

/**
 * Returns a function that runs a request to a server. If the server requires a sign-in or more scopes, the function
 * signs in and runs the request again.
 * @throws {TradeAgentError} `mcp_server_failed`, `login_required`; any error from signing in; the signal's reason
 */
function withSignIn(
  { name, openBrowser }: Pick<McpServerAccess, 'name' | 'openBrowser'>,
  authorization: McpServerAuthorization | undefined,
  wire: TrafficMonitor,
) {
  let signIns = 0;
  const signIn = async (failure: unknown, signal: AbortSignal): Promise<void> => {
    if (!(failure instanceof InsufficientScopeError) && !needsSignIn(failure)) throw failure;
    if (authorization === undefined || openBrowser === undefined) throw signInNeeded(name);
    signIns += 1;
    if (signIns > MAX_SIGN_INS) {
      const message = `MCP server ${name} keeps asking for a sign-in`;
      throw new TradeAgentError('mcp_server_failed', message, {
        hint: 'Report this to the server’s operator.',
      });
    }
    if (failure instanceof InsufficientScopeError) await authorization.widen(failure);
    await authorization.signIn(openBrowser, signal);
  };
  return async <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await work();
      } catch (failure) {
        if (signal.aborted) throw signal.reason;
        await signIn(failure, signal).catch((error) => {
          throw signal.aborted ? signal.reason : serverFailure(name, error, wire);
        });
      }
    }
  };
}

function serverFailure(name: string, error: unknown, { seen }: TrafficMonitor): TradeAgentError {
  if (isTradeAgentError(error)) return error;
  return new TradeAgentError('mcp_server_failed', `MCP server ${name}: ${describeFailure(error, seen)}`, {
    hint: `Check the server with "trade-agent mcp servers test ${name}".`,
    cause: error,
  });
}

function signInNeeded(name: string): TradeAgentError {
  return new TradeAgentError('login_required', `MCP server ${name} requires you to sign in`, {
    hint: `Run "trade-agent mcp servers test ${name}" in a terminal. It opens the sign-in page.`,
  });
}

/**
 * Describes a failure without the server's own words, which could be aimed at a language model.
 * @param seen an error reported by the transport
 */
function describeFailure(error: unknown, seen: Error | undefined): string {
  if (isTooLong(error) || isTooLong(seen)) return `it sent more than ${MAX_MESSAGE_BYTES / 2 ** 20} MiB at once`;
  if (error instanceof TooManyMessages) return 'it sent too many messages';
  if (errorCauses(error).some((cause) => cause instanceof TypeError)) return UNREACHABLE;
  if (error instanceof SdkHttpError) return `it responded with HTTP status ${error.status ?? 'unknown'}`;
  if (error instanceof SdkError) return messageByCode[error.code] ?? 'it violates the protocol';
  if (error instanceof ProtocolError) return `it responded with error ${error.code}`;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'the program was not found';
  if (code === 'EACCES') return 'the program is not executable';
  if (hasName(error, 'TimeoutError')) return TIMED_OUT;
  return 'it violates the protocol';
}

const UNREACHABLE = 'it could not be reached';
const TIMED_OUT = 'it did not respond in time';
const messageByCode: Partial<Record<SdkErrorCode, string>> = {
  [SdkErrorCode.RequestTimeout]: TIMED_OUT,
  [SdkErrorCode.ConnectionClosed]: 'it ended the connection',
  [SdkErrorCode.NotConnected]: 'it ended the connection',
  [SdkErrorCode.SendFailed]: UNREACHABLE,
};

function needsSignIn(error: unknown): boolean {
  return errorCauses(error).some((cause) => cause instanceof SignInRequiredError || cause.name === 'UnauthorizedError');
}

function errorCauses(error: unknown): Error[] {
  const causes: Error[] = [];
  for (let at = error; at instanceof Error && causes.length < 8; at = at.cause) causes.push(at);
  return causes;
}

function isTooLong(error: unknown): boolean {
  if (isResponseTooLarge(error)) return true;
  return error instanceof Error && /ReadBuffer exceeded|AnswerTooLong|more than \d+ bytes/.test(error.message);
}

function hasName(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}

/** Maximum number of messages from a server per request, including progress and log messages. */
const MAX_MESSAGES = 5_000;

/** Counts a server's messages, and fails the current request if there are too many. */
class TrafficMonitor {
  /** The latest transport error. */
  seen: Error | undefined;
  #left = MAX_MESSAGES;
  #failed = new AbortController();

  /** Must be called before the SDK takes over the transport. */
  watch(transport: Transport): void {
    transport.onmessage = () => {
      this.#left -= 1;
      if (this.#left < 0) this.fail(new TooManyMessages());
    };
  }

  fail(error: Error): void {
    this.#failed.abort(error);
  }

  /**
   * Sends a request.
   * @param ms total time limit
   * @throws {TooManyMessages}; the signal's reason; any error from the SDK
   */
  async ask<T>(ms: number, signal: AbortSignal, work: (options: RequestOptions) => Promise<T>): Promise<T> {
    this.seen = undefined;
    this.#left = MAX_MESSAGES;
    this.#failed = new AbortController();
    const until = AbortSignal.any([signal, this.#failed.signal, AbortSignal.timeout(ms)]);
    const asked = work({ signal: until, timeout: ms, maxTotalTimeout: ms });
    // The SDK ignores the signal in some places, so an abort is also handled here.
    const ended = new Promise<never>((_, reject) => {
      until.addEventListener('abort', () => reject(until.reason), { once: true });
    });
    asked.catch(() => undefined);
    return await Promise.race([asked, ended]);
  }
}

class TooManyMessages extends Error {
  override name = 'TooManyMessages';
}

const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/** How long the child may take to exit after its input is closed, in milliseconds. */
const CLOSE_TIMEOUT_MS = 500;
const MAX_STDERR_BYTES = 2048;

/**
 * An MCP server that runs as a child process in the owner's home directory. Its environment contains the variables that
 * its settings name, and HOME, LOGNAME, PATH, SHELL, TERM, USER. Its stderr goes only into {@link said}.
 */
class ChildTransport extends StdioClientTransport {
  #stderr = '';

  constructor({ command = '', args = [], env: names = [] }: McpServerConfig, env: NodeJS.ProcessEnv) {
    super({
      command,
      args: [...args],
      env: Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name] as string]]))),
      ...defined({ cwd: env.HOME }),
      stderr: 'pipe',
      maxBufferSize: MAX_MESSAGE_BYTES,
    });
    // Reads stderr continuously, because a child blocks once the pipe is full.
    this.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = `${this.#stderr}${chunk.toString('utf8')}`.slice(-MAX_STDERR_BYTES);
    });
  }

  /** The last part of the child's stderr, sanitized. */
  get said(): string {
    return safeLine(this.#stderr).slice(-300);
  }

  override async close(): Promise<void> {
    const { pid } = this;
    const late = setTimeout(() => {
      if (pid !== null) kill(pid);
    }, CLOSE_TIMEOUT_MS);
    try {
      await super.close();
    } finally {
      clearTimeout(late);
    }
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {}
}
