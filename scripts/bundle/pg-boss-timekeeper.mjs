// Replaces pg-boss' scheduler, which needs three calendar libraries. Users' schedules are in our own tables, and pg-boss is
// started with `schedule: false` (src/jobs/pg-boss/open-boss.ts).
import EventEmitter from 'node:events';

export const QUEUES = { SEND_IT: '__pgboss__send-it' };
export const PREVIEW_MAX_COUNT = 0;

export default class Timekeeper extends EventEmitter {
  events = { error: 'error', schedule: 'schedule', warning: 'warning' };
  clockSkew = 0;
  checkingSkew = false;
  timekeeping = false;
  async start() {
    throw new Error('there are no schedules in pg-boss here');
  }
  async stop() {}
}
