import { describe, expect, it } from 'vitest';
import { transitions } from '../../../src/agent/approval-states.ts';
import { approvalView } from '../../../src/agent/approval-store.ts';
import { approvalStatuses } from '../../../src/agent/events.ts';
import { approvalIn, drafted, openStores } from './approval-fixture.ts';
import { VirtualClock } from '../../virtual-clock.ts';

describe('an approval', () => {
  const pairs = approvalStatuses.flatMap((from) => approvalStatuses.map((to) => [from, to] as const));
  it.each(pairs)('moves from %s to %s only where the table allows', (from, to) => {
    const clock = new VirtualClock();
    const stores = openStores(clock);
    const { id } = approvalIn(stores, clock, from);
    const { moved, approval } = stores.approvals.move(id, to);
    expect(moved).toBe(transitions[from].includes(to));
    expect(approval.status).toBe(moved ? to : from);
    expect(stores.approvals.get(id)?.status).toBe(approval.status);
  });

  it('once settled never changes', () => {
    for (const status of ['executed', 'denied', 'expired', 'cancelled', 'blocked'] as const) {
      expect(transitions[status]).toEqual([]);
    }
  });

  it('is drafted once for a thread, tool call and attempt', () => {
    const clock = new VirtualClock();
    const stores = openStores(clock);
    const first = drafted(stores, clock);
    clock.advance(10_000);
    expect(drafted(stores, clock)).toEqual(first);
    expect(drafted(stores, clock, 'tc_1', 2).id).not.toBe(first.id);
    expect(first.id).toMatch(/^ap_[0-9a-hjkmnp-tv-z]{8}$/);
  });

  it('is moved by one of two who see the same state', () => {
    const clock = new VirtualClock();
    const stores = openStores(clock);
    const other = stores.reopen();
    const { id } = approvalIn(stores, clock, 'approved');
    const moves = [
      stores.approvals.move(id, 'executing', {}, { from: 'approved' }),
      other.move(id, 'executing', {}, { from: 'approved' }),
    ];
    expect(moves.map(({ moved }) => moved)).toEqual([true, false]);
  });

  it('does not move for whoever lost its lease', () => {
    const clock = new VirtualClock();
    const stores = openStores(clock);
    const { id } = approvalIn(stores, clock, 'executing');
    const first = stores.approvals.lease(id, 'elsewhere|1|a', 60_000);
    clock.advance(60_001);
    const second = stores.reopen().lease(id, 'elsewhere|2|b', 60_000);
    expect(second?.epoch).toBe((first?.epoch ?? 0) + 1);
    const late = stores.approvals.move(id, 'blocked', {}, { epoch: first?.epoch ?? 0 });
    expect(late.moved).toBe(false);
    expect(stores.approvals.move(id, 'executed', {}, { epoch: second?.epoch ?? 0 }).moved).toBe(true);
  });

  it('is leased to one holder until its time runs out or it is released', () => {
    const clock = new VirtualClock();
    const stores = openStores(clock);
    const { id } = approvalIn(stores, clock, 'approved');
    expect(stores.approvals.lease(id, 'elsewhere|1|a', 60_000)).toBeDefined();
    expect(stores.approvals.lease(id, 'elsewhere|2|b', 60_000)).toBeUndefined();
    stores.approvals.release(id, 'elsewhere|2|b');
    expect(stores.approvals.lease(id, 'elsewhere|2|b', 60_000)).toBeUndefined();
    stores.approvals.release(id, 'elsewhere|1|a');
    expect(stores.approvals.lease(id, 'elsewhere|2|b', 60_000)).toBeDefined();
  });

  it('keeps its token sealed, opens it for its own row alone, and erases it at the end', () => {
    const clock = new VirtualClock();
    const stores = openStores(clock);
    const one = approvalIn(stores, clock, 'approved', 'tc_1');
    const two = approvalIn(stores, clock, 'approved', 'tc_2');
    expect(stores.approvals.token(one.id)).toBe('PLANTED-TOKEN');
    stores.database
      .prepare(
        'UPDATE approvals SET sealed_token = (SELECT sealed_token FROM approvals WHERE id = ?) WHERE id = ?',
      )
      .run(one.id, two.id);
    expect(() => stores.approvals.token(two.id)).toThrow(expect.objectContaining({ code: 'state_corrupt' }));
    stores.approvals.move(one.id, 'executing');
    expect(stores.approvals.token(one.id)).toBe('PLANTED-TOKEN');
    stores.approvals.move(one.id, 'executed');
    expect(stores.approvals.token(one.id)).toBeUndefined();
  });

  it('asked again forgets the lost question', () => {
    const clock = new VirtualClock();
    const stores = openStores(clock);
    const { id } = approvalIn(stores, clock, 'requested');
    const { approval } = stores.approvals.move(id, 'drafted');
    expect(approval).toMatchObject({ authReqId: undefined, asked: 1 });
  });

  it('whose stored order was changed is refused', () => {
    const clock = new VirtualClock();
    const stores = openStores(clock);
    const { id } = approvalIn(stores, clock, 'approved');
    stores.database
      .prepare(`UPDATE approvals SET draft = json_set(draft, '$.qty', '500') WHERE id = ?`)
      .run(id);
    expect(() => stores.approvals.get(id)).toThrow(expect.objectContaining({ code: 'state_corrupt' }));
  });

  it('shows people neither its token nor the provider’s id', () => {
    const clock = new VirtualClock();
    const stores = openStores(clock);
    const view = JSON.stringify(approvalView(approvalIn(stores, clock, 'approved')));
    expect(view).not.toContain('PLANTED');
    expect(view).not.toContain('auth-tc_1');
    expect(JSON.parse(view)).toMatchObject({ status: 'approved', expires_at: '2026-11-24T15:05:00Z' });
  });
});
