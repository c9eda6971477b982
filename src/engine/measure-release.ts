/**
 * The persons of a release, one row each, as a reader of the release could know them: the values of the quasi-identifiers
 * that the policy names, assembled from the parts of a cohort by the same expressions that the release is built with. So
 * what is measured is what leaves. Then suppression, and the measures again; the list of persons comes out without those
 * who are left out, and with a mark for every cell that is hidden.
 */
import type { Measured, SetMeasures, Suppressed } from '../core/disclosure-report.ts'
import type { Policy } from '../core/policy.ts'
import type { PolicyMeasures } from '../core/policy-sections.ts'
import { measureClasses } from './measure.ts'
import { measureSensitive } from './measure-sensitive.ts'
import { measureSets } from './measure-sets.ts'
import { type KnownPersons, tableSql, type Use, valuesSql } from './person-values.ts'
import { quoteIdentifier, quoteText, type Session } from './session.ts'
import { suppress } from './suppress.ts'

export type MeasureRelease = KnownPersons & {
  measures: PolicyMeasures
  diagnosisTime: NonNullable<Policy['diagnosisTime']>
}

/** Below which k the report counts, beside the policy's own. */
const thresholds = [3, 5, 10]

/**
 * Measures and suppresses. Afterwards the session has the table gyeol_after with who is kept: ordinal, what was measured,
 * and, when the policy suppresses, hidden.
 */
export async function measureRelease(session: Session, of: MeasureRelease): Promise<Measured> {
  const { measures } = of
  const uses = usesOf(measures)
  await assemble(session, of, uses)
  const quasiIdentifiers = measures.quasiIdentifiers.map(nameOf)
  const classes = {
    quasiIdentifiers,
    thresholds: [...thresholds, measures.k],
    missing: measures.missing,
  }
  const before = await measureClasses(session, { ...classes, from: 'gyeol_before' })
  const underRules = await measureClasses(session, { ...classes, from: 'gyeol_after' })
  const suppressed = measures.suppression && (await suppressedBy(session, measures))
  const after = await measureClasses(session, { ...classes, from: 'gyeol_after' })
  const sensitive: Measured['sensitive'] = []
  for (const { table, column } of measures.sensitive) {
    const named = { quasiIdentifiers, column: nameOf({ table, column }) }
    sensitive.push({
      table,
      before: await measureSensitive(session, { ...named, from: 'gyeol_before' }),
      after: await measureSensitive(session, { ...named, from: 'gyeol_after' }),
    })
  }
  const sets: Measured['sets'] = []
  for (const { table, column } of measures.sets) {
    sets.push({ table, column, ...(await setsOf(session, of, { table, column })) })
  }
  return { before, underRules, after, suppressed, sensitive, sets }
}

function usesOf(measures: PolicyMeasures): Use[] {
  const sensitive = measures.sensitive.map(({ table, column }) => ({ table, column }))
  const uses = [
    ...measures.quasiIdentifiers,
    ...sensitive.map((each) => ({ ...each, take: 'all' as const })),
  ]
  return uses.filter(
    (use, index) => uses.findIndex((other) => nameOf(other) === nameOf(use)) === index,
  )
}

function nameOf({ table, column }: { table: string; column: string }): string {
  return `${table}.${column}`
}

async function suppressedBy(session: Session, measures: PolicyMeasures): Promise<Suppressed> {
  const { cells = [], cellsMaxShare = 0 } = measures.suppression ?? {}
  return await suppress(session, {
    table: 'gyeol_after',
    quasiIdentifiers: measures.quasiIdentifiers.map(nameOf),
    k: measures.k,
    cells: cells.map(nameOf),
    cellsMaxShare,
  })
}

/** Two tables of the session, one row a person of the list: as it was, and as it would leave without suppression. */
async function assemble(session: Session, of: MeasureRelease, uses: readonly Use[]): Promise<void> {
  const tables = [...new Set(uses.map(({ table }) => table))]
  for (const [index, table] of tables.entries()) {
    const sql =
      table === 'persons'
        ? personsSql(of)
        : tableSql(of, {
            table,
            uses: uses.filter((use) => use.table === table),
            together: 'digest',
          })
    await session.run(`create or replace temp table gyeol_table_${index} as ${sql}`)
  }
  const joins = tables.map(
    (_, index) => `left join gyeol_table_${index} as t${index} using (ordinal)`,
  )
  for (const when of ['before', 'after']) {
    const columns = uses.map((use) => {
      const source = `t${tables.indexOf(use.table)}.${quoteIdentifier(`${when} ${use.column}`)}`
      return `${source} as ${quoteIdentifier(nameOf(use))}`
    })
    await session.run(`
      create or replace temp table gyeol_${when} as
      select ${['ordinal', ...columns].join(', ')}
      from read_parquet(${quoteText(of.persons)}) ${joins.join(' ')}`)
  }
  for (const index of tables.keys()) await session.run(`drop table gyeol_table_${index}`)
}

function personsSql({ persons, diagnosisTime }: MeasureRelease): string {
  return `select ordinal, anchor::varchar as "before diagnosis_month",
      ${diagnosisSql(diagnosisTime)} as "after diagnosis_month"
    from read_parquet(${quoteText(persons)})`
}

/** What the table of persons shows of the anchor. */
export function diagnosisSql(time: NonNullable<Policy['diagnosisTime']>): string {
  if (time === 'none') return 'null::varchar'
  return time === 'year' ? 'left(anchor_month, 4)' : 'anchor_month'
}

async function setsOf(
  session: Session,
  of: MeasureRelease,
  { table, column }: { table: string; column: string },
): Promise<{ before: SetMeasures; after: SetMeasures }> {
  const rows = valuesSql(of, table, [column])
  const { k } = of.measures
  const named = { person: 'ordinal', k }
  const kept = `(select * from (${rows}) semi join gyeol_after using (ordinal))`
  return {
    before: await measureSets(session, { ...named, from: `(${rows})`, code: `before ${column}` }),
    after: await measureSets(session, { ...named, from: kept, code: `after ${column}` }),
  }
}
