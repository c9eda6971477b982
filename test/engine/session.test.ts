import { test } from 'tap'
import { EngineError } from '../../src/engine/engine-error.ts'
import { quoteIdentifier, quoteText } from '../../src/engine/session.ts'
import { openScratch } from './scratch.ts'

async function errorOf(promise: Promise<unknown>): Promise<EngineError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof EngineError) return error
    throw error
  }
  throw new Error('nothing failed')
}

test('hands a column function the bytes of a UUID as it is printed', async (t) => {
  const { session } = await openScratch(t)
  const seen: string[] = []
  session.registerColumnFunction('seen', 16, (column) => {
    seen.push(Buffer.from(column).toString('hex'))
    return column
  })
  const [row] = await session.rows<{ same: boolean }>(
    `select seen(u) = u as same from (select '00112233-4455-6677-8899-aabbccddeeff'::uuid as u)`,
  )
  t.same(seen, ['00112233445566778899aabbccddeeff'])
  t.equal(row?.same, true)
})

test('puts two columns side by side, row by row', async (t) => {
  const { session } = await openScratch(t)
  session.registerColumnFunction('second', 32, (column) => {
    const rows = column.length / 32
    const second = new Uint8Array(rows * 16)
    for (let row = 0; row < rows; row++) {
      second.set(column.subarray(row * 32 + 16, row * 32 + 32), row * 16)
    }
    return second
  })
  const [row] = await session.rows<{ wrong: number; rows: number }>(`
    select count(*) filter (second(a, b) is distinct from b) as wrong, count(*) as rows
    from (select md5('a' || r)::uuid as a, md5('b' || r)::uuid as b from range(10000) t(r))`)
  t.same(row, { wrong: 0, rows: 10_000 })
})

test('gives NULL for NULL and never shows one to the callback', async (t) => {
  const { session } = await openScratch(t)
  let seen = 0
  session.registerColumnFunction('same_or_null', 16, (column) => {
    seen += column.length / 16
    return column
  })
  const [row] = await session.rows<{ wrong: number; nulls: number }>(`
    select count(*) filter (same_or_null(u) is distinct from u) as wrong,
      count(*) filter (u is null) as nulls
    from (select case when r % 3 <> 0 then md5(r::varchar)::uuid end as u from range(9000) t(r))`)
  t.same(row, { wrong: 0, nulls: 3_000 })
  t.equal(seen, 6_000)
})

test('calls with constants, dictionaries and empty tables', async (t) => {
  const { session } = await openScratch(t)
  session.registerColumnFunction('xor_of', 32, (column) => {
    const result = new Uint8Array(column.length / 2)
    for (let at = 0; at < result.length; at++) {
      const row = at >> 4
      const byte = at & 15
      result[at] = (column[row * 32 + byte] ?? 0) ^ (column[row * 32 + 16 + byte] ?? 0)
    }
    return result
  })
  session.registerTextFunction('hex_of', (column) =>
    Array.from({ length: column.length / 16 }, (_, row) =>
      Buffer.from(column.subarray(row * 16, row * 16 + 16)).toString('hex'),
    ),
  )
  const zero = `'00000000-0000-0000-0000-000000000000'::uuid`
  const [row] = await session.rows<{ wrong: number; texts: number }>(`
    select count(*) filter (xor_of(u, ${zero}) <> u) as wrong,
      count(*) filter (hex_of(u) = replace(u::varchar, '-', '')) as texts
    from (select md5((r % 3)::varchar)::uuid as u from range(5000) t(r)) order by 1`)
  t.same(row, { wrong: 0, texts: 5_000 })
  t.same(await session.rows(`select xor_of(u, u) from (select ${zero} as u) where false`), [])
  t.same(await session.rows(`select hex_of(null) as h`), [{ h: null }])
})

test('throws what a callback threw, and what it gave in the wrong length', async (t) => {
  const { session } = await openScratch(t)
  const mine = new TypeError('mine')
  session.registerColumnFunction('fails', 16, () => {
    throw mine
  })
  session.registerColumnFunction('short', 16, () => new Uint8Array(3))
  await t.rejects(session.run('select fails(uuid())'), mine)
  await t.rejects(session.run('select short(uuid())'), RangeError)
  t.same(await session.rows('select 1 as one'), [{ one: 1 }], 'and goes on')
})

test('reaches nothing outside its scratch directory and keeps its settings', async (t) => {
  const { session, path } = await openScratch(t)
  for (const sql of [
    `select * from read_csv('/etc/passwd')`,
    `select * from read_text(${quoteText(path('../x'))})`,
    `select * from glob('/etc/*')`,
    `copy (select 1) to '/tmp/gyeol-outside.csv'`,
    `attach '/tmp/gyeol-outside.db'`,
    `install httpfs`,
    `load httpfs`,
    `set threads = 4`,
    `set enable_external_access = true`,
    `set memory_limit = '100GB'`,
  ]) {
    const error = await errorOf(session.run(sql))
    t.match(error.type, /^(Permission|Invalid Input)$/, sql)
  }
})

test('says of an error its type and never a value', async (t) => {
  const { session } = await openScratch(t)
  const error = await errorOf(session.run(`select 'MARKED-VALUE'::integer`))
  t.equal(error.type, 'Conversion')
  t.notMatch(`${error.message} ${error.stack} ${JSON.stringify(error)}`, 'MARKED-VALUE')
  t.equal(error.cause, undefined)
})

test('tells memory from disk', async (t) => {
  const { session } = await openScratch(t, { memoryMiB: 64, spillMiB: 16 })
  const sort = 'create table s as select md5(r::varchar) as m from range(3000000) t(r) order by m'
  t.equal((await errorOf(session.run(sort))).kind, 'disk-full')
  const whole = 'create table l as select list(r) as l from range(20000000) t(r)'
  t.equal((await errorOf(session.run(whole))).kind, 'out-of-memory')
})

test('runs statements beside others, and waits for all of them whatever fails', async (t) => {
  const { session, path } = await openScratch(t)
  const made = (name: string): string =>
    `copy (select count(*) as rows from range(3000000)) to ${quoteText(path(name))} (format csv)`
  const given = await session.runBeside([made('a'), made('b'), made('c')], async () => {
    await session.run('create temp table own as select 1 as one')
    return 'done'
  })
  t.equal(given, 'done')
  for (const name of ['a', 'b', 'c']) {
    t.same(await session.rows(`from read_csv(${quoteText(path(name))})`), [{ rows: 3_000_000 }])
  }
  const missing = await errorOf(session.runBeside(['from own', made('d')], async () => 'kept'))
  t.equal(missing.type, 'Catalog', 'a temporary table is not theirs')
  await t.rejects(
    session.runBeside([made('e')], () => Promise.reject(new RangeError('mine'))),
    { message: 'mine' },
  )
  t.same(await session.rows(`from read_csv(${quoteText(path('e'))})`), [{ rows: 3_000_000 }])
  const atOnce = (): Promise<never> => {
    throw new RangeError('at once')
  }
  await t.rejects(session.runBeside([made('f')], atOnce), { message: 'at once' })
  t.same(await session.rows(`from read_csv(${quoteText(path('f'))})`), [{ rows: 3_000_000 }])
  const locked = await errorOf(session.runBeside(['set threads = 4'], async () => 'kept'))
  t.equal(locked.type, 'Invalid Input')
})

test('takes values as prepared and refuses numbers that JavaScript cannot hold', async (t) => {
  const { session } = await openScratch(t)
  const rows = await session.rows('select $1::varchar as a, $2::integer as b, $3::boolean as c', [
    `'; drop table x; --`,
    7,
    null,
  ])
  t.same(rows, [{ a: `'; drop table x; --`, b: 7, c: null }])
  await t.rejects(session.rows('select 9007199254740993::bigint as n'), RangeError)
})

test('quotes names and texts so that they are read literally', async (t) => {
  const { session } = await openScratch(t)
  const name = `a"b'c; --`
  const rows = await session.rows(`select ${quoteText(name)} as ${quoteIdentifier(name)}`)
  t.same(rows, [{ [name]: name }])
  t.throws(() => quoteText('a\0b'), RangeError)
})
