import { test } from 'tap'
import { catalogueOf, defaultCatalogue } from '../../src/catalogue/load.ts'
import type { Refusal } from '../../src/core/errors.ts'
import { refused } from '../support/refused.ts'

const title = { en: 'x', ko: '엑스' }

function withColumn(column: object, name = 'MID'): object {
  const table = { agency: 'hira', title, columns: { [name]: column } }
  return { name: 'small', version: '1', tables: { statement: table } }
}

const refusalOf = (document: unknown): Refusal => refused(() => catalogueOf(document))

test('the default catalogue holds the ten person tables of the five agencies', async (t) => {
  const { tables } = defaultCatalogue()
  const byAgency: Record<string, string[]> = {}
  for (const [name, table] of Object.entries(tables)) {
    byAgency[table.agency] = [...(byAgency[table.agency] ?? []), name]
  }
  t.same(byAgency, {
    ncc: ['registration'],
    nhis: ['eligibility', 'screening'],
    hira: ['statement', 'treatment', 'diagnosis', 'prescription'],
    kostat: ['death'],
    kdca: ['covid_case', 'vaccination'],
  })
})

test('the default catalogue names the columns that report and release rules need', async (t) => {
  const { tables } = defaultCatalogue()
  const roleOf = (table: string, column: string) => tables[table]?.columns[column]?.role
  t.equal(roleOf('registration', 'FDX_DD'), 'diagnosis-date')
  t.equal(roleOf('registration', 'TOPO_CD'), 'cancer-site')
  t.equal(roleOf('registration', 'BIRTH_YM'), 'birth-year-month')
  t.equal(roleOf('statement', 'RECU_FR_DD'), 'service-date')
  t.equal(roleOf('statement', 'SSICK_CD'), 'secondary-diagnosis')
  t.equal(roleOf('death', 'DTH_DD'), 'death-date')
  t.equal(roleOf('vaccination', 'VACC_DD'), 'vaccination-date')
})

test('the share of bad rows is one in a hundred unless a table says otherwise', async (t) => {
  const catalogue = catalogueOf(withColumn({ type: 'code', title }))
  t.equal(catalogue.tables['statement']?.badRowsMaxShare, 0.01)
})

test('the order of the columns is the order of the document', async (t) => {
  t.same(Object.keys(defaultCatalogue().tables['covid_case']?.columns ?? {}), [
    'CNFM_DD',
    'SIDO_CD',
    'SEVR_CD',
    'REIN_YN',
  ])
})

const faults: [string, object, string?][] = [
  ['a format on a code', { type: 'code', format: 'YYYYMMDD', title }],
  ['a code list on a text', { type: 'text', codes: ['1'], title }],
  ['a code listed twice', { type: 'code', codes: ['1', '1'], title }],
  ['a label of an unknown code', { type: 'code', codes: ['1'], labels: { '2': title }, title }],
  ['bounds on a date', { type: 'date', min: 1, title }],
  ['bounds the wrong way round', { type: 'integer', min: 2, max: 1, title }],
  ['a broken pattern', { type: 'code', pattern: '[', title }],
  ['a pattern that only a backtracking engine can run', { type: 'code', pattern: 'a(?!b)', title }],
  ['a greatest length of a number', { type: 'integer', lengthMax: 3, title }],
  ['an unknown type', { type: 'blob', title }],
  ['an unknown role', { type: 'code', role: 'secret', title }],
  ['an unknown property', { type: 'code', titel: 'x', title }],
  ['a missing Korean title', { type: 'code', title: { en: 'x' } }],
  ['a name kept for the service', { type: 'code', title }, 'Serial'],
  ['a name with a quote', { type: 'code', title }, 'a"b'],
]

for (const [what, column, name] of faults) {
  test(`refuses ${what} and names table and column`, async (t) => {
    const refusal = refusalOf(withColumn(column, name))
    t.equal(refusal.code, 'input-malformed')
    t.match(refusal.details, { table: 'statement', column: name ?? 'MID', faults: 1 })
  })
}

test('refuses two columns that differ in case only', async (t) => {
  const table = {
    agency: 'hira',
    title,
    columns: { MID: { type: 'code', title }, Mid: { type: 'code', title } },
  }
  const refusal = refusalOf({ name: 'small', version: '1', tables: { statement: table } })
  t.match(refusal.details, { table: 'statement', column: 'Mid' })
})

test('refuses a second date of death in one table', async (t) => {
  const date = { type: 'date', role: 'death-date', title }
  const table = { agency: 'kostat', title, columns: { A_DD: date, B_DD: date } }
  const refusal = refusalOf({ name: 'small', version: '1', tables: { death: table } })
  t.match(refusal.details, { table: 'death', column: 'B_DD' })
})

test('refuses a catalogue without tables, and a table without columns', async (t) => {
  t.match(refusalOf({ name: 'small', version: '1', tables: {} }).code, 'input-malformed')
  const table = { agency: 'hira', title, columns: {} }
  const refusal = refusalOf({ name: 'small', version: '1', tables: { statement: table } })
  t.match(refusal.details, { table: 'statement' })
})
