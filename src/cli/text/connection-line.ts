import type { ConnectionView } from '../../agent/events.ts';
import { safeLine } from '../../text/shown-text.ts';

/** Why a run waits for an account elsewhere, in one line. */
export function connectionLine({ name, status, command }: ConnectionView): string {
  switch (status) {
    case 'needed':
      return `Your account "${safeLine(name)}" is not connected; waiting. In another terminal: ${command}`;
    case 'connected':
      return `${safeLine(name)} is connected`;
    case 'missing':
      return `${safeLine(name)} was not connected in time`;
  }
}
