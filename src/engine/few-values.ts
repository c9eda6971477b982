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
  /** A relation of the values that leave, as texts, in a column of its name. */
  leaving: string
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
const sampleRows = 49_152
/** As many columns are counted in one pass. */
const passColumns = 30

/** Finds the columns of few values among those that leave as texts, by name. Needs the function `rekeyed` for numbers. */
export async function fewValuedColumns(
  session: Session,
  release: ReleaseRows,
  leaving: LeavingRows,
): Promise<Map<string, FewValued>> {
  const few = await withFewValues(session, release, await likelyColumns(session, release))
  const found = new Map<string, FewValued>()
  for (let first = 0; first < few.length; first += passColumns) {
    const columns = few.slice(first, first + passColumns)
    await countValues(session, columns, leaving)
    for (const [name, column] of await listed(session, columns)) found.set(name, column)
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

/** Makes a table for each column of its values and of what becomes of them; gives the columns that have few. */
async function withFewValues(
  session: Session,
  release: ReleaseRows,
  columns: readonly ReleasedColumn[],
): Promise<ReleasedColumn[]> {
  if (columns.length === 0) return []
  const { shown } = sensitiveSql(release.table, release.sensitive ?? [])
  const part = `read_parquet(${quoteText(release.part)})`
  const tables = columns.map((column) => {
    const name = quoteIdentifier(column.name)
    const becomes = writtenSql(column, ruledSql(column, release.rules ?? { dates: 'relative' }))
    return `create or replace temp table ${valuesOf(column)} as
      select part.${name} as value, ${shown(column.name, becomes)} as becomes
      from (select distinct ${name} from ${part}) as part
      ${lookupJoins([column])}`
  })
  await session.run(tables.join(';\n'))
  const sizes = columns.map(
    (column, index) => `select ${index} as index from ${valuesOf(column)}
      having count(*) <= ${valuesMax} and coalesce(sum(strlen(becomes)), 0) <= ${valueBytesMax}`,
  )
  const sized = await session.rows<{ index: number }>(sizes.join(' union all '))
  const few = columns.filter((_, index) => sized.some((one) => one.index === index))
  const others = columns.filter((column) => !few.includes(column))
  for (const column of others) await session.run(`drop table ${valuesOf(column)}`)
  return few
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

/** Counts the columns that were counted together, and makes the lists of what leaves of them. */
async function listed(
  session: Session,
  columns: readonly ReleasedColumn[],
): Promise<[string, FewValued][]> {
  const queries = columns.map((column, index) => {
    const identifier = mayHoldIdentifier(column)
      ? identifierInText('becomes', column.column.type === 'code')
      : 'false'
    return `select ${index} as index, ${rowsWhere('true')} as cells,
      ${rowsWhere('becomes is not null and shows')} as "left", ${rowsWhere('value::varchar = becomes and shows')} as same,
      ${rowsWhere(`${identifier} and shows`)} as identifiers
      from ${countedOf(columns, index)}`
  })
  const counted = await session.rows<Record<Count, number>>(queries.join(' union all '))
  const lists = columns.map((column, index): [string, FewValued, string[]] => {
    const counts = counted.find((one) => one.index === index)
    const { cells = 0, left = 0, same = 0, identifiers = 0 } = counts ?? {}
    const changed = ownValue.has(column.rule.rule) ? cells : cells - same
    const numbers = { cells, changed, emptied: cells - left, identifiers }
    const none = `(select null::varchar as ${quoteIdentifier(column.name)})`
    if (left === 0) {
      return [column.name, { value: 'null::varchar', join: '', leaving: none, ...numbers }, []]
    }
    const name = quoteIdentifier(`listed ${column.name}`)
    const leaving = `(select becomes::varchar as ${quoteIdentifier(column.name)} from ${name})`
    const value = unlessHidden(column, `${name}.becomes`)
    // Every value is in the list, and a missing one too: a left join would cut the rows into those with a partner and those
    // without, again and again, until every step had a handful of them at a time.
    const join = `join ${name} on ${name}.value is not distinct from part.${quoteIdentifier(column.name)}`
    const statements = [
      `create or replace temp type ${name} as enum (
        select distinct becomes from ${countedOf(columns, index)} where becomes is not null and shows order by becomes)`,
      `create or replace temp table ${name} as
        select value, try_cast(becomes as ${name}) as becomes from ${valuesOf(column)}`,
    ]
    return [column.name, { value, join, leaving, ...numbers }, statements]
  })
  const statements = lists.flatMap(([, , each]) => each)
  if (statements.length > 0) await session.run(statements.join(';\n'))
  return lists.map(([name, column]) => [name, column])
}

type Count = 'index' | 'cells' | 'left' | 'same' | 'identifiers'

/** The values of one of the columns that were counted together, what becomes of them, whether they show, and how often. */
function countedOf(columns: readonly ReleasedColumn[], index: number): string {
  const [column] = columns.slice(index)
  if (column === undefined) throw new RangeError('a column that was not counted')
  const set = 2 ** columns.length - 1 - 2 ** (columns.length - 1 - index)
  const shows = isHideable(column) ? `shows_${index} is not null` : 'true'
  return `(
    select value, becomes, ${shows} as shows, "rows"
    from few_counted join ${valuesOf(column)} on value = value_${index} where "set" = ${set})`
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
