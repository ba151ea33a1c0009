import { z } from 'zod';
import { orderSchema } from '../../trading/views.ts';
import { approval, time } from './parts.ts';

const event = <T extends string>(type: T, shape: z.ZodRawShape) =>
  z.object({ type: z.literal(type), thread: z.string().optional(), ...shape });

/**
 * The lines of `--output stream-json` before the last, which is the command's result. A reader skips types it does not
 * know: more may come. `thread` tells whose an event is where one command follows several.
 */
export const eventSchemas = {
  thread: event('thread', { thread: z.string() }).describe('the first: the thread this run belongs to'),
  text: event('text', { delta: z.string() }).describe('a piece of the answer, as the model writes it'),
  tool_call: event('tool_call', {
    id: z.string(),
    name: z.string(),
    args: z.record(z.string(), z.unknown()),
  }),
  tool_result: event('tool_result', {
    id: z.string(),
    name: z.string(),
    ok: z.boolean(),
    summary: z.string(),
    ms: z.number(),
  }),
  approval: event('approval', { approval }).describe('on every change of an approval'),
  order: event('order', { order: orderSchema, approval: z.string().describe("the approval's id") }),
  connection: event('connection', {
    connection: z.object({
      name: z.string(),
      status: z.enum(['needed', 'connected', 'missing']),
      command: z.string(),
    }),
  }).describe('an account elsewhere that the run needs: it stands still meanwhile'),
  notice: event('notice', { message: z.string() }).describe('worth knowing, and ends nothing'),
  device_code: event('device_code', {
    user_code: z.string(),
    verification_uri: z.string(),
    verification_uri_complete: z.string(),
    device_name: z.string().describe('this machine, as the consent page shows it'),
    expires_at: time,
  }).describe('login: what to confirm, and where'),
  connection_link: event('connection_link', {
    name: z.string(),
    address: z.string(),
    expires_at: time,
  }).describe('connections add: where to sign in'),
} as const;
