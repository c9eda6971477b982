import { test } from 'tap'
import { defaultCatalogue } from '../../src/catalogue/load.ts'
import { sensitiveLists } from '../../src/catalogue/sensitive.ts'
import { Refusal } from '../../src/core/errors.ts'
import { examplePolicies } from '../../src/core/example-policies.ts'
import { type Policy, policySchema, releasedColumns } from '../../src/core/policy.ts'
import { checkPolicy } from '../../src/core/policy-check.ts'

const catalogue = defaultCatalogue()
const lists = sensitiveLists()

function faultOf(policy: Policy): Readonly<Record<string, string | number>> {
  try {
    checkPolicy(policy, catalogue, lists)
  } catch (error) {
    if (error instanceof Refusal && error.code === 'policy-refused') return error.details
    throw error
  }
  throw new Error('the policy was taken')
}

function changed(name: string, change: (policy: Policy) => void): Policy {
  const policy = structuredClone(examplePolicies().get(name))
  if (!policy) throw new Error('no such example')
  change(policy)
  return policySchema.parse(policy)
}

const breast = 'breast-cancer-survival'
const covid = 'covid-19-vaccination-cancer'

test('the example policies fit the default catalogue and name k and quasi-identifiers', (t) => {
  const policies = [...examplePolicies().values()]
  t.same(
    policies.map(({ name }) => name),
    [breast, covid, 'cancer-counts'],
  )
  for (const policy of policies) {
    checkPolicy(policy, catalogue, lists)
    if (policy.type === 'B') continue
    t.ok((policy.measures?.k ?? 0) >= 5)
    t.ok((policy.measures?.quasiIdentifiers.length ?? 0) >= 4)
    for (const table of Object.keys(policy.tables)) {
      for (const { name, rule, column } of releasedColumns(policy, catalogue, table)) {
        const isNumber = /-number$/.test(column.role ?? '') && column.role !== 'line-number'
        t.ok(!isNumber || rule.rule === 'rekey', `${table}.${name} leaves as a number of its own`)
      }
    }
  }
  t.end()
})

test('under shift, refuses what cannot be shifted and anchors that nobody decided about', (t) => {
  const year = changed(covid, (policy) => {
    const columns = policy.tables['registration']?.columns
    if (columns) columns['REG_YYYY'] = { rule: 'keep' }
  })
  t.match(faultOf(year), { table: 'registration', column: 'REG_YYYY' })
  const unnamed = changed(covid, (policy) => {
    policy.anchors?.pop()
  })
  t.match(faultOf(unnamed), { table: 'statement', column: 'RECU_FR_DD' })
  const noRole = changed(covid, (policy) => {
    policy.anchors = policy.anchors?.filter(({ column }) => column !== 'CNFM_DD') ?? []
  })
  t.match(faultOf(noRole), { table: 'covid_case', column: 'CNFM_DD' })
  const noDate = changed(covid, (policy) => {
    policy.anchors?.push({ table: 'death', column: 'CAUS_CD', action: 'remove' })
  })
  t.match(faultOf(noDate), { table: 'death', column: 'CAUS_CD' })
  const needless = changed(breast, (policy) => {
    policy.anchors = [{ table: 'death', column: 'DTH_DD', action: 'remove' }]
  })
  t.match(faultOf(needless), { fault: 'anchors without shift' })
  t.end()
})

test('refuses measures of what does not leave, and classes that do not exist', (t) => {
  const dropped = changed(breast, (policy) => {
    policy.measures?.quasiIdentifiers.push({
      table: 'registration',
      column: 'METH_CD',
      take: 'all',
    })
  })
  t.match(faultOf(dropped), { table: 'registration', column: 'METH_CD' })
  const twice = changed(breast, (policy) => {
    policy.measures?.quasiIdentifiers.push({ table: 'registration', column: 'SEX', take: 'least' })
  })
  t.match(faultOf(twice), { column: 'SEX', fault: 'named twice' })
  const cells = changed(breast, (policy) => {
    policy.measures?.suppression?.cells.push({ table: 'registration', column: 'SEER_CD' })
  })
  t.match(faultOf(cells), { column: 'SEER_CD' })
  const month = changed(covid, (policy) => {
    policy.measures?.quasiIdentifiers.push({
      table: 'persons',
      column: 'diagnosis_month',
      take: 'all',
    })
  })
  t.match(faultOf(month), { table: 'persons' })
  const decision = { decision: 'IRB 2026-1', decidedOn: '2026-01-31' }
  const unknown = changed(breast, (policy) => {
    policy.sensitive = { include: [{ class: 'constructor', ...decision }] }
  })
  t.match(faultOf(unknown), { class: 'constructor' })
  checkPolicy(
    changed(breast, (policy) => {
      policy.sensitive = { include: [{ class: 'hiv', ...decision }] }
    }),
    catalogue,
    lists,
  )
  const undecided = { include: [{ class: 'hiv' }] }
  t.notOk(
    policySchema.safeParse({ ...examplePolicies().get(breast), sensitive: undecided }).success,
  )
  t.end()
})

test('refuses hierarchies that are none, and levels they do not have', (t) => {
  const withHierarchy = (csv: string, level: number, of = 'h') =>
    changed(breast, (policy) => {
      policy.hierarchies = { h: { csv, delimiter: ';' } }
      const columns = policy.tables['registration']?.columns
      if (columns) columns['GRAD_CD'] = { rule: 'hierarchy', of, level }
    })
  checkPolicy(withHierarchy('1;low\n2;low\n', 1), catalogue, lists)
  t.match(faultOf(withHierarchy('1;low\n2;low\n', 2)), { column: 'GRAD_CD' })
  t.match(faultOf(withHierarchy('1;low\n', 1, 'other')), { fault: 'unknown hierarchy' })
  for (const csv of ['1;low\n2\n', '1;low\n1;high\n', ';low\n', '"1;low\n', '"1"x;low\n', '\n']) {
    t.match(faultOf(withHierarchy(csv, 1)), { hierarchy: 'h' }, JSON.stringify(csv))
  }
  t.end()
})
