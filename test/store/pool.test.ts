import { inspect } from 'node:util'
import { test } from 'tap'
import { inTransaction } from '../../src/store/pool.ts'
import { startTestDatabase } from '../support/database.ts'

test('transactions', async (t) => {
  const database = await startTestDatabase(t)
  const pool = database.pool('admin')
  await pool.query('create table public.counter (name text primary key, value bigint not null)')
  await pool.query("insert into public.counter values ('a', 0), ('b', 0)")

  t.test('commits what was done, on the time of the database', async (t) => {
    const [told, shown] = await inTransaction(pool, 'count-up', async (tx) => {
      await tx.query("update public.counter set value = 1 where name = 'a'")
      const found = await tx.query<{ now: Date; name: string }>(
        "select now() as now, current_setting('application_name') as name",
      )
      return [tx.now, found.rows[0]] as const
    })
    t.same(told, shown?.now)
    t.equal(shown?.name, 'gyeol count-up')
    const after = await pool.query<{ value: number; name: string }>(
      "select value, current_setting('application_name') as name from public.counter where name = 'a'",
    )
    t.equal(after.rows[0]?.value, 1)
    t.equal(after.rows[0]?.name, 'test admin')
  })

  t.test('leaves nothing of a transaction that throws', async (t) => {
    const failure = new Error('no')
    await t.rejects(
      inTransaction(pool, 'fail', async (tx) => {
        await tx.query("update public.counter set value = 77 where name = 'a'")
        throw failure
      }),
      failure,
    )
    const found = await pool.query('select from public.counter where value = 77')
    t.equal(found.rowCount, 0)
  })

  t.test('does not take a commit for done when a failed statement was ignored', async (t) => {
    await t.rejects(
      inTransaction(pool, 'ignore', async (tx) => {
        await tx.query("update public.counter set value = 78 where name = 'a'")
        await tx.query('select 1 / 0').catch(() => {})
      }),
      { message: 'a failed statement was ignored in ignore' },
    )
    const found = await pool.query('select from public.counter where value = 78')
    t.equal(found.rowCount, 0)
  })

  t.test('refuses statements after its end', async (t) => {
    let late: (() => Promise<unknown>) | undefined
    await inTransaction(pool, 'leak', async (tx) => {
      late = () => tx.query('select 1')
    })
    await t.rejects(late?.() ?? Promise.resolve(), /has already ended/)
  })

  t.test('repeats a transaction that lost a deadlock until both are done', async (t) => {
    let calls = 0
    const both = (first: string, second: string): Promise<void> =>
      inTransaction(pool, 'cross', async (tx) => {
        calls += 1
        const up = 'update public.counter set value = value + 1 where name = $1::text'
        await tx.query(up, [first])
        await new Promise((resolve) => setTimeout(resolve, 100))
        await tx.query(up, [second])
      })
    await pool.query('update public.counter set value = 0')
    await Promise.all([both('a', 'b'), both('b', 'a')])
    const found = await pool.query<{ value: number }>('select value from public.counter')
    t.same(found.rows, [{ value: 2 }, { value: 2 }])
    t.ok(calls > 2, 'one of them was repeated')
  })

  t.test('gives up after three repeats', async (t) => {
    let calls = 0
    await t.rejects(
      inTransaction(pool, 'unlucky', async (tx) => {
        calls += 1
        await tx.query("do $$ begin raise exception 'again' using errcode = '40001'; end $$")
      }),
      { code: '40001' },
    )
    t.equal(calls, 4)
  })

  t.test('passes on the error of a connection that broke, and works again', async (t) => {
    await t.rejects(
      inTransaction(pool, 'broken', async (tx) => {
        await tx.query('select pg_terminate_backend(pg_backend_pid())')
      }),
      { code: '57P01' },
    )
    t.equal(await inTransaction(pool, 'again', async () => 'well'), 'well')
  })

  t.test('reads a bigint as a number, and none that a number cannot hold', async (t) => {
    const small = await pool.query<{ n: number }>('select 9007199254740991::bigint as n')
    t.equal(small.rows[0]?.n, Number.MAX_SAFE_INTEGER)
    await t.rejects(pool.query('select 9007199254740992::bigint as n'), /beyond 2\^53/)
  })

  t.test('passes on an error without the row that caused it', async (t) => {
    const insert = inTransaction(pool, 'double', (tx) =>
      tx.query("insert into public.counter values ('a', 4711)"),
    )
    const error = await insert.catch((thrown: unknown) => thrown)
    t.match(error, { code: '23505', constraint: 'counter_pkey' })
    t.notMatch(inspect(error), /4711|\(a\)/)
  })

  t.test('refuses a name that is not kebab-case', async (t) => {
    await t.rejects(
      inTransaction(pool, "x'; drop", async () => {}),
      RangeError,
    )
  })
})
