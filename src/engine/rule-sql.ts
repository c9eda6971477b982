/**
 * The rules of a policy as SQL over one column, one entry a rule. `core/policy-check.ts` has checked that the rule fits the
 * column. A row of a part stands beside the person of the joined list: `persons.anchor`, `persons.shift_days`,
 * `persons.hidden`. Lists of codes are joined, because a list in an expression is read from its start for every row.
 */
import { createHash } from 'node:crypto'
import type { PolicyTable, ReleasedColumn, Rule } from '../core/policy.ts'
import { quoteIdentifier, quoteText } from './session.ts'

/** What the rules need beside the columns. */
export type RuleContext = {
  dates: 'relative' | 'shift'
  /** Of columns under `quantile`: the greatest value of every group but the last. */
  cuts?: Readonly<Record<string, readonly number[]>>
}

/** Rules after which no value is what it was, but of our own making. */
export const ownValue: ReadonlySet<Rule['rule']> = new Set(['band', 'date', 'quantile', 'rekey'])

/** Of a short number of 16 bytes. */
const padding = 'chr(1) || repeat(chr(0), 15)'

type RuleOf<Name extends Rule['rule']> = Extract<Rule, { rule: Name }>
type Of = { name: string; source: string; released: ReleasedColumn; context: RuleContext }

const sqlOf: { [Name in Rule['rule']]: (column: string, rule: RuleOf<Name>, of: Of) => string } = {
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
  date: (column, _, { released, context }) => {
    if (context.dates === 'relative') return `(${column}::date - persons.anchor)::integer`
    const day = `(${column}::date + persons.shift_days)`
    const { from, to } = released.window ?? {}
    const outside = [
      ...(from === undefined ? [] : [`${day} < date ${quoteText(from)}`]),
      ...(to === undefined ? [] : [`${day} > date ${quoteText(to)}`]),
    ]
    return outside.length === 0
      ? day
      : `(case when ${outside.join(' or ')} then null else ${day} end)`
  },
  map: (column, { others }, { name }) =>
    others === 'keep'
      ? `coalesce(${lookupOf(name)}.becomes, ${column}::varchar)`
      : `${lookupOf(name)}.becomes`,
  round: (column, { to }, { released }) => {
    const nearest = `round(${column}::double / ${to}) * ${to}`
    return released.column.type === 'integer' ? `(${nearest})::bigint` : `(${nearest})`
  },
  // Not least and greatest: they pass over a missing value, which would become the bound.
  clip: (column, { bottom, top }) => {
    const low = bottom === undefined ? '' : `when ${column} < ${bottom} then ${bottom}`
    const high = top === undefined ? '' : `when ${column} > ${top} then ${top}`
    return `(case ${low} ${high} else ${column} end)`
  },
  hierarchy: (_column, _rule, { name }) => `${lookupOf(name)}.becomes`,
  region: (column) => `left(${column}, 2)`,
  quantile: (column, _, { name, context }) => {
    const cuts = context.cuts?.[name]
    if (cuts === undefined) throw new RangeError('a quantile without its cuts')
    const branches = cuts.map((cut, index) => `when ${column} <= ${cut} then ${index + 1}`)
    return `(case when ${column} is null then null ${branches.join(' ')} else ${cuts.length + 1} end)`
  },
  rekey: (column, { kind }, { name, released }) => {
    const of = createHash('md5')
      .update(kind ?? released.column.role ?? name)
      .digest('hex')
    // Up to 15 bytes, padded with one byte 1 and zeros: two numbers never meet. Longer ones by 120 bits of their digest
    // behind a byte that no text begins with.
    const short = `encode(${column} || substr(${padding}, 1, 16 - strlen(${column})::integer))::uuid`
    const long = `('ff' || left(sha256(${column}), 30))::uuid`
    return `rekeyed(case when strlen(${column}) < 16 then ${short} else ${long} end, '${of}'::uuid)`
  },
}

/**
 * What leaves of a column of `part`, as it is compared and put in order: a number of the release is a UUID until it is
 * written (`writtenSql`), because 16 bytes are sooner put in order than 32 digits.
 *
 * @param source - the relation's name; `persons` must stand beside it, and the joins of `lookupJoins`.
 */
export function releasedSql(
  released: ReleasedColumn,
  context: RuleContext,
  source = 'part',
): string {
  return unlessHidden(released, ruledSql(released, context, source))
}

/** What a rule makes of a column, suppression aside. */
export function ruledSql(released: ReleasedColumn, context: RuleContext, source = 'part'): string {
  const { name, rule } = released
  const column = `${source}.${quoteIdentifier(name)}`
  const apply = sqlOf[rule.rule] as (column: string, rule: Rule, of: Of) => string
  return apply(column, rule, { name, source, released, context })
}

/** A cell that suppression may have emptied. */
export function unlessHidden({ quasiIdentifier }: ReleasedColumn, sql: string): string {
  return quasiIdentifier === undefined
    ? sql
    : `(case when persons.hidden & ${2 ** quasiIdentifier} = 0 then ${sql} end)`
}

/** What is written of a value that `releasedSql` made. */
export function writtenSql({ rule }: ReleasedColumn, value: string): string {
  return rule.rule === 'rekey' ? `lower(hex(${value}::blob))` : value
}

/** The joins that the columns' lists of codes need, one a column; none of them adds or drops a row. */
export function lookupJoins(columns: readonly ReleasedColumn[], source = 'part'): string {
  return columns
    .flatMap(({ name, lookup }) => {
      if (lookup === undefined) return []
      const lines = lookup.map(([value, to]) => `(${quoteText(value)}, ${quoteText(to)})`)
      const values = lines.length === 0 ? `(null, null)` : lines.join(', ')
      const column = `${source}.${quoteIdentifier(name)}::varchar`
      return [
        `left join (values ${values}) as ${lookupOf(name)}(value, becomes) on ${lookupOf(name)}.value = ${column}`,
      ]
    })
    .join('\n')
}

/** True where a row is of the years asked for. Never NULL: a row without a year is of none. */
export function scopeSql(
  where: NonNullable<PolicyTable['where']>,
  type: ReleasedColumn['column']['type'],
): string {
  const column = `part.${quoteIdentifier(where.column)}`
  const year =
    type === 'integer'
      ? column
      : type === 'year-month'
        ? `left(${column}, 4)::integer`
        : `year(${column})`
  return `coalesce(${year} between ${where.fromYear} and ${where.toYear}, false)`
}

function lookupOf(name: string): string {
  return quoteIdentifier(`lookup of ${name}`)
}
