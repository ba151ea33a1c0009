// Another's MCP server, as a program (`node telling-server.ts FILE`): its one tool tells what the file has at that moment.
import { readFileSync } from 'node:fs';
import { Server } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';

const [file = ''] = process.argv.slice(2);

serveStdio(() => {
  const server = new Server({ name: 'suite', version: '1' }, { capabilities: { tools: {} } });
  server.setRequestHandler('tools/list', () => ({
    tools: [
      {
        name: 'search',
        description: 'Reads inbox, files and transactions.',
        inputSchema: {
          type: 'object' as const,
          properties: { query: { type: 'string' as const } },
          required: ['query'],
        },
      },
    ],
  }));
  server.setRequestHandler('tools/call', () => ({
    content: [{ type: 'text' as const, text: readFileSync(file, 'utf8') }],
  }));
  return server;
});
