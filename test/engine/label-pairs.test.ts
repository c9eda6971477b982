import { test } from 'tap'
import { sharedSideOf } from '../../src/core/linked-tables.ts'
import { policySchema, type Rule, releasedColumns } from '../../src/core/policy.ts'
import { type Labelled, labelPairs } from '../../src/engine/label-pairs.ts'
import { quoteText } from '../../src/engine/session.ts'
import { openScratch, tableOf } from './scratch.ts'

const table = tableOf({ CODE: { type: 'code' }, AGE: { type: 'integer', min: 0, max: 120 } })
const catalogue = { name: 'test', version: '1', tables: { dx: table } }

test('tells which values of two policies stand for the same', async (t) => {
  const { session, path } = await openScratch(t)
  const write = (name: string, query: string) =>
    session.run(`copy (${query}) to ${quoteText(path(name))} (format parquet)`)
  await write(
    'persons.parquet',
    `select r::integer as ordinal, '2020-0' || (1 + r % 3) as anchor_month, 0 as hidden from range(9) t(r)`,
  )
  await write(
    'dx.parquet',
    `select * from (values (0, 'A01', 5), (1, 'A02', 15), (2, 'B01', 25), (3, 'B02', null), (4, 'A01', 35),
       (4, 'B02', 35)) v(ordinal, "CODE", "AGE")`,
  )
  const under = (columns: Record<string, Rule>, more: Partial<Labelled> = {}): Labelled => {
    const policy = policySchema.parse({
      ...{ name: 'p', version: '1', type: 'A', dates: 'relative' },
      tables: { dx: { columns } },
    })
    const known = { files: [path('dx.parquet')], table, rules: { dates: policy.dates } }
    return {
      persons: path('persons.parquet'),
      tables: { dx: { ...known, columns: releasedColumns(policy, catalogue, 'dx') } },
      sensitive: [],
      diagnosisTime: 'month',
      ...more,
    }
  }
  const use = (column: string, of = 'dx') => ({ table: of, column, take: 'all' as const })
  const sorted = (pairs: unknown): string[] =>
    (pairs as object[]).map((one) => JSON.stringify(one)).sort()

  const both = {
    earlier: under({ CODE: { rule: 'keep' } }),
    now: under({ CODE: { rule: 'truncate', length: 1 } }),
  }
  const byPerson = await labelPairs(session, { use: use('CODE'), count: 'persons' }, both)
  t.same(
    sorted(byPerson),
    sorted([
      { earlier: 'A01', now: 'A' },
      { earlier: 'A02', now: 'A' },
      { earlier: 'B01', now: 'B' },
      { earlier: 'B02', now: 'B' },
      { earlier: 'A01|B02', now: 'A|B' },
      { earlier: null, now: null },
    ]).filter((pair) => !pair.includes('null')),
    'of several values all together; who has no row has no pair',
  )
  const byRow = await labelPairs(session, { use: use('CODE'), count: 'rows' }, both)
  t.equal(byRow?.length, 4)
  const bands = (width: number) => under({ AGE: { rule: 'band', width } })
  const ages = { use: use('AGE'), count: 'persons' } as const
  const nested = await labelPairs(session, ages, { earlier: bands(20), now: bands(10) })
  const side = sharedSideOf(
    (nested ?? []).map((pair) => ({ earlier: `${pair.earlier}`, now: `${pair.now}` })),
  )
  t.same(side?.earlier, 'same', 'the earlier one is the coarser')
  t.same(
    side?.now,
    new Map([
      ['0-9', '0-19'],
      ['10-19', '0-19'],
      ['20-29', '20-39'],
      ['30-39', '20-39'],
      ['null', 'null'],
    ]),
  )
  const crossed = await labelPairs(session, ages, { earlier: bands(20), now: bands(15) })
  t.equal(sharedSideOf((crossed ?? []) as { earlier: string; now: string }[]), undefined)
  const months = { use: use('diagnosis_month', 'persons'), count: 'persons' } as const
  const time = { earlier: under({}), now: under({}, { diagnosisTime: 'year' }) }
  t.same(sorted(await labelPairs(session, months, time)), [
    '{"earlier":"2020-01","now":"2020"}',
    '{"earlier":"2020-02","now":"2020"}',
    '{"earlier":"2020-03","now":"2020"}',
  ])
})
