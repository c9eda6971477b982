import { createSecretKey } from 'node:crypto'
import { type Test, test } from 'tap'
import type { Catalogue } from '../../src/catalogue/schema.ts'
import { macColumn } from '../../src/core/mac.ts'
import { policySchema, type Rule, releasedColumns } from '../../src/core/policy.ts'
import { type BuiltPart, releaseRows } from '../../src/engine/release-rows.ts'
import { quoteText } from '../../src/engine/session.ts'
import { openScratch, refusalOf, tableOf } from './scratch.ts'

const key = createSecretKey(Buffer.alloc(32, 3))
const table = tableOf({
  MAIN: { type: 'code', role: 'diagnosis' },
  CODE: { type: 'code' },
  NUMBER: { type: 'code' },
  DAY: { type: 'date' },
})
const catalogue: Catalogue = { name: 'test', version: '1', tables: { t: table } }
const title = { en: 'x', ko: 'x' }
const sensitive = [{ title, diagnoses: ['F'], specialBenefits: [], drugs: [], procedures: [] }]

/** A part of the given query, ten persons of whom the second has a hidden CODE, and what becomes of it. */
async function prepared(t: Test, query: string) {
  const { session, path } = await openScratch(t)
  await session.run(`
    copy (
      select r::integer as ordinal, upper(left(md5(r::varchar), 27)) as pseudonym,
        (row_number() over (order by upper(left(md5(r::varchar), 27))) - 1)::integer as rank,
        date '2020-01-01' as anchor, '2020-01' as anchor_month, null::integer as shift_days,
        if(r = 1, 1, 0)::bigint as hidden
      from range(10) v(r) order by rank
    ) to ${quoteText(path('persons.parquet'))} (format parquet)`)
  await session.run(`copy (${query}) to ${quoteText(path('part.parquet'))} (format parquet)`)
  const build = async (columns: Record<string, Rule>, part = 'part'): Promise<BuiltPart> => {
    const measures = { k: 2, quasiIdentifiers: [{ table: 't', column: 'CODE', take: 'all' }] }
    const about = { name: 'p', version: '1', type: 'A', dates: 'relative' }
    const policy = policySchema.parse({ ...about, measures, tables: { t: { columns } } })
    return await releaseRows(session, {
      part: path(`${part}.parquet`),
      persons: path('persons.parquet'),
      tableName: 't',
      table,
      columns: releasedColumns(policy, catalogue, 't'),
      sensitive,
      rekeyOf: (column) => macColumn('cmac-aes-256', key, column, 32),
      parquet: path(`${part}-out.parquet`),
    })
  }
  return { session, path, build }
}

test('the list of values in a file holds what leaves and nothing else', async (t) => {
  const { session, path, build } = await prepared(
    t,
    `select * from (values
      (0::integer, 'C50', 'k', '1', date '2020-01-02'), (2, 'C51', 'm', '1', null),
      (2, 'F00', 'a', '1', null), (1, 'C50', 'b', '1', null), (77, 'A00', 'z', '1', null)
    ) v(ordinal, MAIN, CODE, NUMBER, DAY)`,
  )
  const { counts, utility } = await build({ MAIN: { rule: 'keep' }, CODE: { rule: 'keep' } })
  t.match(counts, { rows: 3, sensitive: 1, otherPersons: 1 })
  t.same(utility.columns['CODE'], { cells: 3, changed: 1, emptied: 1 })
  const lists = await session.rows(`
    select path_in_schema as name, encodings, stats_min_value as least, stats_max_value as most
    from parquet_metadata(${quoteText(path('part-out.parquet'))}) where name <> 'pseudonym'`)
  t.same(
    lists,
    [
      { name: 'MAIN', encodings: 'RLE_DICTIONARY', least: 'C50', most: 'C51' },
      { name: 'CODE', encodings: 'RLE_DICTIONARY', least: 'k', most: 'm' },
    ],
    'not the code of the sensitive row, of the hidden cell or of a person who is not in it',
  )
})

/** As many values of every column as a list does not take. */
const many = `
  select (i % 10)::integer as ordinal, 'C' || lpad(i::varchar, 6, '0') as MAIN, 'c' || i as CODE,
    'n' || i as NUMBER, if(i % 4 = 0, null, date '2020-01-01' + (i % 90)::integer) as DAY
  from range(40000) v(i)`
const rules: Record<string, Rule> = {
  MAIN: { rule: 'truncate', length: 3 },
  CODE: { rule: 'map', codes: { c0: 'x', c1: 'y', c11: 'y' }, others: 'keep' },
  NUMBER: { rule: 'rekey' },
  DAY: { rule: 'date' },
}

test('a column of many values leaves and is counted as one of few', async (t) => {
  const { session, path, build } = await prepared(t, many)
  const { utility } = await build(rules)
  t.same(utility.columns, {
    MAIN: { cells: 40_000, changed: 40_000, emptied: 0 },
    CODE: { cells: 40_000, changed: 4_001, emptied: 4_000 },
    NUMBER: { cells: 40_000, changed: 40_000, emptied: 0 },
    DAY: { cells: 30_000, changed: 30_000, emptied: 0 },
  })
  await session.run(
    `copy (${many} where i < 400) to ${quoteText(path('some.parquet'))} (format parquet)`,
  )
  const few = await build(rules, 'some')
  t.same(few.utility.columns, {
    MAIN: { cells: 400, changed: 400, emptied: 0 },
    CODE: { cells: 400, changed: 41, emptied: 40 },
    NUMBER: { cells: 400, changed: 400, emptied: 0 },
    DAY: { cells: 300, changed: 300, emptied: 0 },
  })
  const [both] = await session.rows(`
    select count(*) as "rows", count(CODE) as codes, count(distinct NUMBER) as numbers from (
      from read_parquet(${quoteText(path('some-out.parquet'))}) intersect all
      from read_parquet(${quoteText(path('part-out.parquet'))}))`)
  t.same(both, { rows: 400, codes: 360, numbers: 400 }, 'the same rows, cell by cell')
})

test('refuses an identifier among few values and among many, by its rows', async (t) => {
  const codes = {
    few: `'c' || i % 3`,
    many: `'c' || i`,
    'many, as the first rows do not tell': `'c' || i // 50000 * i`,
  }
  for (const [name, code] of Object.entries(codes)) {
    const { build } = await prepared(
      t,
      `select (i % 10)::integer as ordinal, 'C50' as MAIN,
         if(i < 3, '010-1234-5678', ${code}) as CODE, 'n' as NUMBER, null::date as DAY
       from range(90000) v(i)`,
    )
    const refusal = await refusalOf(build({ CODE: { rule: 'keep' } }))
    t.equal(refusal.code, 'identifier-in-payload', name)
    // Of three rows with a number one is hidden.
    t.same(refusal.details, { table: 't', column: 'CODE', rows: 2 }, name)
  }
})
