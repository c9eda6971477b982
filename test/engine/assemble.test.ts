import { test } from 'tap'
import { assemblePart } from '../../src/engine/assemble.ts'
import { quoteText } from '../../src/engine/session.ts'
import { openScratch } from './scratch.ts'

test('puts the ordinal for the serial and counts what it leaves out', async (t) => {
  const { session, path } = await openScratch(t)
  await session.run(`
    copy (
      select 's' || (r % 5) as serial, r as N, 'x' || r as "ORDER" from range(1000) t(r)
    ) to ${quoteText(path('part.parquet'))} (format parquet)`)
  await session.run(`
    copy (
      select * from (values ('s0', 7), ('s1', 3), ('s2', null), ('unused', 9)) m(serial, ordinal)
    ) to ${quoteText(path('map.parquet'))} (format parquet)`)
  const files = {
    part: path('part.parquet'),
    map: path('map.parquet'),
    output: path('cohort.parquet'),
  }
  for (const _ of [1, 2]) {
    t.same(await assemblePart(session, files), {
      rows: 1_000,
      kept: 400,
      outside: 200,
      unknown: 400,
      serialIn: {},
    })
  }
  const out = `read_parquet(${quoteText(files.output)})`
  const rows = await session.rows(`select * from ${out} limit 3`)
  t.same(rows, [
    { ordinal: 7, N: 0, ORDER: 'x0' },
    { ordinal: 3, N: 1, ORDER: 'x1' },
    { ordinal: 7, N: 5, ORDER: 'x5' },
  ])
  const [type] = await session.rows(`select typeof(ordinal) as type from ${out} limit 1`)
  t.same(type, { type: 'INTEGER' })
})

test('counts in which texts the serial of a row stands again, and keeps the rows', async (t) => {
  const { session, path } = await openScratch(t)
  const files = {
    part: path('part.parquet'),
    map: path('map.parquet'),
    output: path('cohort.parquet'),
  }
  await session.run(`
    copy (
      select * from (values ('ABCDEFGH', 'see ABCDEFGH.', 'ABCDEFG', 1), ('ABCDEFGI', 'see ABCDEFGH', null, 2),
        ('short', 'short', 'short', 3), ('outside1', 'outside1', 'x', 4)) v(serial, "NOTE", code, n)
    ) to ${quoteText(files.part)} (format parquet)`)
  await session.run(`
    copy (
      select * from (values ('ABCDEFGH', 0), ('ABCDEFGI', 1), ('short', 2), ('outside1', null)) v(serial, ordinal)
    ) to ${quoteText(files.map)} (format parquet)`)
  const { kept, serialIn } = await assemblePart(session, files)
  t.same([kept, serialIn], [3, { NOTE: 1 }])
  const out = await session.rows(
    `select "NOTE" as note from read_parquet(${quoteText(files.output)})`,
  )
  t.same(
    out.map(({ note }) => note),
    ['see ABCDEFGH.', 'see ABCDEFGH', 'short'],
  )
})
