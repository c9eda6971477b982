/**
 * The rules of a policy as SQL over one column, one entry a rule. `core/policy.ts` has checked that the rule fits the
 * column; `anchor` is the person's anchor date, of the joined list of persons.
 */
import type { ReleasedColumn, Rule } from '../core/policy.ts'
import { quoteIdentifier } from './session.ts'

type RuleOf<Name extends Rule['rule']> = Extract<Rule, { rule: Name }>

const sqlOf: { [Name in Rule['rule']]: (column: string, rule: RuleOf<Name>) => string } = {
  keep: (column) => column,
  drop: () => 'null',
  truncate: (column, { length }) => `left(replace(${column}, '.', ''), ${length})`,
  band: (column, { width, top }) => {
    const lower = `(floor(${column} / ${width}) * ${width})::bigint`
    const band = `${lower}::varchar || '-' || (${lower} + ${width - 1})::varchar`
    if (top === undefined) return `(${band})`
    // A band that the top would cut ends below it, so that no band shows more than its name says.
    const cut = `${lower}::varchar || '-' || least(${lower} + ${width - 1}, ${top - 1})::varchar`
    return `(case when ${column} >= ${top} then '${top}+' else ${cut} end)`
  },
  date: (column) => `(${column}::date - anchor)::integer`,
}

/** What leaves of a column. */
export function releasedSql({ name, rule }: ReleasedColumn): string {
  const column = quoteIdentifier(name)
  switch (rule.rule) {
    case 'keep':
      return sqlOf.keep(column, rule)
    case 'drop':
      return sqlOf.drop(column, rule)
    case 'truncate':
      return sqlOf.truncate(column, rule)
    case 'band':
      return sqlOf.band(column, rule)
    case 'date':
      return sqlOf.date(column, rule)
  }
}

/** True where a row is of the years asked for. Never NULL: a row without a year is of none. */
export function scopeSql(
  where: { column: string; fromYear: number; toYear: number },
  type: ReleasedColumn['column']['type'],
): string {
  const column = quoteIdentifier(where.column)
  const year =
    type === 'integer'
      ? column
      : type === 'year-month'
        ? `left(${column}, 4)::integer`
        : `year(${column})`
  return `coalesce(${year} between ${where.fromYear} and ${where.toYear}, false)`
}
