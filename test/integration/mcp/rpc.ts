export class RpcError extends Error {
  readonly code: number;
  readonly data: unknown;

  constructor(code: number, message: string, data: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

export const tasksExtension = { extensions: { 'io.modelcontextprotocol/tasks': {} } };

/** The SDK's client does not support tasks. */
export async function rpc(
  {
    url,
    token,
    capabilities = tasksExtension,
    signal,
  }: { url: string; token: string; capabilities?: object; signal?: AbortSignal },
  method: string,
  params: Record<string, unknown> = {},
  id: number | string = crypto.randomUUID(),
): Promise<Record<string, unknown>> {
  const asked = request(url, method, params, capabilities, id);
  asked.headers.set('authorization', `Bearer ${token}`);
  return rpcAnswer(await fetch(asked, signal === undefined ? {} : { signal }));
}

export function request(
  url: string,
  method: string,
  params: Record<string, unknown>,
  capabilities: object,
  id: number | string = crypto.randomUUID(),
): Request {
  const name = params.name ?? params.uri ?? params.taskId;
  return new Request(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(name === undefined ? {} : { 'mcp-name': String(name) }),
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id,
      method,
      params: {
        ...params,
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientInfo': { name: 'by-hand', version: '1' },
          'io.modelcontextprotocol/clientCapabilities': capabilities,
        },
      },
    }),
  });
}

export async function rpcAnswer(response: Response): Promise<Record<string, unknown>> {
  const text = await response.text();
  const { result, error } = JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text) as {
    result?: Record<string, unknown>;
    error?: { code: number; message: string; data?: unknown };
  };
  if (error !== undefined) throw new RpcError(error.code, error.message, error.data);
  if (result === undefined) throw new Error(`${response.status} ${text}`);
  return result;
}
