import { test } from 'tap'
import { policySchema, releasedColumns } from '../../src/core/policy.ts'
import { countCells } from '../../src/engine/count-cells.ts'
import { quoteText } from '../../src/engine/session.ts'
import { openScratch, tableOf } from './scratch.ts'

const table = tableOf({
  SEX: { type: 'code' },
  CODE: { type: 'code', role: 'diagnosis' },
  YEAR: { type: 'integer', role: 'year' },
})
const catalogue = { name: 'test', version: '1', tables: { dx: table } }
const sex = { table: 'dx', column: 'SEX' }
const code = { table: 'dx', column: 'CODE' }
const month = { table: 'persons', column: 'diagnosis_month' }

test('counts what leaves: after rules, scope, sensitive classes and suppression', async (t) => {
  const { session, path } = await openScratch(t)
  const write = (name: string, query: string) =>
    session.run(`copy (${query}) to ${quoteText(path(name))} (format parquet)`)
  // The person 3 has their code hidden, the person 4 is left out of the release, 5 has no row.
  await write(
    'persons.parquet',
    `select * from (values (1, '2020-01', 0), (2, '2020-02', 0), (3, '2020-02', 2), (5, null, 4))
     v(ordinal, anchor_month, hidden)`,
  )
  await write(
    'dx.parquet',
    `select * from (values (1, '1', 'A01', 2020), (1, '1', 'B02', 2020), (2, '2', 'A01', 2020),
       (2, '2', 'F32', 2020), (2, '2', 'A01', 1990), (3, '2', 'A01', 2020), (4, '1', 'A01', 2020))
     v(ordinal, "SEX", "CODE", "YEAR")`,
  )
  const cells = async (asked: object): Promise<unknown[]> => {
    const policy = policySchema.parse({
      ...{ name: 'p', version: '1', type: 'B', dates: 'relative', microdata: 'none' },
      counts: { one: asked },
      measures: { quasiIdentifiers: [sex, code, month], k: 10 },
      tables: {
        dx: {
          columns: { SEX: { rule: 'keep' }, CODE: { rule: 'truncate', length: 1 } },
          where: { column: 'YEAR', fromYear: 2010, toYear: 2025 },
        },
      },
    })
    const one = policy.counts?.['one']
    if (!one) throw new Error('no such table')
    const columns = releasedColumns(policy, catalogue, 'dx')
    const where = policy.tables['dx']?.where
    const known = { files: [path('dx.parquet')], table, columns, rules: { dates: policy.dates } }
    const found = await countCells(session, {
      persons: path('persons.parquet'),
      asked: one,
      tables: { dx: { ...known, ...(where && { where }) } },
      sensitive: [
        {
          ...{ title: table.title, diagnoses: ['F32'] },
          specialBenefits: [],
          drugs: [],
          procedures: [],
        },
      ],
      diagnosisTime: 'month',
      diagnosisPlace: 2,
    })
    return found
      .map(({ row, column, count, persons }) => [row, column, count, persons].join(' '))
      .sort()
  }
  t.same(
    await cells({ rows: sex, columns: code }),
    ['  1 1', '1 A|B 1 1', '2  1 1', '2 A 1 1'],
    'each person once, by all values together',
  )
  const least = { ...code, take: 'least' }
  t.ok((await cells({ rows: sex, columns: least })).includes('1 A 1 1'))
  t.same(await cells({ count: 'rows', rows: sex, columns: code }), [
    '1 A 1 1',
    '1 B 1 1',
    '2  1 1',
    '2 A 1 1',
  ])
  t.same(await cells({ rows: month, columns: sex }), ['  1 1', '2020-01 1 1 1', '2020-02 2 2 2'])
})
