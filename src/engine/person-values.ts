/**
 * What a release says of persons, as SQL: the values of the columns that are asked for, from the parts of a cohort, by the
 * same expressions that the release is built with.
 */
import type { CatalogueTable } from '../catalogue/schema.ts'
import type { SensitiveClass } from '../catalogue/sensitive.ts'
import type { PolicyTable, ReleasedColumn } from '../core/policy.ts'
import { lookupJoins, type RuleContext, releasedSql, scopeSql } from './rule-sql.ts'
import { sensitiveSql } from './sensitive-sql.ts'
import { quoteIdentifier, quoteText } from './session.ts'

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

/** A column, and what of its values a person is known by. */
export type Use = { table: string; column: string; take: 'all' | 'least' }

/**
 * What a table says of each person: ordinal, and each column used as `before …` and `after …`. Most persons have one value
 * of a column: the least and the greatest of it tell, in memory of a fixed size that can be spilled.
 *
 * @param asks.together - several values of a person as one: `texts`, to be read, in memory that grows with them; `digest`,
 *   of fixed size, which tells them from any others.
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
