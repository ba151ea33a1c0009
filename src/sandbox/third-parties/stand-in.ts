import type { Faults } from '../../home/identity-provider/faults.ts';
import type { TokenStore } from '../../store/sandbox/token-store.ts';

/** A message as its reader would see it. */
export interface SentItem {
  readonly service: 'slack' | 'gmail';
  /** Whose account sent it. */
  readonly user: string;
  readonly recipient: string;
  readonly subject: string | null;
  readonly text: string;
  readonly service_id: string;
  /** RFC 3339. */
  readonly sent_at: string;
}

/** What a stand-in for a messaging service works with. */
export interface StandInOptions {
  readonly tokens: Pick<TokenStore, 'accessToken'>;
  /** What it has sent, which goes nowhere. */
  readonly outbox: { add(item: SentItem): void; all(): SentItem[] };
  readonly now: () => number;
  readonly faults: Faults;
}
