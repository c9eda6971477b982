import { test } from 'tap'
import { defaultCatalogue } from '../../src/catalogue/load.ts'
import { sensitiveLists } from '../../src/catalogue/sensitive.ts'
import { Refusal } from '../../src/core/errors.ts'
import { type Policy, policySchema } from '../../src/core/policy.ts'
import { checkPolicy } from '../../src/core/policy-check.ts'
import { dimensionsOf } from '../../src/core/policy-kind.ts'

const registration = {
  columns: {
    SEX: { rule: 'keep' },
    SIDO_CD: { rule: 'region' },
    BIRTH_YM: { rule: 'truncate', length: 3 },
    TOPO_CD: { rule: 'truncate', length: 3 },
  },
}
const sex = { table: 'registration', column: 'SEX' }
const region = { table: 'registration', column: 'SIDO_CD' }
const counts = { place: { rows: sex, columns: region } }

function policyOf(more: object): Policy {
  const tables = { registration }
  const base = { name: 'b', version: '1', type: 'B', dates: 'relative', microdata: 'none', tables }
  return policySchema.parse({ ...base, counts, ...more })
}

function faultOf(policy: Policy): Readonly<Record<string, string | number>> {
  try {
    checkPolicy(policy, defaultCatalogue(), sensitiveLists())
  } catch (error) {
    if (error instanceof Refusal && error.code === 'policy-refused') return error.details
    throw error
  }
  return {}
}

test('takes tables of counts alone, and beside rows that are measured strictly', async (t) => {
  t.same(faultOf(policyOf({})), {})
  const month = { table: 'persons', column: 'diagnosis_month' }
  t.same(faultOf(policyOf({ counts: { time: { rows: sex, columns: month } } })), {})
  const { microdata: _, ...rest } = policyOf({
    measures: { quasiIdentifiers: [sex, region], k: 10 },
  })
  t.same(faultOf(rest), {})
})

test('kind B has stricter numbers than kind A, and kind A no tables of counts', async (t) => {
  const { microdata: _, ...rows } = policyOf({})
  t.match(faultOf(rows), { fault: 'rows of kind B without measures' })
  const measures = (more: object) => ({ quasiIdentifiers: [sex, region], k: 10, ...more })
  const withRows = (more: object): Policy => {
    const { microdata: __, ...policy } = policyOf({ measures: measures(more) })
    return policy
  }
  t.match(faultOf(withRows({ k: 9 })), { fault: 'k below the least of kind B', least: 10 })
  t.match(faultOf(withRows({ differenceMin: 5 })), { fault: 'k below the least of kind B' })
  t.match(faultOf(withRows({ quasiIdentifiers: [sex] })), {
    counts: 'place',
    table: 'registration',
    column: 'SIDO_CD',
    fault: 'counted by what is no quasi-identifier',
  })
  const low = { place: { ...counts.place, threshold: 9 } }
  t.match(faultOf(policyOf({ counts: low })), { fault: 'threshold below the least', least: 10 })
  t.match(faultOf(policyOf({ type: 'A' })), { fault: 'tables of counts are of kind B' })
  t.match(faultOf(policyOf({ counts: {} })), { fault: 'nothing leaves' })
  const kindA = policyOf({ type: 'A', measures: measures({ k: 5 }) })
  const { microdata: ___, counts: ____, ...plain } = kindA
  t.same(faultOf(plain), {}, 'what kind A may')
})

test('refuses a table of counts by what cannot be counted by', async (t) => {
  const by = (rows: object, columns: object, more = {}): Policy =>
    policyOf({ counts: { place: { rows, columns, ...more } } })
  t.match(faultOf(by(sex, sex)), { counts: 'place', fault: 'a column by itself' })
  const unknown = { table: 'registration', column: 'HOSP_NO' }
  t.match(faultOf(by(sex, unknown)), { fault: 'counted by what does not leave' })
  const month = { table: 'persons', column: 'diagnosis_month' }
  t.match(faultOf(by(sex, month, { count: 'rows' })), { fault: 'rows of two tables' })
  const twice = { ...counts, again: { rows: region, columns: sex } }
  t.match(faultOf(policyOf({ counts: twice })), { counts: 'again', fault: 'the same table twice' })
  const ofRows = { ...counts, again: { count: 'rows', rows: region, columns: sex } }
  t.same(faultOf(policyOf({ counts: ofRows })), {}, 'rows and persons are two tables')
})

test('two tables are of the same dimensions by column and rule, whichever stands above', async (t) => {
  const of = (policy: Policy, name = 'place'): string => {
    const asked = policy.counts?.[name]
    if (!asked) throw new Error('no such table')
    return dimensionsOf(policy, asked)
  }
  const turned = policyOf({ counts: { place: { rows: region, columns: sex } } })
  t.equal(of(policyOf({})), of(turned))
  t.equal(of(policyOf({})), of(policyOf({ name: 'other', persons: {} })))
  const coarser = { registration: { columns: { ...registration.columns, SEX: { rule: 'drop' } } } }
  t.not(of(policyOf({})), of(policyOf({ tables: coarser })))
  const rows = policyOf({ counts: { place: { ...counts.place, count: 'rows' } } })
  t.not(of(policyOf({})), of(rows))
})
