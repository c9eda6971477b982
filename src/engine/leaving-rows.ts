/**
 * Which rows of a part leave: those of persons of the release, of the years asked for, and of no sensitive class. Whether a
 * code is of a class is found out once a code: a part has some hundred of them in millions of rows.
 */
import type { ReleaseRows } from './release-rows.ts'
import { scopeSql } from './rule-sql.ts'
import { sensitiveSql } from './sensitive-sql.ts'
import { quoteIdentifier, quoteText, type Session } from './session.ts'

/** SQL over the rows of a part. */
export type LeavingRows = {
  /** The relations `part` and `persons`, a row for each row of a person of the release. */
  from: string
  /** True for a row that leaves; never NULL. */
  leaves: string
  /** Rows of persons of the release that do not: of other years; of the years asked for, but of a sensitive class. */
  outsideScope: number
  sensitive: number
}

/** Looks through the codes of a part. The SQL needs the session and stands until another part is looked through. */
export async function leavingRows(session: Session, release: ReleaseRows): Promise<LeavingRows> {
  const { part, persons, table, sensitive = [] } = release
  const tests = [...sensitiveSql(table, sensitive).tests]
  const codesOf = (column: string): string => quoteIdentifier(`sensitive ${column}`)
  const tables = tests.map(([column, test]) => {
    const name = quoteIdentifier(column)
    return `create or replace temp table ${codesOf(column)} as
      select ${name} from (select distinct ${name} from read_parquet(${quoteText(part)})) as part where ${test}`
  })
  if (tables.length > 0) await session.run(tables.join(';\n'))
  const counts = tests.map(
    ([column], index) => `select ${index} as index from ${codesOf(column)} having count(*) > 0`,
  )
  const found =
    counts.length === 0 ? [] : await session.rows<{ index: number }>(counts.join(' union all '))
  const conditions = tests.flatMap(([column], index) =>
    found.some((one) => one.index === index)
      ? [`coalesce(part.${quoteIdentifier(column)} in (from ${codesOf(column)}), false)`]
      : [],
  )
  const inScope = scopeOf(release)
  const isSensitive = conditions.join(' or ') || 'false'
  const from = `read_parquet(${quoteText(part)}) as part
    join read_parquet(${quoteText(persons)}) as persons on part.ordinal = persons.ordinal`
  const [counted] = await session.rows<{ outside: number; sensitive: number }>(`
    select count(*) filter (not inside) as outside, count(*) filter (inside and is_sensitive) as sensitive
    from (select ${inScope} as inside, ${isSensitive} as is_sensitive from ${from})`)
  return {
    from,
    leaves: `${inScope} and not (${isSensitive})`,
    outsideScope: counted?.outside ?? 0,
    sensitive: counted?.sensitive ?? 0,
  }
}

function scopeOf({ where, table }: ReleaseRows): string {
  if (where === undefined) return 'true'
  const column = table.columns[where.column]
  if (column === undefined) throw new RangeError('a scope over a column that does not exist')
  return scopeSql(where, column.type)
}
