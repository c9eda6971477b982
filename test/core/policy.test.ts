import { test } from 'tap'
import type { Catalogue } from '../../src/catalogue/schema.ts'
import { sensitiveLists } from '../../src/catalogue/sensitive.ts'
import { Refusal } from '../../src/core/errors.ts'
import { policySchema, releasedColumns } from '../../src/core/policy.ts'
import { checkPolicy } from '../../src/core/policy-check.ts'

const title = { en: 'x', ko: 'x' }
const catalogue: Catalogue = {
  name: 'test',
  version: '1',
  tables: {
    death: {
      agency: 'kostat',
      title,
      badRowsMaxShare: 0,
      columns: {
        DAY: { type: 'date', title },
        CAUSE: { type: 'code', title },
        AGE: { type: 'integer', title },
        WEIGHT: { type: 'decimal', title },
        AT: { type: 'timestamp', title },
        YM: { type: 'year-month', title },
      },
    },
  },
}

function policyOf(tables: unknown): ReturnType<typeof policySchema.parse> {
  return policySchema.parse({ name: 'p', version: '1', type: 'A', dates: 'relative', tables })
}

function faultOf(tables: unknown): Readonly<Record<string, string | number>> {
  try {
    checkPolicy(policyOf(tables), catalogue, sensitiveLists())
  } catch (error) {
    if (error instanceof Refusal && error.code === 'policy-refused') return error.details
    throw error
  }
  throw new Error('the policy was taken')
}

test('takes a policy that fits, and gives its columns in the order of the catalogue', (t) => {
  const policy = policyOf({
    death: {
      columns: {
        AGE: { rule: 'band', width: 5, top: 85 },
        CAUSE: { rule: 'truncate', length: 3 },
        DAY: { rule: 'date' },
        WEIGHT: { rule: 'keep' },
        YM: { rule: 'drop' },
      },
      where: { column: 'DAY', fromYear: 2012, toYear: 2023 },
    },
  })
  checkPolicy(policy, catalogue, sensitiveLists())
  t.same(
    releasedColumns(policy, catalogue, 'death').map(({ name, type }) => [name, type]),
    [
      ['DAY', 'integer'],
      ['CAUSE', 'string'],
      ['AGE', 'string'],
      ['WEIGHT', 'number'],
    ],
  )
  t.same(policy.formats, ['parquet'])
  t.end()
})

test('refuses what the catalogue does not have, naming table and column', (t) => {
  const keep = { rule: 'keep' }
  t.match(faultOf({}), { fault: 'no table' })
  t.match(faultOf({ birth: { columns: {} } }), { table: 'birth', fault: 'unknown table' })
  t.match(faultOf({ death: { columns: { NAME: keep } } }), { table: 'death', column: 'NAME' })
  t.match(faultOf({ toString: { columns: {} } }), { fault: 'unknown table' })
  t.match(faultOf({ death: { columns: { constructor: keep } } }), { fault: 'unknown column' })
  const where = { column: 'NAME', fromYear: 2000, toYear: 2001 }
  t.match(faultOf({ death: { columns: {}, where } }), { column: 'NAME', fault: 'unknown column' })
  t.end()
})

test('refuses a rule that does not fit its column', (t) => {
  const cases: [string, object][] = [
    ['DAY', { rule: 'keep' }],
    ['AT', { rule: 'keep' }],
    ['DAY', { rule: 'truncate', length: 4 }],
    ['CAUSE', { rule: 'date' }],
    ['CAUSE', { rule: 'band', width: 5 }],
    ['WEIGHT', { rule: 'band', width: 5 }],
    ['YM', { rule: 'date' }],
    ['AGE', { rule: 'truncate', length: 1 }],
  ]
  for (const [column, rule] of cases) {
    t.match(faultOf({ death: { columns: { [column]: rule } } }), { table: 'death', column })
  }
  const backwards = { column: 'DAY', fromYear: 2020, toYear: 2019 }
  t.match(faultOf({ death: { columns: {}, where: backwards } }), { fault: 'years end first' })
  const yearless = { column: 'CAUSE', fromYear: 2019, toYear: 2020 }
  t.match(faultOf({ death: { columns: {}, where: yearless } }), { column: 'CAUSE' })
  t.end()
})

test('refuses documents with unknown rules, fields and kinds', (t) => {
  const document = { name: 'p', version: '1', type: 'A', dates: 'relative', tables: {} }
  t.ok(policySchema.safeParse(document).success)
  for (const change of [
    { type: 'C' },
    { dates: 'clear' },
    { extra: 1 },
    { formats: [] },
    { name: '../p' },
    { tables: { death: { columns: { DAY: { rule: 'shuffle' } } } } },
    { tables: { death: { columns: { AGE: { rule: 'band', width: 5, bottom: 1 } } } } },
  ]) {
    t.notOk(policySchema.safeParse({ ...document, ...change }).success, JSON.stringify(change))
  }
  t.end()
})
