import { ToolMessage } from '@langchain/core/messages';
import { SERVER_WORDS } from '../../tools/foreign-tools.ts';
import type { AgentStateValue, ToolCall } from './agent-state.ts';
import type { GraphEnvironment } from './graph-environment.ts';
import { untrusted } from './system-prompt.ts';

/**
 * Calls a tool of somebody else's server. Its words are data, and the conversation is marked by them for good. One that
 * hangs or dies costs a message, never the run: the outcome has no error.
 */
export async function foreignCall(
  { foreign, signal }: Pick<GraphEnvironment, 'foreign' | 'signal'>,
  server: string,
  call: ToolCall,
): Promise<{
  ok: boolean;
  summary: string;
  update: Pick<AgentStateValue, 'messages'> & { tainted?: string[] };
}> {
  const answer = (await foreign?.call(call.name, call.args, signal)) ?? {
    outcome: 'failed' as const,
    message: 'there is no such tool any more',
  };
  const said = (status: 'success' | 'error', content: string) =>
    new ToolMessage({ tool_call_id: call.id, name: call.name, status, content });
  if (answer.outcome === 'failed') {
    const content = JSON.stringify({ error: { code: 'mcp_server_failed', message: answer.message } });
    return { ok: false, summary: answer.message, update: { messages: [said('error', content)] } };
  }
  const { ok, text, cut } = answer;
  const source = `${SERVER_WORDS}${server}`;
  return {
    ok,
    summary: `${ok ? '' : 'it failed: '}${text.length} characters of ${server}${cut ? ', cut' : ''}`,
    update: { messages: [said(ok ? 'success' : 'error', untrusted(source, text))], tainted: [source] },
  };
}
