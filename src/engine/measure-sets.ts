import type { SetMeasures } from '../core/disclosure-report.ts'
import { quoteIdentifier, type Session } from './session.ts'

/**
 * Measures the sets of codes of persons (Terrovitis 2008). The cost is that of all pairs: a person of n codes has
 * n × (n - 1) / 2.
 *
 * @param of - a relation of rows (person, code); a code may stand there any number of times, a missing one counts for none.
 */
export async function measureSets(
  session: Session,
  of: { from: string; person: string; code: string; k: number },
): Promise<SetMeasures> {
  const [person, code] = [quoteIdentifier(of.person), quoteIdentifier(of.code)]
  await session.run(`
    create or replace temp table gyeol_codes as
    select ${code} as text, row_number() over (order by ${code})::integer as code, count(distinct ${person}) as persons
    from ${of.from} where ${code} is not null group by text`)
  await session.run(`
    create or replace temp table gyeol_sets as
    select distinct ${person} as person, code, persons < ${of.k} as is_rare
    from ${of.from} join gyeol_codes on text = ${code}`)
  await session.run(`
    create or replace temp table gyeol_pairs as
    select a.code as first, b.code as second, count(*) as persons
    from gyeol_sets a join gyeol_sets b on a.person = b.person and a.code < b.code
    group by first, second`)
  const [counted] = await session.rows<Omit<SetMeasures, 'k' | 'm'>>(`
    select
      (select count(distinct person) from gyeol_sets) as persons,
      (select count(*) from gyeol_codes) as codes,
      (select count(*) from gyeol_codes where persons < ${of.k}) as "rareCodes",
      (select count(*) from gyeol_pairs where persons < ${of.k}) as "rarePairs",
      coalesce(least((select min(persons) from gyeol_codes), (select min(persons) from gyeol_pairs)), 0) as smallest,
      (select count(distinct person) from (
        select person from gyeol_sets where is_rare
        union all
        select a.person from gyeol_sets a join gyeol_sets b on a.person = b.person and a.code < b.code
        join (select first, second from gyeol_pairs where persons < ${of.k}) on first = a.code and second = b.code
      )) as "personsWithRare"`)
  for (const table of ['codes', 'sets', 'pairs']) await session.run(`drop table gyeol_${table}`)
  if (counted === undefined) throw new Error('a count without a row')
  return { k: of.k, m: 2, ...counted }
}
