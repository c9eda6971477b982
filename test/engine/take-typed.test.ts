import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import type { CatalogueTable } from '../../src/catalogue/schema.ts'
import { openSession, quoteText, type Session } from '../../src/engine/session.ts'
import { type TakenTable, takeTable } from '../../src/engine/take-table.ts'
import { openScratch, tableOf } from './scratch.ts'

const table = tableOf(
  {
    CODE: { type: 'code', required: true, pattern: '[0-9]{2}' },
    N: { type: 'integer', max: 9 },
    D: { type: 'decimal' },
    DAY: { type: 'date' },
    YM: { type: 'year-month' },
    AT: { type: 'timestamp' },
  },
  1,
)
const good = {
  serial: "'s' || r",
  CODE: "'0' || r % 10",
  N: '(r % 10)::bigint',
  D: 'r / 2',
  DAY: "date '2024-02-29'",
  YM: "'2024-02'",
  AT: "timestamp '2024-02-29 10:11:12'",
}

/** Whether what was taken is the very bytes that came. */
async function take(
  { session, path }: { session: Session; path: (name: string) => string },
  columns: Record<string, string>,
  wanted: CatalogueTable = table,
): Promise<{ taken: TakenTable; isAsItCame: boolean }> {
  const [input, output] = [path('in.parquet'), path('out.parquet')]
  const select = Object.entries(columns).map(([name, value]) => `${value} as ${name}`)
  await session.run(`copy (select ${select.join(', ')} from range(20) t(r))
    to ${quoteText(input)} (format parquet)`)
  const digest = async (file: string) =>
    createHash('sha256')
      .update(await readFile(file))
      .digest()
  const before = await digest(input)
  const mediaType = 'application/vnd.apache.parquet'
  const taken = await takeTable(session, { input, mediaType, table: wanted, output })
  return { taken, isAsItCame: before.equals(await digest(output)) }
}

test('a part that is typed already and has no bad row stays the bytes that came', async (t) => {
  const scratch = await openScratch(t)
  const { taken, isAsItCame } = await take(scratch, { ...good, N: '(r % 10)::bigint' })
  t.same(taken, { rows: 20, taken: 20, refusals: {} })
  t.ok(isAsItCame)
})

test('a part is written again if a column, its order or a form differs, or a row is bad', async (t) => {
  const scratch = await openScratch(t)
  const { serial, ...others } = good
  const cases: Record<string, [Record<string, string>, number]> = {
    'a date as text': [{ ...good, DAY: "'20240229'" }, 20],
    'a narrower integer': [{ ...good, N: '(r % 10)::smallint' }, 20],
    'bytes in place of text': [{ ...good, CODE: "encode('0' || r % 10)" }, 20],
    'another order': [{ ...others, serial }, 20],
    'another form of a month': [
      { ...good, YM: "case r when 7 then '202402' else '2024-02' end" },
      20,
    ],
    'a bad row': [{ ...good, N: 'case r when 7 then 10::bigint else 1 end' }, 19],
    'a missing value': [{ ...good, CODE: "case r when 7 then null else '01' end" }, 19],
    'a bad serial': [{ ...good, serial: "case r when 7 then 'a b' else 's' || r end" }, 19],
  }
  for (const [name, [columns, rows]] of Object.entries(cases)) {
    const { taken, isAsItCame } = await take(scratch, columns)
    t.same([taken.rows, taken.taken, isAsItCame], [20, rows, false], name)
    const out = `read_parquet(${quoteText(scratch.path('out.parquet'))})`
    const described = await scratch.session.rows(`describe select * from ${out}`)
    t.same(
      described.map((column) => `${column['column_name']} ${column['column_type']}`),
      [
        'serial VARCHAR',
        'CODE VARCHAR',
        'N BIGINT',
        'D DOUBLE',
        'DAY DATE',
        'YM VARCHAR',
        'AT TIMESTAMP',
      ],
      name,
    )
  }
})

test('believes the values of a file, not what the file says of them', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'gyeol-engine-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  const lies = { scratchDir: dir, memoryMiB: 256, threads: 1, readsForeignFiles: true }
  const session = await openSession(lies)
  t.teardown(() => session.close())
  const input = join(dir, 'in.parquet')
  await session.run(`copy (select 's' || r as serial, 8001011234567 as N from range(9) t(r))
    to ${quoteText(input)} (format parquet, compression uncompressed)`)
  const bytes = await readFile(input)
  const value = Buffer.alloc(8)
  value.writeBigInt64LE(8001011234567n)
  const footerAt = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8)
  let lied = 0
  for (let at = bytes.indexOf(value, footerAt); at >= 0; at = bytes.indexOf(value, at + 1)) {
    bytes.writeBigInt64LE(5n, at)
    lied++
  }
  t.ok(lied > 0, 'the statistics say that every value is 5')
  await writeFile(input, bytes)
  const mediaType = 'application/vnd.apache.parquet'
  const numbers = tableOf({ N: { type: 'integer' } })
  await t.rejects(
    takeTable(session, { input, mediaType, table: numbers, output: join(dir, 'out.parquet') }),
    { code: 'identifier-in-payload', details: { column: 'N', rows: 9, line: 1 } },
  )
})
