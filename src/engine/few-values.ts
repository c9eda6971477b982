/**
 * Texts of few values, as codes are. What a rule makes of such a column, whether that looks like an identifier and how often
 * it leaves is found out once a value; and until it is written a value is its place in a list, which is sooner put in
 * order and sooner written than a text.
 *
 * The list is in the file for everybody to read. So it holds what leaves and nothing else, and is in order of the values.
 */
import type { ReleasedColumn } from '../core/policy.ts'
import { identifierInText } from './identifier-shape.ts'
import type { LeavingRows } from './leaving-rows.ts'
import { mayHoldIdentifier, type ReleaseRows } from './release-rows.ts'
import { lookupJoins, ownValue, ruledSql, unlessHidden, writtenSql } from './rule-sql.ts'
import { sensitiveSql } from './sensitive-sql.ts'
import { quoteIdentifier, quoteText, type Session } from './session.ts'

/** A column of few values, as it leaves. */
export type FewValued = {
  /** SQL over `part`, `persons` and the join. */
  value: string
  join: string
  /** Cells with a value in the rows that leave; how many of them leave as something else; how many as nothing. */
  cells: number
  changed: number
  emptied: number
  /** Rows in which it would leave as what looks like an identifier. */
  identifiers: number
}

/** More values, or longer ones all together, than one dictionary of a file should hold. */
const valuesMax = 32_768
const valueBytesMax = 1_048_576
/** How many rows tell whether it is worth looking at all of them. */
const sampleRows = 122_880
/** As many columns are counted in one pass. */
const passColumns = 30

/** Finds the columns of few values among those that leave as texts, by name. Needs the function `rekeyed` for numbers. */
export async function fewValuedColumns(
  session: Session,
  release: ReleaseRows,
  leaving: LeavingRows,
): Promise<Map<string, FewValued>> {
  const few: ReleasedColumn[] = []
  for (const column of await likelyColumns(session, release)) {
    if (await hasFewValues(session, release, column)) few.push(column)
  }
  const found = new Map<string, FewValued>()
  for (let first = 0; first < few.length; first += passColumns) {
    const columns = few.slice(first, first + passColumns)
    await countValues(session, columns, leaving)
    for (const column of columns) found.set(column.name, await listed(session, column, columns))
  }
  return found
}

async function likelyColumns(session: Session, release: ReleaseRows): Promise<ReleasedColumn[]> {
  const texts = release.columns.filter(({ type }) => type === 'string')
  if (texts.length === 0) return []
  const names = texts.map(({ name }) => quoteIdentifier(name))
  const [counts = {}] = await session.rows<Record<string, number>>(`
    select ${names.map((name, index) => `count(distinct ${name}) as values_${index}`).join(', ')}
    from (select ${names.join(', ')} from read_parquet(${quoteText(release.part)}) limit ${sampleRows})`)
  return texts.filter((_, index) => (counts[`values_${index}`] ?? 0) <= valuesMax)
}

/** Makes the table of a column's values and of what becomes of them. */
async function hasFewValues(
  session: Session,
  release: ReleaseRows,
  column: ReleasedColumn,
): Promise<boolean> {
  const name = quoteIdentifier(column.name)
  const { shown } = sensitiveSql(release.table, release.sensitive ?? [])
  const ruled = ruledSql(column, release.rules ?? { dates: 'relative' })
  await session.run(`
    create or replace temp table ${valuesOf(column)} as
    select part.${name} as value, ${shown(column.name, writtenSql(column, ruled))} as becomes
    from (select distinct ${name} from read_parquet(${quoteText(release.part)}) where ${name} is not null) as part
    ${lookupJoins([column])}`)
  const [size] = await session.rows<{ values: number; bytes: number }>(
    `select count(*) as "values", coalesce(sum(strlen(becomes)), 0)::bigint as bytes from ${valuesOf(column)}`,
  )
  return (size?.values ?? 0) <= valuesMax && (size?.bytes ?? 0) <= valueBytesMax
}

/** Makes the table few_counted: of each column in turn its value, whether it shows, and the rows that leave with it. */
async function countValues(
  session: Session,
  columns: readonly ReleasedColumn[],
  { from, leaves }: LeavingRows,
): Promise<void> {
  const keys = columns.map((column, index) => ({
    value: `part.${quoteIdentifier(column.name)} as value_${index}`,
    shows: `${unlessHidden(column, 'true')} as shows_${index}`,
    set: isHideable(column) ? `(value_${index}, shows_${index})` : `(value_${index})`,
  }))
  const values = columns.map((_, index) => `value_${index}`)
  const shows = columns.flatMap((column, index) => (isHideable(column) ? [`shows_${index}`] : []))
  await session.run(`
    create or replace temp table few_counted as
    select ${[`grouping(${values.join(', ')}) as "set"`, ...values, ...shows, 'count(*) as "rows"'].join(', ')}
    from (select ${keys.flatMap(({ value, shows }) => [value, shows]).join(', ')} from ${from} where ${leaves})
    group by grouping sets (${keys.map(({ set }) => set).join(', ')})`)
}

/** Counts one column of those counted together, and makes the list of what leaves of it. */
async function listed(
  session: Session,
  column: ReleasedColumn,
  columns: readonly ReleasedColumn[],
): Promise<FewValued> {
  const index = columns.indexOf(column)
  const others = 2 ** columns.length - 1 - 2 ** (columns.length - 1 - index)
  const shows = isHideable(column) ? `shows_${index} is not null` : 'true'
  const counted = `(
    select value, becomes, ${shows} as shows, "rows"
    from few_counted join ${valuesOf(column)} on value = value_${index} where "set" = ${others})`
  const identifier = mayHoldIdentifier(column)
    ? identifierInText('becomes', column.column.type === 'code')
    : 'false'
  const [counts] = await session.rows<Record<'cells' | 'left' | 'same' | 'identifiers', number>>(`
    select ${rowsWhere('true')} as cells, ${rowsWhere('becomes is not null and shows')} as "left",
      ${rowsWhere('value::varchar = becomes and shows')} as same, ${rowsWhere(`${identifier} and shows`)} as identifiers
    from ${counted}`)
  const { cells = 0, left = 0, same = 0, identifiers = 0 } = counts ?? {}
  const changed = ownValue.has(column.rule.rule) ? cells : cells - same
  const numbers = { cells, changed, emptied: cells - left, identifiers }
  if (left === 0) return { value: 'null::varchar', join: '', ...numbers }
  const name = quoteIdentifier(`listed ${column.name}`)
  const leaving = `from ${counted} where becomes is not null and shows`
  await session.run(`create or replace temp type ${name} as enum (
    select distinct becomes ${leaving} order by becomes)`)
  await session.run(`create or replace temp table ${name} as
    select distinct value, becomes::${name} as becomes ${leaving}`)
  return {
    value: unlessHidden(column, `${name}.becomes`),
    join: `left join ${name} on ${name}.value = part.${quoteIdentifier(column.name)}`,
    ...numbers,
  }
}

function rowsWhere(condition: string): string {
  return `coalesce(sum("rows") filter (where ${condition}), 0)::bigint`
}

function isHideable({ quasiIdentifier }: ReleasedColumn): boolean {
  return quasiIdentifier !== undefined
}

function valuesOf({ name }: ReleasedColumn): string {
  return quoteIdentifier(`values of ${name}`)
}
