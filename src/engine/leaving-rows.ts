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
  /** True in the years asked for; never NULL. */
  inScope: string
  /** True for a row of a sensitive class; never NULL. Undefined: there is none. */
  isSensitive: string | undefined
  /** True for a row that leaves; never NULL. */
  leaves: string
}

/** Looks through the codes of a part. The SQL needs the session and stands until another part is looked through. */
export async function leavingRows(session: Session, release: ReleaseRows): Promise<LeavingRows> {
  const { part, persons, table, sensitive = [] } = release
  const { tests } = sensitiveSql(table, sensitive)
  const found: string[] = []
  for (const [column, test] of tests) {
    const name = quoteIdentifier(column)
    const codes = quoteIdentifier(`sensitive ${column}`)
    await session.run(`
      create or replace temp table ${codes} as
      select ${name} from (select distinct ${name} from read_parquet(${quoteText(part)})) as part where ${test}`)
    if ((await session.rows(`from ${codes} limit 1`)).length === 0) continue
    found.push(`coalesce(part.${name} in (from ${codes}), false)`)
  }
  const inScope = scopeOf(release)
  const isSensitive = found.length === 0 ? undefined : `(${found.join(' or ')})`
  return {
    from: `read_parquet(${quoteText(part)}) as part
      join read_parquet(${quoteText(persons)}) as persons on part.ordinal = persons.ordinal`,
    inScope,
    isSensitive,
    leaves: isSensitive === undefined ? inScope : `${inScope} and not ${isSensitive}`,
  }
}

function scopeOf({ where, table }: ReleaseRows): string {
  if (where === undefined) return 'true'
  const column = table.columns[where.column]
  if (column === undefined) throw new RangeError('a scope over a column that does not exist')
  return scopeSql(where, column.type)
}
