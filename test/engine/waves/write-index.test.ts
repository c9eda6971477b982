import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { test } from 'tap'
import { runSteps } from '../../../src/engine/run-steps.ts'
import { quoteText } from '../../../src/engine/session.ts'
import { knownSteps } from '../../../src/engine/waves/known.ts'
import { writeIndex } from '../../../src/engine/waves/write-index.ts'
import { openScratch } from '../scratch.ts'

/** So many records that what follows them meets the end of a row group. */
const spineRecords = 200_000

const left = [
  `create temp table spine_link as
  select 's' || lpad(i::varchar, 9, '0') as serial, i::integer as file_row, md5('person' || i)::uuid as person, i::integer as ordinal,
    md5('K1' || i)::uuid as t1, md5('K4' || i % 99)::uuid as t4, md5('person' || i)::uuid as born, 1 as version,
    1 as founded, 1::smallint as first_wave, 1::smallint as last_wave
  from range(${spineRecords}) as r(i)
  order by hash(i)`,
  `create temp table work_case as
  select 'merge' as kind, 0::utinyint as agency, md5('case' || i)::uuid as case_id, 's' || i as serial,
    't' || i as spine_serial
  from range(5) as r(i)`,
  'create temp table merged (person uuid, other uuid)',
  `create temp table new_change as
  select md5('gone' || i)::uuid as person, md5('person' || i)::uuid as other, 'merge' as reason from range(3) as r(i)`,
  `create temp table together as
  select 's' || i as serial, 's0' as spine_serial from range(1, 3) as r(i)`,
]

test('writes the same index whatever the number of threads and the order of the records', async (t) => {
  const digests = new Set<string>()
  for (const [threads, order] of [
    [1, 'serial'],
    [1, 'file_row'],
    [2, 'serial'],
    [4, 'file_row'],
  ] as const) {
    const { session, path } = await openScratch(t, { threads })
    await runSteps(session, [...knownSteps(undefined), ...left])
    const [indexFile, changesFile] = [path('index.parquet'), path('changes.parquet')]
    const of = { version: 2, agencies: ['spine'], order }
    await writeIndex(session, { ...of, indexFile, changesFile })
    digests.add(
      createHash('sha256')
        .update(await readFile(indexFile))
        .digest('hex'),
    )
    const rows = await session.rows(`
      select kind, count(*) as rows, max(file_row_number) - min(file_row_number) + 1 as span
      from read_parquet(${quoteText(indexFile)}, file_row_number = true)
      group by kind
      order by min(file_row_number)`)
    const wanted = { spine: spineRecords, change: 3, case: 5, together: 2 }
    t.same(
      rows,
      Object.entries(wanted).map(([kind, count]) => ({ kind, rows: count, span: count })),
    )
  }
  t.equal(digests.size, 1)
})
