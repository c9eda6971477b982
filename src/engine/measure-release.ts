/**
 * The persons of a release, one row each, as a reader of the release could know them: the values of the quasi-identifiers
 * that the policy names, assembled from the parts of a cohort by the same expressions that the release is built with. So
 * what is measured is what leaves. Then suppression, and the measures again; the list of persons comes out without those
 * who are left out, and with a mark for every cell that is hidden.
 */
import type { CatalogueTable } from '../catalogue/schema.ts'
import type { SensitiveClass } from '../catalogue/sensitive.ts'
import type { Measured, SetMeasures, Suppressed } from '../core/disclosure-report.ts'
import type { Policy, PolicyTable, ReleasedColumn } from '../core/policy.ts'
import type { PolicyMeasures } from '../core/policy-sections.ts'
import { measureClasses } from './measure.ts'
import { measureSensitive } from './measure-sensitive.ts'
import { measureSets } from './measure-sets.ts'
import { lookupJoins, type RuleContext, releasedSql, scopeSql } from './rule-sql.ts'
import { sensitiveSql } from './sensitive-sql.ts'
import { quoteIdentifier, quoteText, type Session } from './session.ts'
import { suppress } from './suppress.ts'

/** A table of the release and the cohort parts it is made of. */
export type MeasuredTable = {
  files: readonly string[]
  table: CatalogueTable
  columns: readonly ReleasedColumn[]
  rules: RuleContext
  where?: PolicyTable['where']
}

/** Persons and what is known of them. */
export type KnownPersons = {
  /** The list of `releasePersons`. */
  persons: string
  /** Every table that is named, but for the table of persons. */
  tables: Readonly<Record<string, MeasuredTable>>
  sensitive: readonly SensitiveClass[]
}

export type MeasureRelease = KnownPersons & {
  measures: PolicyMeasures
  diagnosisTime: NonNullable<Policy['diagnosisTime']>
}

/** Below which k the report counts, beside the policy's own. */
const thresholds = [3, 5, 10]

type Use = { table: string; column: string; take: 'all' | 'least' }

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

/**
 * What a table says of each person: ordinal, and each column used as `before …` and `after …`. Most persons have one value
 * of a column: the least and the greatest of it tell, in memory of a fixed size that can be spilled.
 *
 * @param asks.together - several values of a person as one: `texts`, to be read, in memory that grows with them; `digest`, of
 *   fixed size, which tells them from any others.
 */
export function tableSql(
  of: KnownPersons,
  asks: { table: string; uses: readonly Use[]; together: 'texts' | 'digest' },
): string {
  const { table, uses } = asks
  const values = valuesSql(
    of,
    table,
    uses.map(({ column }) => column),
  )
  const columns = uses.flatMap(({ column, take }) =>
    ['before', 'after'].map((when) => ({ take, name: `${when} ${column}` })),
  )
  const all = columns.filter(({ take }) => take === 'all').map(({ name }) => name)
  const least = columns.map(
    ({ name }) => `min(${quoteIdentifier(name)}) as ${quoteIdentifier(name)}`,
  )
  const most = all.map(
    (name) => `max(${quoteIdentifier(name)}) as ${quoteIdentifier(`most ${name}`)}`,
  )
  const bounds = `select ${['ordinal', ...least, ...most].join(', ')} from (${values}) group by ordinal`
  if (all.length === 0) return bounds
  const isSeveral = (name: string): string =>
    `bounds.${quoteIdentifier(name)} <> bounds.${quoteIdentifier(`most ${name}`)}`
  const shown = columns.map(({ name, take }) => {
    const column = quoteIdentifier(name)
    if (take === 'least') return `bounds.${column}`
    const several = `several_${all.indexOf(name)}.together`
    return `case when ${isSeveral(name)} then ${several} else bounds.${column} end as ${column}`
  })
  const joins = all.map((name, index) => {
    return `left join (${togetherSql(name, asks.together)}) as several_${index} using (ordinal)`
  })
  return `
    with bounds as materialized (${bounds}),
      several as materialized (
        select distinct ${['ordinal', ...all.map(quoteIdentifier)].join(', ')} from (${values})
        semi join (select ordinal from bounds where ${all.map(isSeveral).join(' or ')}) using (ordinal))
    select ${['bounds.ordinal', ...shown].join(', ')} from bounds ${joins.join(' ')}`
}

/** Somebody who knows several values of a person knows more than one of them alone. */
function togetherSql(name: string, as: 'texts' | 'digest'): string {
  const column = quoteIdentifier(name)
  const values = `select distinct ordinal, ${column} as value from several where ${column} is not null`
  const together =
    as === 'texts'
      ? `array_to_string(list_sort(list(value)), '|')`
      : `concat_ws(' ', count(*), bit_xor(hash(value)), bit_xor(hash(value, 1)))`
  return `select ordinal, ${together} as together from (${values}) group by ordinal`
}

/**
 * Every row of a table with its person, its columns as they are and as they leave (missing where the row does not), and
 * whether the row leaves.
 */
export function valuesSql(of: KnownPersons, name: string, names: readonly string[]): string {
  const known = of.tables[name]
  if (known === undefined) throw new RangeError('a measured table without its parts')
  const { table, where, files, rules } = known
  const columns = known.columns.filter((column) => names.includes(column.name))
  const { isSensitive, shown } = sensitiveSql(table, of.sensitive)
  const type = where && table.columns[where.column]?.type
  const leaves = [
    ...(where && type ? [scopeSql(where, type)] : []),
    ...(isSensitive === undefined ? [] : [`not ${isSensitive}`]),
  ]
  const values = columns.flatMap((column) => {
    // Nothing is hidden yet, so the mark is 0 and this is the rule alone.
    const value = shown(column.name, releasedSql(column, rules))
    const left = leaves.length === 0 ? value : `case when ${leaves.join(' and ')} then ${value} end`
    return [
      `part.${quoteIdentifier(column.name)}::varchar as ${quoteIdentifier(`before ${column.name}`)}`,
      `(${left})::varchar as ${quoteIdentifier(`after ${column.name}`)}`,
    ]
  })
  if (files.length === 0) return emptySql(names)
  const leaving = `(${leaves.join(' and ') || 'true'}) as "row leaves"`
  return `select ${['persons.ordinal', leaving, ...values].join(', ')}
    from read_parquet([${files.map(quoteText).join(', ')}]) as part
    join read_parquet(${quoteText(of.persons)}) as persons on part.ordinal = persons.ordinal
    ${lookupJoins(columns)}`
}

/** A table that no agency delivered has no rows. */
function emptySql(names: readonly string[]): string {
  const columns = names.flatMap((name) =>
    ['before', 'after'].map((when) => `null::varchar as ${quoteIdentifier(`${when} ${name}`)}`),
  )
  return `select ${['null::integer as ordinal', 'false as "row leaves"', ...columns].join(', ')} where false`
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
