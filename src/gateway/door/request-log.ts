/** One line about one request. No query, no header, no body: nothing that could hold a token or say what is owned. */
export interface RequestLogEntry {
  /** RFC 3339. */
  readonly at: string;
  readonly request_id: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly duration_ms: number;
  /** The problem's code, where the request was refused. */
  readonly code?: string;
  readonly sub?: string;
  readonly client_id?: string;
  /** Who acts for that person, a server or an agent, where the token tells (RFC 8693 `act`). */
  readonly act?: string;
  /** The name of an error nobody foresaw. Its message stays out: it may quote what it choked on. */
  readonly error?: string;
}

export type RequestLog = (entry: RequestLogEntry) => void;
