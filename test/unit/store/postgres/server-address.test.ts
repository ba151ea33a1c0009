import { describe, expect, it } from 'vitest';
import { parsePostgresUrl } from '../../../../src/store/postgres/pool.ts';

describe('the address of a PostgreSQL database', () => {
  it.each([
    'postgresql://gateway@localhost/trade_agent',
    'postgres://gateway@127.0.0.1:5433/trade_agent',
    'postgresql://gateway@[::1]/trade_agent',
    'postgresql:///trade_agent?host=/run/postgresql&user=gateway',
    'postgresql://gateway@db.example/trade_agent?sslmode=verify-full',
    'postgresql://gateway@db.example/trade_agent?sslmode=verify-full&sslrootcert=/etc/ca.pem',
  ])('may be %s', (address) => {
    expect(() => parsePostgresUrl(address)).not.toThrow();
  });

  it.each([
    'postgresql://gateway@db.example/trade_agent',
    'postgresql://gateway@db.example/trade_agent?sslmode=require',
    'postgresql://gateway@localhost/trade_agent?host=db.example',
    'postgresql://gateway@localhost.example/trade_agent',
    'postgresql://gateway@127.0.0.1/trade_agent?host=127.0.0.1,db.example',
  ])('must ask for TLS beyond this machine: %s', (address) => {
    expect(() => parsePostgresUrl(address)).toThrow('does not require TLS');
  });

  it.each(['', 'trade_agent', 'mysql://gateway@localhost/x', 'https://db.example', 'postgresql://a:secret@[/x'])(
    'is not %s, and what was said instead is not shown',
    (address) => {
      const error = (() => {
        try {
          parsePostgresUrl(address);
        } catch (thrown) {
          return thrown;
        }
      })();
      expect(error).toMatchObject({ code: 'invalid_config' });
      expect(JSON.stringify([error, String(error)])).not.toContain('secret');
    },
  );

  it('is not left to the environment where it names no host', () => {
    expect(parsePostgresUrl('postgresql:///trade_agent').searchParams.get('host')).toBe('localhost');
  });
});
