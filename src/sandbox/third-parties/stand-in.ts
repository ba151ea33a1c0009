import type { Context } from 'hono';
import type { ActiveFaults } from '../../home/identity-provider/faults.ts';
import type { TokenStore } from '../../store/sandbox/token-store.ts';

export interface SentItem {
  readonly service: 'slack' | 'gmail';
  readonly user: string;
  readonly recipient: string;
  readonly subject: string | null;
  readonly text: string;
  readonly service_id: string;
  readonly sent_at: string;
}

export interface StandInOptions {
  readonly tokens: Pick<TokenStore, 'accessToken'>;
  readonly outbox: { add(item: SentItem): void; all(): SentItem[] };
  readonly now: () => number;
  readonly faults: ActiveFaults;
}

export function readBearerToken(context: Context): string | undefined {
  return /^Bearer (\S+)$/i.exec(context.req.header('authorization') ?? '')?.[1];
}
