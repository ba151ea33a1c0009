import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { blockJobsDatabase } from '../jobs/jobs-database.ts';
import { withPostgres } from '../support/database.ts';
import { type AskOptions, eventsOf, type HttpWorld, startHttpWorld, type TestServer } from './http-world.ts';
import { type ServerWorld, startServerWorld } from './server-world.ts';

type Json = Record<string, unknown>;
type Content = Record<string, { readonly schema: Json; readonly 'x-event-data'?: Json }>;
interface Document {
  readonly paths: Record<
    string,
    Record<string, { readonly responses: Record<string, { readonly content?: Content }> }>
  >;
}

const HERE = 'https://agents.example/openapi.json';
const pointer = (...keys: string[]) =>
  `${HERE}#/${keys.map((key) => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`;

/** Holds answers to a document: each must be of a status, a type and a shape that it has for the request. */
function held(document: Document) {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ ...document, $id: HERE });
  return async (method: string, path: string, response: Response): Promise<unknown> => {
    const [plain = ''] = path.split('?');
    const named = Object.keys(document.paths)
      .filter((one) => new RegExp(`^${one.replace(/\{\w+\}/g, '[^/]+')}$`).test(plain))
      .sort((a, b) => a.split('{').length - b.split('{').length)
      .find((one) => document.paths[one]?.[method.toLowerCase()] !== undefined);
    if (named === undefined) throw new Error(`the document has no ${method} ${plain}`);
    const { responses } = document.paths[named]?.[method.toLowerCase()] ?? { responses: {} };
    const status = String(response.status) in responses ? String(response.status) : 'default';
    const { content = {} } = responses[status] ?? {};
    const [type = ''] = (response.headers.get('content-type') ?? '').split(';');
    const at = ['paths', named, method.toLowerCase(), 'responses', status, 'content', type];
    const check = (schema: string, value: unknown) => {
      const validate = ajv.compile({ $ref: pointer(...at, schema) });
      if (!validate(value))
        throw new Error(`${method} ${plain} ${response.status}: ${ajv.errorsText(validate.errors)}`);
    };
    if (Object.keys(content).length === 0) {
      expect(await response.text()).toBe('');
      return undefined;
    }
    expect(Object.keys(content), `${method} ${plain} ${response.status}`).toContain(type);
    if (type === 'text/event-stream') {
      const events = await eventsOf(response);
      for (const { event } of events) check('x-event-data', event);
      return events;
    }
    const body: unknown = await response.json();
    check('schema', body);
    return body;
  };
}

withPostgres('a server, by its OpenAPI document', () => {
  const database = blockJobsDatabase();
  let http: HttpWorld;
  let world: ServerWorld;
  let server: TestServer;
  beforeAll(async () => {
    [http, world] = await Promise.all([startHttpWorld(), startServerWorld(database)]);
    server = await http.serve(world);
    await world.worker();
  });
  afterAll(async () => {
    await http.close();
    await world.close();
  });

  it('answers as that says, whatever it is asked, and refuses so too', async () => {
    const conform = held((await (await fetch(`${server.url}/openapi.json`)).json()) as Document);
    const asked = new Set<string>();
    const ask = async <T>(method: string, path: string, status: number, options: AskOptions = {}): Promise<T> => {
      const response = await server.ask(method, path, options);
      const body = await conform(method, path, response);
      expect(response.status, `${method} ${path}: ${JSON.stringify(body)}`).toBe(status);
      asked.add(`${method} ${response.status}`);
      return body as T;
    };
    const run = { input: { prompt: 'buy 5 AAPL limit 180' }, options: { approval: 'detach' } };
    type Started = { run: string; thread: string };
    const begun = await ask<Started>('POST', '/v1/agent/runs', 202, { key: 'one', body: run });
    const events = await ask<{ event: { type: string } }[]>('GET', `/v1/agent/runs/${begun.run}/events`, 200);
    expect(events.at(-1)?.event.type).toBe('result');
    await ask('GET', '/v1/agent/threads', 200);
    await ask('GET', '/v1/agent/threads?as_kept=true', 200);
    await ask('GET', `/v1/agent/threads/${begun.thread}`, 200);
    const { approvals } = await ask<{ approvals: { id: string }[] }>('GET', '/v1/agent/approvals', 200);
    const id = approvals[0]?.id ?? '';
    await ask('GET', `/v1/agent/approvals/${id}`, 200);
    await ask('POST', '/v1/agent/approvals/reconcile', 200, { body: {} });
    await ask('DELETE', `/v1/agent/threads/${begun.thread}`, 409);
    await ask('POST', `/v1/agent/approvals/${id}/cancel`, 200);
    const options = { approval: 'wait' };
    const resumed = await ask<Started>('POST', `/v1/agent/threads/${begun.thread}/resume`, 202, {
      ...{ key: 'two', body: { options } },
    });
    await ask('GET', `/v1/agent/runs/${resumed.run}/events`, 200);
    await ask('DELETE', `/v1/agent/runs/${resumed.run}`, 204);
    await ask('POST', '/v1/agent/threads/prune', 200, { body: { older_than: 0, keep: 9 } });
    await ask('DELETE', `/v1/agent/threads/${begun.thread}`, 204);
    // Refusals are problems, each of them.
    await ask('POST', '/v1/agent/runs', 409, { key: 'one', body: { ...run, options } });
    await ask('POST', '/v1/agent/runs', 400, { body: run });
    await ask('POST', '/v1/agent/runs', 400, { key: 'three', body: { ...run, more: 1 } });
    await ask('GET', '/v1/agent/threads/nothing', 404);
    await ask('GET', '/v1/agent/approvals/nothing', 404);
    await ask('GET', '/v1/agent/runs/nothing/events', 404);
    await ask('GET', '/v1/agent/threads', 401, { claims: { aud: 'https://another.example' } });
    await ask('POST', `/v1/agent/approvals/${id}/cancel`, 403, { scopes: ['market:read'] });
    expect(asked.size).toBeGreaterThan(8);
  });
});
