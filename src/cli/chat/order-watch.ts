import type { Clock } from '../../machine/clock.ts';
import { isOver } from '../../trading/order-legs.ts';
import type { Order } from '../../trading/views.ts';

/** While an order is open: twelve calls a minute are far from any broker's limit. */
const INTERVAL_MS = 5_000;
const RETRY_MS = 30_000;

/**
 * Watches open orders, including those placed elsewhere, and reports each change (fill, partial fill, cancel). It polls
 * only while an order is open, or when told to look.
 */
export class OrderWatch {
  readonly #orders: () => Promise<readonly Order[]>;
  readonly #clock: Clock;
  readonly #changed: (order: Order) => void;
  readonly #known = new Map<string, string>();
  readonly #stop = new AbortController();
  #looking = false;
  #again = false;

  constructor(parts: {
    orders: () => Promise<readonly Order[]>;
    clock: Clock;
    changed: (order: Order) => void;
  }) {
    this.#orders = parts.orders;
    this.#clock = parts.clock;
    this.#changed = parts.changed;
  }

  told(order: Order): void {
    this.#known.set(order.id, state(order));
  }

  look(): void {
    if (this.#stop.signal.aborted) return;
    if (this.#looking) {
      this.#again = true;
      return;
    }
    this.#looking = true;
    void this.#watch()
      .catch(() => undefined)
      .finally(() => {
        this.#looking = false;
      });
  }

  stop(): void {
    this.#stop.abort();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#again = false;
      let open = true;
      let pause = INTERVAL_MS;
      try {
        open = this.#compare(await this.#orders());
      } catch {
        pause = RETRY_MS;
      }
      if (!open && !this.#again) return;
      await this.#clock.sleep(pause, signal);
    }
  }

  /** Reports what changed. @returns whether an order is still open */
  #compare(orders: readonly Order[]): boolean {
    if (this.#stop.signal.aborted) return false;
    for (const order of orders) {
      const before = this.#known.get(order.id);
      this.told(order);
      // The first sighting is no change; the run that placed it tells of it.
      if (before !== undefined && before !== state(order)) this.#changed(order);
    }
    return orders.some((order) => !isOver(order));
  }
}

function state(order: Order): string {
  const { legs = [] } = order;
  return [order, ...legs].map(({ status, filled_qty }) => `${status} ${filled_qty}`).join(', ');
}
