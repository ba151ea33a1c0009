import { Hono } from 'hono';
import { listenOnLoopback } from '../../../../src/net/http-server.ts';
import { heldTo } from '../../../contract/broker/held-to.ts';

/** A broker's API on loopback: what it answers is held to the published schemas, and its own mistakes fail the test. */
export async function publishedApi(schemas: Readonly<Record<string, object>>) {
  const server = await listenOnLoopback(0, () => 0);
  const held = heldTo(schemas);
  const mistakes: string[] = [];
  const app = new Hono();
  app.onError((error) => {
    mistakes.push(error.message);
    return new Response('a mistake of the stand-in', { status: 500 });
  });
  server.serveApp(app);
  return {
    app,
    url: server.url,
    held,
    /** Of the stand-in, not of the adapter. */
    mistakes,
    answer: (name: string, body: unknown, status = 200) => Response.json(held(name, body), { status }),
    async close() {
      await server.close();
      if (mistakes.length > 0) throw new Error(mistakes.join('\n'));
    },
  };
}
