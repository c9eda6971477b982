import { createSecretKey } from 'node:crypto'
import { type Test, test } from 'tap'
import type { Catalogue } from '../../src/catalogue/schema.ts'
import { sensitiveLists } from '../../src/catalogue/sensitive.ts'
import {
  disclosureReportOf,
  type Measured,
  requireDifferences,
  requireMeasures,
} from '../../src/core/disclosure-report.ts'
import { Refusal } from '../../src/core/errors.ts'
import { type Policy, policySchema, releasedColumns } from '../../src/core/policy.ts'
import { pseudonymsOf } from '../../src/core/pseudonym.ts'
import { differenceOf } from '../../src/engine/difference.ts'
import { measureClasses } from '../../src/engine/measure.ts'
import { measureRelease } from '../../src/engine/measure-release.ts'
import { findChangedPseudonyms } from '../../src/engine/pseudonym-changes.ts'
import { releasePersons } from '../../src/engine/release-persons.ts'
import { releaseRows } from '../../src/engine/release-rows.ts'
import { quoteText } from '../../src/engine/session.ts'
import { writeReleasePersons } from '../../src/engine/write-release-persons.ts'
import { openScratch, tableOf } from './scratch.ts'

const key = createSecretKey(Buffer.alloc(32, 3))
const catalogue: Catalogue = {
  name: 'test',
  version: '1',
  tables: {
    reg: tableOf({
      SEX: { type: 'code' },
      YM: { type: 'year-month' },
      REGION: { type: 'code', role: 'region' },
      STAGE: { type: 'code' },
      FDX: { type: 'date', role: 'diagnosis-date' },
    }),
    dx: tableOf({ CODE: { type: 'code', role: 'diagnosis' } }),
  },
}

const quasiIdentifiers = [
  { table: 'reg', column: 'SEX' },
  { table: 'reg', column: 'YM' },
  { table: 'reg', column: 'REGION' },
  { table: 'persons', column: 'diagnosis_month' },
]

function policyOf(measures: object): Policy {
  return policySchema.parse({
    name: 'p',
    version: '1',
    type: 'A',
    dates: 'relative',
    diagnosisTime: 'year',
    measures: { quasiIdentifiers, k: 5, ...measures },
    tables: {
      reg: {
        columns: {
          SEX: { rule: 'keep' },
          YM: { rule: 'truncate', length: 3 },
          REGION: { rule: 'region' },
          STAGE: { rule: 'keep' },
        },
      },
      dx: { columns: { CODE: { rule: 'truncate', length: 3 } } },
    },
  })
}

function measuresOf({ measures }: Policy): NonNullable<Policy['measures']> {
  if (!measures) throw new Error('no measures')
  return measures
}

const persons = 3_000

/** A cohort of 3,000 with one or two tumours each, and diagnoses, one in a hundred of them a sensitive one. */
async function prepared(t: Test) {
  const scratch = await openScratch(t)
  const { session, path } = scratch
  const write = (name: string, query: string) =>
    session.run(`copy (${query}) to ${quoteText(path(name))} (format parquet)`)
  await write(
    'linked.parquet',
    `select r::integer as ordinal, md5(r::varchar)::uuid as person from range(${persons}) v(r)`,
  )
  await write(
    'reg.parquet',
    `select r::integer as ordinal, (1 + hash(r) % 2)::varchar as SEX,
       (1940 + hash(r, 1) % 50)::varchar || '-01' as YM,
       if(tumour = 1, 11 + hash(r, 2) % 4, 26)::varchar || '110' as REGION,
       (hash(r, 3) % 3)::varchar as STAGE, date '2015-01-01' + (hash(r, 4) % 1400)::integer as FDX
     from range(${persons}) v(r), (values (1), (2)) w(tumour)
     where tumour = 1 or r % 50 = 0`,
  )
  await write(
    'dx.parquet',
    `select (n % ${persons})::integer as ordinal,
       if(hash(n, 5) % 100 = 0, 'F32.9', 'A0' || (hash(n) % 10)::varchar || '.1') as CODE
     from range(${3 * persons}) v(n)`,
  )
  await releasePersons(session, {
    persons: path('linked.parquet'),
    diagnoses: [{ file: path('reg.parquet'), column: 'FDX' }],
    pseudonymsOf: (column) => pseudonymsOf(key, column),
    output: path('everybody.parquet'),
  })
  const measure = async (policy: Policy): Promise<Measured> => {
    const measures = measuresOf(policy)
    const tables = ['reg', 'dx'].map((name) => [
      name,
      {
        files: [path(`${name}.parquet`)],
        table: catalogue.tables[name],
        columns: releasedColumns(policy, catalogue, name),
        rules: { dates: policy.dates },
      },
    ])
    const measured = await measureRelease(session, {
      persons: path('everybody.parquet'),
      measures,
      diagnosisTime: 'year',
      tables: Object.fromEntries(tables),
      sensitive: Object.values(sensitiveLists().classes),
    })
    await writeReleasePersons(session, {
      persons: path('everybody.parquet'),
      isMeasured: true,
      isSuppressed: measured.suppressed !== undefined,
      cuts: {},
      output: path('persons.parquet'),
    })
    return measured
  }
  return { ...scratch, measure }
}

function faultOf(act: () => void): Readonly<Record<string, string | number>> {
  try {
    act()
  } catch (error) {
    if (error instanceof Refusal && error.code === 'policy-refused') return error.details
    throw error
  }
  throw new Error('nothing was refused')
}

const cells = [quasiIdentifiers[3], quasiIdentifiers[2]]
const suppression = { cells, cellsMaxShare: 0.5, recordsMaxShare: 0.1 }

test('what is measured is what leaves', async (t) => {
  const { session, path, measure } = await prepared(t)
  const sensitive = [{ table: 'reg', column: 'STAGE' }]
  const sets = [{ table: 'dx', column: 'CODE' }]
  const policy = policyOf({ suppression, sensitive, sets })
  const measured = await measure(policy)
  t.equal(measured.before.records, persons)
  t.ok(measured.before.uniques > measured.underRules.uniques && measured.underRules.uniques > 0)
  t.ok(measured.after.smallest >= 5)
  const lost = measured.suppressed?.records ?? 0
  t.equal(measured.after.records, persons - lost)
  t.ok((measured.suppressed?.cellsOf['persons.diagnosis_month'] ?? 0) > 0)
  requireMeasures(measuresOf(policy), measured)

  const table = catalogue.tables['reg']
  if (!table) throw new Error('no table')
  const { counts } = await releaseRows(session, {
    part: path('reg.parquet'),
    persons: path('persons.parquet'),
    tableName: 'reg',
    table,
    columns: releasedColumns(policy, catalogue, 'reg'),
    parquet: path('out.parquet'),
  })
  t.equal(counts.rows + counts.otherPersons, persons + persons / 50)
  // From the released rows alone: one record a person, all its values together.
  await session.run(`create temp table seen as
    select pseudonym, ${['SEX', 'YM', 'REGION']
      .map(
        (name) =>
          `nullif(array_to_string(list_sort(list_distinct(list("${name}"))), '|'), '') as "${name}"`,
      )
      .join(', ')}, max(if(hidden & 8 = 0, left(anchor_month, 4), null)) as seen_year
    from read_parquet(${quoteText(path('out.parquet'))}) as out
    join read_parquet(${quoteText(path('persons.parquet'))}) as list using (pseudonym)
    group by pseudonym`)
  const again = await measureClasses(session, {
    from: 'seen',
    quasiIdentifiers: ['SEX', 'YM', 'REGION', 'seen_year'],
    thresholds: [3, 5, 10],
  })
  t.same(again, measured.after)

  const [stage] = measured.sensitive
  t.ok((stage?.after.distinctL ?? 0) >= (stage?.before.distinctL ?? 9))
  const [set] = measured.sets
  t.match(set?.before, { persons, codes: 11 })
  t.equal(set?.after.codes, 10, 'a sensitive code does not leave and is not measured as if it did')
})

test('refuses a release below k, or one that hides more than declared', async (t) => {
  const { measure } = await prepared(t)
  const bare = policyOf({})
  const measured = await measure(bare)
  t.equal(measured.suppressed, undefined)
  t.match(
    faultOf(() => requireMeasures(measuresOf(bare), measured)),
    { fault: 'persons in classes below k', k: 5, persons: Number },
  )
  const tight = policyOf({ suppression: { cellsMaxShare: 0, recordsMaxShare: 0.01 } })
  const cut = await measure(tight)
  t.ok(cut.after.smallest >= 5)
  t.match(
    faultOf(() => requireMeasures(measuresOf(tight), cut)),
    { fault: 'more persons suppressed than declared', persons: cut.suppressed?.records },
  )
  for (const bounds of [{ distinctLMin: 4 }, { entropyLMin: 3 }, { tMax: 0.01 }]) {
    const sensitive = [{ table: 'reg', column: 'STAGE', ...bounds }]
    const policy = policyOf({ suppression, sensitive })
    const found = await measure(policy)
    t.match(
      faultOf(() => requireMeasures(measuresOf(policy), found)),
      { column: 'STAGE' },
    )
  }
})

test('refuses a release that singles out a few beside an earlier one', async (t) => {
  const { session, path, measure } = await prepared(t)
  const policy = policyOf({ suppression })
  await measure(policy)
  for (const [name, more] of [
    ['same', 0],
    ['few', 3],
    ['many', 50],
  ] as const) {
    await session.run(`copy (select * from read_parquet(${quoteText(path('persons.parquet'))})
      limit (select count(*) - ${more} from read_parquet(${quoteText(path('persons.parquet'))})))
      to ${quoteText(path(`${name}.parquet`))} (format parquet)`)
  }
  const these = path('persons.parquet')
  await findChangedPseudonyms(session, { changes: undefined, pseudonymTextsOf: () => [] })
  const differenceTo = (name: string) =>
    differenceOf(session, { earlier: path(`${name}.parquet`), these, version: 0 })
  t.same(await differenceTo('same'), { onlyThis: 0, onlyEarlier: 0 })
  const few = await differenceTo('few')
  t.same(few, { onlyThis: 3, onlyEarlier: 0 })
  t.same(
    faultOf(() => requireDifferences(policy, [few])),
    { fault: 'differs from earlier releases by too few persons', k: 5, releases: 1 },
  )
  requireDifferences(policy, [await differenceTo('same'), await differenceTo('many')])
})

test('the report names what was counted and how, and no value', async (t) => {
  const { measure } = await prepared(t)
  const policy = policyOf({ suppression, missing: 'matches-all' })
  const measured = await measure(policy)
  const lists = sensitiveLists()
  const report = disclosureReportOf({ policy, lists, measured, differences: [], tables: [] })
  t.match(report, {
    report: 'gyeol-disclosure-1',
    measured: { k: 5, missing: 'matches-all', after: { smallest: Number } },
    sensitiveClasses: { status: "needs a clinician's sign-off", included: [] },
  })
  t.notMatch(JSON.stringify(report), /F32|A0\d|2015/)
})
