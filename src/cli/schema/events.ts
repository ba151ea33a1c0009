import { z } from 'zod';
import { eventShapes } from '../../agent/view-schemas.ts';
import { time } from './parts.ts';

const event = <T extends string>(type: T, shape: z.ZodRawShape) =>
  z.object({ type: z.literal(type), thread: z.string().optional(), ...shape });

/**
 * The lines of `--output stream-json` before the last, which is the command's result. A reader skips types it does not
 * know: more may come. `thread` tells whose an event is where one command follows several.
 */
export const eventSchemas = {
  thread: event('thread', eventShapes.thread).describe('the first: the thread this run belongs to'),
  text: event('text', eventShapes.text).describe('a piece of the answer, as the model writes it'),
  tool_call: event('tool_call', eventShapes.tool_call),
  tool_result: event('tool_result', eventShapes.tool_result),
  approval: event('approval', eventShapes.approval).describe('on every change of an approval'),
  order: event('order', eventShapes.order),
  connection: event('connection', eventShapes.connection).describe(
    'an account elsewhere that the run needs: it stands still meanwhile',
  ),
  notice: event('notice', eventShapes.notice).describe('worth knowing, and ends nothing'),
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
